/** The columns of the table `pua` as data: Kamailio's table version 7 first, by its names, types and order, then ours. */
import type { PuaRow } from '@pua/core';

/** A value as it crosses to the worker and to the database. */
export type Value = string | number | null | Uint8Array;

export interface Column {
  readonly name: keyof PuaRow;
  /** `int` has 32 bits, `string` is bounded by `size`, `text` is not; `document` holds text or bytes. */
  readonly type: 'string' | 'text' | 'int' | 'document';
  /** Bytes of UTF-8 at most. */
  readonly size?: number;
  /** What Kamailio's own table holds, in its characters, where ours holds more. */
  readonly kamailioSize?: number;
  readonly nullable?: true;
  /** Our columns need one where they are not nullable: Kamailio inserts rows without them. */
  readonly initial?: string | number;
}

const KAMAILIO = [
  { name: 'pres_uri', type: 'string', size: 1024, kamailioSize: 255 },
  { name: 'pres_id', type: 'string', size: 1024, kamailioSize: 255 },
  { name: 'event', type: 'int' },
  { name: 'expires', type: 'int' },
  { name: 'desired_expires', type: 'int' },
  { name: 'flag', type: 'int' },
  { name: 'etag', type: 'string', size: 512, kamailioSize: 128 },
  { name: 'tuple_id', type: 'string', size: 64, nullable: true },
  { name: 'watcher_uri', type: 'string', size: 1024, kamailioSize: 255 },
  { name: 'call_id', type: 'string', size: 1024, kamailioSize: 255 },
  { name: 'to_tag', type: 'string', size: 512, kamailioSize: 128 },
  { name: 'from_tag', type: 'string', size: 512, kamailioSize: 128 },
  { name: 'cseq', type: 'int' },
  { name: 'record_route', type: 'text', nullable: true },
  { name: 'contact', type: 'string', size: 1024, kamailioSize: 255 },
  { name: 'remote_contact', type: 'string', size: 1024, kamailioSize: 255 },
  { name: 'version', type: 'int' },
  { name: 'extra_headers', type: 'text' },
] as const satisfies readonly Column[];

const OWN = [
  // Nullable in the table only: rows that Kamailio writes have none. PostgreSQL indexes 2700 bytes, InnoDB 3072: room for
  // two URIs and an id of the longest kind.
  { name: 'record_key', type: 'string', size: 2600 },
  { name: 'event_name', type: 'string', size: 128, initial: '' },
  { name: 'document', type: 'document', nullable: true },
  { name: 'content_type', type: 'string', size: 255, nullable: true },
  { name: 'outbound_proxy', type: 'string', size: 1024, nullable: true },
  { name: 'remote_cseq', type: 'int', initial: 0 },
  { name: 'subscription_state', type: 'string', size: 32, initial: '' },
  { name: 'min_expires', type: 'int', initial: 0 },
  { name: 'asked_expires', type: 'int', initial: -1 },
  { name: 'pending', type: 'int', initial: 0 },
  { name: 'not_before', type: 'int', initial: 0 },
  { name: 'more', type: 'text', nullable: true },
] as const satisfies readonly Column[];

/** Fails to compile when a property of PuaRow has no column. */
type Complete = Exclude<keyof PuaRow, (typeof KAMAILIO | typeof OWN)[number]['name']> extends never ? true : never;
const complete: Complete = true;

export const KAMAILIO_COLUMNS: readonly Column[] = KAMAILIO;
export const OWN_COLUMNS: readonly Column[] = OWN;
export const COLUMNS: readonly Column[] = complete && [...KAMAILIO, ...OWN];
export const COLUMN_NAMES: readonly string[] = COLUMNS.map((column) => column.name);
/** The unique one; upserts and deletes go by it. */
export const KEY = 'record_key';
export const KEY_INDEX = COLUMN_NAMES.indexOf(KEY);
