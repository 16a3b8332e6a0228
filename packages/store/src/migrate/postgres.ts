/** Changes of form are part of the transaction. */
import { postgres as dialect } from '../dialects/postgres.js';
import type { IndexForm } from '../form.js';
import type { Alter } from './alter.js';
import type { ColumnDefinition } from './definition.js';

const { quote } = dialect;
const list = (columns: readonly string[]): string => `(${columns.map(quote).join(', ')})`;

function definition({ initial, name, nullable, type }: ColumnDefinition): string {
  const value = typeof initial === 'string' ? `'${initial}'` : initial;
  return `${quote(name)} ${type}${nullable ? '' : ' not null'}${value === undefined ? '' : ` default ${value}`}`;
}

/** Numbers beyond the narrower type have to go: in the order of the old ones, from 1. */
async function changeId(
  all: (sql: string) => Promise<Record<string, unknown>[]>,
  table: string,
  type: string,
): Promise<string[]> {
  const name = quote(table);
  const [found] = await all(
    `select pg_get_serial_sequence('${name}', 'id') as sequence,
      (select conname from pg_constraint where conrelid = '${name}'::regclass and contype = 'p') as key`,
  );
  const sequence = found?.sequence;
  return [
    `alter table ${name} drop constraint ${quote(String(found?.key))}`,
    `update ${name} set id = n.number
      from (select id, row_number() over (order by id) as number from ${name}) n where ${name}.id = n.id`,
    `alter table ${name} alter column id type ${type}, add constraint ${quote(`${table}_pkey`)} primary key (id)`,
    // A column that somebody made without one counts in another way.
    ...(typeof sequence === 'string'
      ? [
          `select setval('${sequence}', (select coalesce(max(id), 0) + 1 from ${name}), false)`,
          `alter sequence ${sequence} as ${type}`,
        ]
      : []),
  ];
}

/** Kamailio's scripts make the unique one as a constraint. */
const addIndex = (table: string, { columns, name, unique }: IndexForm): string =>
  unique
    ? `alter table ${quote(table)} add constraint ${quote(name)} unique ${list(columns)}`
    : `create index ${quote(name)} on ${quote(table)} ${list(columns)}`;

export const postgres: Alter = {
  idType: { ours: 'bigint', kamailio: 'integer' },
  kamailioType: (column) => dialect.type({ ...column, size: column.kamailioSize ?? column.size ?? 0 }),
  indexName: (table, name) => `${table}_${name}`,
  kamailioText: null,
  bounded: true,
  folded: async () => (column) => column,

  async statements(on, { difference, table }) {
    const { addColumns, addIndexes, changeColumns, dropColumns, dropIndexes, idType } = difference;
    const clauses = [
      ...dropColumns.map((name) => `drop column ${quote(name)}`),
      ...changeColumns.flatMap(({ name, nullable, type }) => [
        `alter column ${quote(name)} type ${type}`,
        `alter column ${quote(name)} ${nullable ? 'drop' : 'set'} not null`,
      ]),
      ...addColumns.map((column) => `add column ${definition(column)}`),
    ];
    return [
      ...dropIndexes.flatMap(({ name }) => [
        `alter table ${quote(table)} drop constraint if exists ${quote(name)}`,
        `drop index if exists ${quote(name)}`,
      ]),
      ...(clauses.length > 0 ? [`alter table ${quote(table)} ${clauses.join(', ')}`] : []),
      ...(idType === null ? [] : await changeId((sql) => on.all(sql), table, idType)),
      ...addIndexes.map((index) => addIndex(table, index)),
    ];
  },
};
