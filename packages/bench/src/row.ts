/** What a row of the table is: one way to work, measured in a process of its own. */

export interface Load {
  /** Operations outstanding at any time. */
  readonly window: number;
  /** Before anything is counted: at least so many milliseconds ... */
  readonly warmUpMs: number;
  /** ... and so many operations, so that the code is compiled and the records are made on a busy machine, too. */
  readonly warmUpOperations: number;
  /** Milliseconds that are counted. */
  readonly measureMs: number;
}

export const USUAL: Load = { window: 200, warmUpMs: 1000, warmUpOperations: 45_000, measureMs: 3000 };

export interface Measurement {
  /** Operations that were answered in the time that counts. */
  readonly operations: number;
  /** Operations per second; the figure that rows are compared by. */
  readonly rate: number;
  /** CPU milliseconds per 1000 operations: main thread of the client, its storage thread, the whole server process. */
  readonly cpu: { readonly main: number; readonly store?: number; readonly server: number };
  /** Part of one core that the server was busy: far below 1, or it is the server that was measured. */
  readonly serverLoad: number;
  /** Further figures by name, shown in the JSON and below the table. */
  readonly details: Readonly<Record<string, number>>;
}

export interface Row {
  readonly name: RowName;
  /** One line for people. */
  readonly title: string;
  /** Least part of the rate of the row `raw` that this row should reach. */
  readonly goal?: number;
  run(load: Load): Promise<Measurement>;
}

export type RowName = 'raw' | 'answerer' | 'memory' | 'sqlite';
