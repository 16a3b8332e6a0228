/** One `alter table` makes the whole change: it has happened or not, also when the server dies in between. */
import { mysql as dialect } from '../dialects/mysql.js';
import type { IndexForm } from '../form.js';
import type { Alter } from './alter.js';
import type { ColumnDefinition } from './definition.js';

const { quote } = dialect;
const list = (columns: readonly string[]): string => `(${columns.map(quote).join(', ')})`;

function definition({ initial, name, nullable, type }: ColumnDefinition): string {
  const value = typeof initial === 'string' ? `'${initial}'` : initial;
  return `${quote(name)} ${type} ${nullable ? 'null' : 'not null'}${value === undefined ? '' : ` default ${value}`}`;
}

const addIndex = ({ columns, name, unique }: IndexForm): string =>
  `add ${unique ? 'unique ' : ''}index ${quote(name)} ${list(columns)}`;

export const mysql: Alter = {
  idType: { ours: 'bigint unsigned', kamailio: 'int unsigned' },
  kamailioType: ({ kamailioSize, size, type }) =>
    type === 'string' ? `varchar(${kamailioSize ?? size})` : type === 'int' ? 'int' : 'text',
  indexName: (_table, name) => name,
  kamailioText: 65_535,
  bounded: true,

  /** By the collation of the table, which its text columns will have: mostly latin1, without regard to case. */
  async folded(on, table) {
    const [found] = await on.all(
      `select c.character_set_name as charset, c.collation_name as collation
        from information_schema.tables t
        join information_schema.collation_character_set_applicability c on c.collation_name = t.table_collation
        where t.table_schema = database() and t.table_name = ?`,
      [table],
    );
    return (column) => `convert(${column} using ${found?.charset}) collate ${found?.collation}`;
  },

  async statements(_on, { difference, table }) {
    const { addColumns, addIndexes, changeColumns, dropColumns, dropIndexes, engine, idType } = difference;
    const clauses = [
      ...dropIndexes.map(({ name }) => `drop index ${quote(name)}`),
      ...dropColumns.map((name) => `drop column ${quote(name)}`),
      ...changeColumns.map((column) => `modify column ${definition(column)}`),
      // Numbers beyond the narrower type have to go: in the order of the old ones, from 1.
      ...(idType === null
        ? []
        : ['drop primary key', 'drop column id', `add column id ${idType} not null auto_increment primary key first`]),
      ...addColumns.map((column) => `add column ${definition(column)}`),
      ...addIndexes.map(addIndex),
      ...(engine ? [`engine = ${dialect.engine}`] : []),
    ];
    return clauses.length === 0 ? [] : [`alter table ${quote(table)} ${clauses.join(', ')}`];
  },
};
