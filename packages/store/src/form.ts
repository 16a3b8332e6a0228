/** What a table looks like, as far as the store depends on it, and what is wrong with one that exists. */
import { COLUMN_NAMES, COLUMNS, type Column, KEY, OWN_COLUMNS } from './columns.js';
import type { Dialect } from './session.js';

export interface ColumnForm {
  readonly name: string;
  /** As Dialect.type() writes it; null: this database does not care. */
  readonly type: string | null;
  readonly nullable: boolean;
}

export interface IndexForm {
  readonly name: string;
  readonly unique: boolean;
  readonly columns: readonly string[];
}

export interface TableForm {
  /** In the table's order. */
  readonly columns: readonly ColumnForm[];
  /** Without the primary key. */
  readonly indexes: readonly IndexForm[];
  /** Changes can be taken back. */
  readonly transactional: boolean;
}

export const isKeyIndex = ({ unique, columns }: IndexForm): boolean => unique && columns.join() === KEY;

/** In the table the key may be missing: Kamailio writes rows without one. */
export const isNullable = ({ name, nullable }: Column): boolean => nullable === true || name === KEY;

export function missingColumns(found: TableForm): string[] {
  const names = new Set(found.columns.map(({ name }) => name.toLowerCase()));
  return ['id', ...COLUMN_NAMES].filter((name) => !names.has(name));
}

export const isOwnColumn = (name: string): boolean => OWN_COLUMNS.some((column) => column.name === name);

/** What keeps a table that has all columns from holding our rows; empty: nothing. */
export function formFaults(found: TableForm, dialect: Dialect): string[] {
  const faults: string[] = [];
  const forms = new Map(found.columns.map((form) => [form.name.toLowerCase(), form]));
  for (const column of COLUMNS) {
    const form = forms.get(column.name);
    if (form === undefined) continue;
    const wanted = dialect.type(column);
    if (form.type !== null && form.type !== wanted) faults.push(`column ${column.name} is ${form.type}, not ${wanted}`);
    if (!form.nullable && isNullable(column)) faults.push(`column ${column.name} takes no null`);
  }
  for (const index of found.indexes) {
    if (index.unique && !isKeyIndex(index)) faults.push(`the unique index ${index.name} has no room for all rows`);
  }
  if (!found.indexes.some(isKeyIndex)) faults.push(`column ${KEY} needs a unique index`);
  if (!found.transactional) faults.push('its engine knows no transactions');
  return faults;
}
