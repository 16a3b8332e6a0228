/** Makes the tables, through knex. */
import type { Knex } from 'knex';
import { COLUMNS, type Column, KEY } from './columns.js';
import { isNullable } from './form.js';
import type { Dialect, Statements } from './session.js';

export const leaseTable = (table: string): string => `${table}_lease`;

/** What is always the same about a table of ours. */
function made(name: string, dialect: Dialect, build: (table: Knex.CreateTableBuilder) => void) {
  return (schema: Knex.SchemaBuilder): Knex.SchemaBuilder =>
    schema.createTable(name, (table) => {
      if (dialect.engine !== null) table.engine(dialect.engine);
      build(table);
    });
}

function addColumn(table: Knex.CreateTableBuilder, column: Column, dialect: Dialect): void {
  const added = table.specificType(column.name, dialect.type(column));
  if (isNullable(column)) added.nullable();
  else added.notNullable();
  if (column.initial !== undefined) added.defaultTo(column.initial);
}

export async function createTable(on: Statements, table: string, dialect: Dialect): Promise<void> {
  await on.create(
    made(table, dialect, (made) => {
      // Of 64 bits: MySQL and PostgreSQL use up a number each time they find that a row is there already.
      made.bigIncrements('id');
      for (const column of COLUMNS) addColumn(made, column, dialect);
      made.unique([KEY], { indexName: `${table}_${KEY}` });
    }),
  );
}

const LEASE_COLUMNS = [
  // One row per part of the table that has an owner of its own; the whole table is the part ''.
  { name: 'part', type: 'string', size: 64 },
  { name: 'holder', type: 'string', size: 255 },
  { name: 'host', type: 'string', size: 255 },
  { name: 'pid', type: 'int' },
  { name: 'started', type: 'string', size: 128 },
] as const;

export async function createLease(on: Statements, table: string, dialect: Dialect): Promise<void> {
  await on.create(
    made(leaseTable(table), dialect, (made) => {
      for (const column of LEASE_COLUMNS) made.specificType(column.name, dialect.type(column)).notNullable();
      made.bigInteger('fence').notNullable();
      made.bigInteger('until_ms').notNullable();
      made.integer('clean').notNullable();
      made.primary(['part']);
    }),
  );
}

export async function createVersion(on: Statements, dialect: Dialect): Promise<void> {
  await on.create(
    made('version', dialect, (made) => {
      made.increments('id');
      made.string('table_name', 32).notNullable();
      made.integer('table_version').notNullable().defaultTo(0);
      made.unique(['table_name'], { indexName: 'version_table_name_idx' });
    }),
  );
}
