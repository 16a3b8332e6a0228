/** What a database must offer; one small file per database in dialects/. Everything else is the same for all. */
import type { Knex } from 'knex';
import type { Value } from './columns.js';
import type { PackedRows } from './packed-rows.js';
import type { DialectName } from './protocol.js';

/** Statements inside one transaction. */
export interface Statements {
  /** Milliseconds since 1970 by the database's own clock, so that all processes on it agree. */
  now(): Promise<number>;
  /** `?` stands for a value; names are quoted by the dialect. */
  all(sql: string, values?: readonly Value[]): Promise<Record<string, unknown>[]>;
  /** Returns how many rows it matched. */
  run(sql: string, values?: readonly Value[]): Promise<number>;
  /** knex is loaded for it only then: it takes longer than all the rest of a restart. */
  create(build: (schema: Knex.SchemaBuilder) => Knex.SchemaBuilder): Promise<void>;
  /** Names of the columns in the table's order; null: there is no such table. */
  columns(table: string): Promise<string[] | null>;
  /** Writes rows by their record_key. */
  upsert(rows: PackedRows): Promise<void>;
  remove(keys: readonly string[]): Promise<void>;
}

export interface Session {
  /** Is taken against other writers from its beginning; rolled back when `work` throws. */
  transaction<T>(work: (statements: Statements) => Promise<T>): Promise<T>;
  /** After the table exists: prepares what the hot path needs. */
  prepare(): Promise<void>;
  /** Rows with `after` < id <= `upTo` by id: each its id, then the columns. */
  page(after: number, upTo: number, limit: number): Promise<unknown[][]>;
  close(): Promise<void>;
}

export interface DialectSettings {
  readonly dialect: DialectName;
  /** File or address, as far as it may be shown to people. */
  readonly location: string;
  readonly table: string;
  readonly synchronous: 'full' | 'normal';
  readonly nativeBinding: string | null;
}

export interface Dialect {
  /** Compares bytes; given to every column that a key consists of. null: the database does so anyway. */
  readonly collation: string | null;
  /** A name as an identifier, so that a reserved word can name a table. */
  quote(name: string): string;
  /** Native type that gives text back as text and bytes as bytes. */
  readonly documentType: string;
  /** Only processes of this machine can open it: a holder of an earlier boot is dead. */
  readonly local: boolean;
  /** @throws whatever the driver throws */
  open(settings: DialectSettings): Promise<Session>;
  /** What the user can do about an error of the driver while opening; null: unknown. */
  remedy(error: unknown, settings: DialectSettings): string | null;
}
