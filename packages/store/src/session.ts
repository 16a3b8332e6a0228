/** What a database must offer; one small file per database in dialects/. Everything else is the same for all. */
import type { Knex } from 'knex';
import type { Column, Value } from './columns.js';
import type { TableForm } from './form.js';
import type { PackedRows } from './packed-rows.js';
import type { Server } from './url.js';

export type DialectName = 'sqlite' | 'mysql' | 'postgres';

/** Statements inside one transaction. */
export interface Statements {
  /** `?` stands for a value; names are quoted by the dialect. */
  all(sql: string, values?: readonly Value[]): Promise<Record<string, unknown>[]>;
  /** Returns how many rows it matched, also where nothing changed in them. */
  run(sql: string, values?: readonly Value[]): Promise<number>;
  /** Makes tables. */
  create(build: (schema: Knex.SchemaBuilder) => Knex.SchemaBuilder): Promise<void>;
  /** null: there is no such table. */
  describe(table: string): Promise<TableForm | null>;
  /** Writes the rows `from` <= index < `to` by their record_key. */
  upsert(rows: PackedRows, from: number, to: number): Promise<void>;
  remove(keys: readonly string[]): Promise<void>;
}

export interface Session {
  /** The connection is gone: open another one. */
  readonly lost: boolean;
  /** Rolled back when `work` throws. Who needs other writers to wait locks a row first. */
  transaction<T>(work: (statements: Statements) => Promise<T>): Promise<T>;
  /** The first rows with a greater id, by id: each its id, then the columns. */
  page(after: number, limit: number): Promise<unknown[][]>;
  /** Also of a connection that is gone; never throws. */
  close(): Promise<void>;
}

export interface DialectSettings {
  readonly dialect: DialectName;
  /** File or address, without the password: what is shown to people. */
  readonly location: string;
  /** null: `location` is a file. */
  readonly server: Server | null;
  readonly table: string;
  /** How long a server may take for an answer before the connection counts as lost, milliseconds. */
  readonly answerMs: number;
  readonly synchronous: 'full' | 'normal';
  readonly nativeBinding: string | null;
}

export interface Dialect {
  /** A name as an identifier, so that a reserved word can name a table. */
  quote(name: string): string;
  /** Native type of a column, compared byte by byte where it holds text, as describe() gives it. */
  type(column: Pick<Column, 'type' | 'size'>): string;
  /** Clause of `create table`, for databases that have tables without transactions. */
  readonly engine: string | null;
  /** Milliseconds since 1970 by the database's own clock, so that all processes on it agree. */
  readonly now: string;
  /** Behind a select: its rows stay locked until the transaction ends. */
  readonly lock: string;
  /** Only processes of this machine can open it: a holder of an earlier boot is dead. */
  readonly local: boolean;
  /** @throws whatever the driver throws */
  open(settings: DialectSettings): Promise<Session>;
  /** Another session was in the way (deadlock, lock time-out, both made the same thing): the same again may succeed. */
  conflict(error: unknown): boolean;
  /** The values of a row are to blame: the other rows of the group can be written without it. */
  misfit(error: unknown): boolean;
  /** What the user can do about an error of the driver; null: unknown. */
  remedy(error: unknown): string | null;
}
