/** The two forms of the table `pua`: ours, and Kamailio's own (version 7, as its scripts make it). */
import { COLUMNS, KAMAILIO_COLUMNS, KEY } from '../columns.js';
import { type IndexForm, isNullable } from '../form.js';
import type { Dialect } from '../session.js';
import type { Alter } from './alter.js';

export interface ColumnDefinition {
  readonly name: string;
  readonly type: string;
  readonly nullable: boolean;
  readonly initial?: string | number | undefined;
}

export interface Definition {
  /** Behind the column `id`. */
  readonly columns: readonly ColumnDefinition[];
  readonly idType: string;
  readonly indexes: readonly IndexForm[];
}

export function ourDefinition(table: string, dialect: Dialect, alter: Alter): Definition {
  return {
    idType: alter.idType.ours,
    columns: COLUMNS.map((column) => ({
      name: column.name,
      type: dialect.type(column),
      nullable: isNullable(column),
      initial: column.initial,
    })),
    indexes: [{ name: `${table}_${KEY}`, unique: true, columns: [KEY] }],
  };
}

/** What is the same in etag, tuple, Call-ID and local tag has no room; a tuple id that is null is never the same. */
export const KAMAILIO_UNIQUE = ['etag', 'tuple_id', 'call_id', 'from_tag'];

export function kamailioDefinition(table: string, alter: Alter): Definition {
  const index = (name: string, columns: readonly string[], unique = false): IndexForm => ({
    name: alter.indexName(table, name),
    unique,
    columns,
  });
  return {
    idType: alter.idType.kamailio,
    columns: KAMAILIO_COLUMNS.map((column) => ({
      name: column.name,
      type: alter.kamailioType(column),
      nullable: isNullable(column),
    })),
    indexes: [
      index('pua_idx', KAMAILIO_UNIQUE, true),
      index('expires_idx', ['expires']),
      index('dialog1_idx', ['pres_id', 'pres_uri']),
      index('dialog2_idx', ['call_id', 'from_tag']),
      index('record_idx', ['pres_id']),
    ],
  };
}
