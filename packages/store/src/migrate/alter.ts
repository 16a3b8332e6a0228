/** How a database changes the form of a table; one small file per database. */
import type { Column } from '../columns.js';
import type { TableForm } from '../form.js';
import type { Statements } from '../session.js';
import type { Definition } from './definition.js';
import type { Difference } from './difference.js';

export interface Change {
  readonly table: string;
  readonly found: TableForm;
  readonly wanted: Definition;
  readonly difference: Difference;
}

export interface Alter {
  readonly idType: { readonly ours: string; readonly kamailio: string };
  /** Type of a column in Kamailio's own table. */
  kamailioType(column: Column): string;
  /** Where names of indexes are unique in the whole database, Kamailio's scripts put the table's before. */
  indexName(table: string, name: string): string;
  /** What is equal in Kamailio's unique index; `column` is an SQL expression. */
  folded(on: Statements, table: string): Promise<(column: string) => string>;
  /** Bytes or characters that Kamailio's type `text` holds; null: no limit. */
  readonly kamailioText: number | null;
  /** Lengths in Kamailio's table are limits, not decoration. */
  readonly bounded: boolean;
  /**
   * Statements that make the change. Either they run in one transaction, or the one that matters is a single one: what is
   * interrupted has happened or not, and running all again completes it.
   */
  statements(on: Statements, change: Change): Promise<string[]>;
}
