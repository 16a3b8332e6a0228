/**
 * Messages between the store and the worker that owns the database.
 *
 *   store                                 worker
 *     |  open {settings, resume} ---------> |  checks the table, takes the lease
 *     | <------ done {rows, unclean, fence} |
 *     |  page {after, upTo, limit} -------> |
 *     | <------------- ----- done rows, bad |
 *     |  write {upserts, deletes} --------> |  one transaction, fence checked in it
 *     | <--------------------- done rejected |
 *     | <---------------------- lost holder |  at any time: another process has the lease
 *     |  close {} ------------------------> |  lease given back, connection closed
 */
import type { PuaErrorCode } from '@pua/core';
import type { Holder } from './holder.js';
import type { PackedRows } from './packed-rows.js';
import type { DialectSettings } from './session.js';

export interface TableSettings extends DialectSettings {
  readonly leaseMs: number;
  readonly holder: Holder;
}

export interface Group {
  readonly upserts: PackedRows;
  readonly deletes: readonly string[];
}

/** A record that can't be written because of what it holds; the others of its group are. */
export interface Rejected {
  readonly key: string;
  readonly reason: string;
}

export interface Opened {
  readonly rows: number;
  readonly unclean: boolean;
  readonly fence: number;
}

/** A row that can't be read; it is left alone in the table. */
export interface BadRow {
  readonly id: number;
  readonly reason: string;
}

export interface Page {
  readonly rows: PackedRows;
  readonly bad: readonly BadRow[];
  /** Where the next page begins; null: this is the last one. */
  readonly next: number | null;
  /** Largest id when the first page was read: rows written during a load are not part of it. */
  readonly upTo: number;
}

export interface Operations {
  /** `resume`: the fence of a worker of this store that died; null for a first start. */
  open: { ask: { settings: TableSettings; resume: number | null }; answer: Opened };
  page: { ask: { after: number; upTo: number | null; limit: number }; answer: Page };
  write: { ask: Group; answer: readonly Rejected[] };
  close: { ask: null; answer: null };
}

export type Operation = keyof Operations;

export type Request = { [O in Operation]: { id: number; operation: O; ask: Operations[O]['ask'] } }[Operation];

export interface WireError {
  readonly code: PuaErrorCode | null;
  readonly message: string;
  /** Set when the lease is lost: its new holder. */
  readonly lostTo: string | null;
}

export type Report =
  | { readonly kind: 'done'; readonly id: number; readonly answer: unknown }
  | { readonly kind: 'failed'; readonly id: number; readonly error: WireError }
  | { readonly kind: 'lost'; readonly holder: string };
