/** What a row of the table is: a figure of ours beside that of a ceiling or a peer, each from processes of its own. */
import type { PeerName } from '@pua/testkit';

/** How much and how long; the same for both sides of a row. */
export interface Effort {
  /** Runs of each side, in turn. */
  readonly rounds: number;
  /** Operations outstanding at any time. */
  readonly window: number;
  /** Before anything is counted: at least so many milliseconds ... */
  readonly warmUpMs: number;
  /** ... and so many operations, so that the code is compiled and the records are made on a busy machine, too. */
  readonly warmUpOperations: number;
  /** Milliseconds that are counted. */
  readonly measureMs: number;
  /** Part of the records that a row names. */
  readonly scale: number;
}

export const FULL: Effort = {
  rounds: 3,
  window: 200,
  warmUpMs: 1000,
  warmUpOperations: 45_000,
  measureMs: 3000,
  scale: 1,
};

/** Shows that a row works; its figures mean nothing. */
export const QUICK: Effort = {
  rounds: 1,
  window: 20,
  warmUpMs: 20,
  warmUpOperations: 20,
  measureMs: 200,
  scale: 0.001,
};

/** Records of a row with this effort. */
export const scaled = (n: number, { scale }: Effort): number => Math.min(n, Math.max(10, Math.round(n * scale)));

export interface Sample {
  /** In the unit of the row. */
  readonly value: number;
  /** Further figures, by names that tell their unit. */
  readonly details: Readonly<Record<string, number>>;
}

/** One run, in a fresh process: nobody meets the heap and the compiled code of another one. */
export type Measure = (effort: Effort) => Promise<Sample>;

/** What both sides of all rounds use, such as a database with rows. */
export interface Prepared {
  /** Environment of the processes that measure. */
  readonly env: Readonly<Record<string, string>>;
  end(): Promise<void>;
}

/** For the median of the ratios (ours by the other), or for ours where there is no other side. */
export interface Goal {
  readonly atLeast?: number;
  readonly atMost?: number;
}

export interface Row {
  readonly name: string;
  /** One line for people. */
  readonly what: string;
  readonly unit: 'k/s' | 'ms/1000' | 'us/row' | 'B/record' | 'ns' | 'ns/record' | 'ms/s';
  /** Records at full scale. */
  readonly n: number;
  readonly ours: Measure;
  readonly against?: { readonly name: string; readonly measure: Measure };
  readonly goal?: Goal;
  readonly needs?: readonly PeerName[];
  /** Options of Node for the processes that measure. */
  readonly nodeOptions?: readonly string[];
  /** Runs only when it is named: it takes minutes. */
  readonly large?: true;
  readonly prepare?: (effort: Effort) => Promise<Prepared>;
}
