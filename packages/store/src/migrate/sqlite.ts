/** SQLite can't take a constraint from a table: its rows go to a new one, in one transaction. */
import { sqlite as dialect } from '../dialects/sqlite.js';
import type { IndexForm } from '../form.js';
import type { Alter } from './alter.js';
import type { ColumnDefinition } from './definition.js';

const { quote } = dialect;
const list = (columns: readonly string[]): string => `(${columns.map(quote).join(', ')})`;

function definition({ initial, name, nullable, type }: ColumnDefinition): string {
  const value = typeof initial === 'string' ? `'${initial}'` : initial;
  return `${quote(name)} ${type}${nullable ? '' : ' not null'}${value === undefined ? '' : ` default ${value}`}`;
}

const createIndex = (table: string, { columns, name, unique }: IndexForm): string =>
  `create ${unique ? 'unique ' : ''}index ${quote(name)} on ${quote(table)} ${list(columns)}`;

export const sqlite: Alter = {
  idType: { ours: 'integer', kamailio: 'integer' },
  kamailioType: (column) => dialect.type({ ...column, size: column.kamailioSize ?? column.size ?? 0 }),
  indexName: (table, name) => `${table}_${name}`,
  kamailioText: null,
  bounded: false,
  folded: async () => (column) => column,

  async statements(_on, { difference, found, table, wanted }) {
    const { addColumns, dropIndexes } = difference;
    const next = `${table}_migrating`;
    const columns = ['id integer primary key autoincrement not null', ...wanted.columns.map(definition)];
    const added = new Set(addColumns.map(({ name }) => name));
    const kept = list(['id', ...wanted.columns.map(({ name }) => name).filter((name) => !added.has(name))]);
    const others = found.indexes.filter(
      (index) => !dropIndexes.includes(index) && !wanted.indexes.some(({ name }) => name === index.name),
    );
    return [
      `create table ${quote(next)} (${columns.join(', ')})`,
      `insert into ${quote(next)} ${kept} select ${kept.slice(1, -1)} from ${quote(table)} order by id`,
      `drop table ${quote(table)}`,
      `alter table ${quote(next)} rename to ${quote(table)}`,
      ...[...wanted.indexes, ...others].map((index) => createIndex(table, index)),
    ];
  },
};
