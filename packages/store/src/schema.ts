/** Creates the tables through knex, or checks the ones that are there. Nothing that exists is altered. */
import { PuaError } from '@pua/core';
import type { Knex } from 'knex';
import { COLUMN_NAMES, type Column, KAMAILIO_COLUMNS, KEY, OWN_COLUMNS } from './columns.js';
import type { Dialect, Statements } from './session.js';

/** Kamailio's number for the columns it knows, in its table `version`. */
export const KAMAILIO_VERSION = 7;
/** Ours, for our columns and the lease table; in the same table under the lease table's name. */
export const OWN_VERSION = 1;

export const leaseTable = (table: string): string => `${table}_lease`;

function addColumn(table: Knex.CreateTableBuilder, column: Column, dialect: Dialect): void {
  const made =
    column.type === 'int'
      ? table.integer(column.name)
      : column.type === 'text'
        ? table.text(column.name)
        : column.type === 'document'
          ? table.specificType(column.name, dialect.documentType)
          : table.string(column.name, column.size);
  if (column.type === 'string' && dialect.collation !== null) made.collate(dialect.collation);
  if (column.nullable === true || column.name === KEY) made.nullable();
  else made.notNullable();
  if (column.initial !== undefined) made.defaultTo(column.initial);
}

async function createTables(on: Statements, table: string, dialect: Dialect): Promise<void> {
  await on.create((schema) =>
    schema.createTable(table, (made) => {
      made.increments('id');
      for (const column of [...KAMAILIO_COLUMNS, ...OWN_COLUMNS]) addColumn(made, column, dialect);
      made.unique([KEY], { indexName: `${table}_${KEY}` });
    }),
  );
}

async function createLease(on: Statements, table: string): Promise<void> {
  await on.create((schema) =>
    schema.createTable(leaseTable(table), (made) => {
      // One row per part of the table that has an owner of its own; the whole table is the part ''.
      made.string('part', 64).notNullable().primary();
      made.string('holder', 255).notNullable();
      made.string('host', 255).notNullable();
      made.integer('pid').notNullable();
      made.string('started', 128).notNullable();
      made.bigInteger('fence').notNullable();
      made.bigInteger('until_ms').notNullable();
      made.integer('clean').notNullable();
    }),
  );
}

async function createVersion(on: Statements): Promise<void> {
  await on.create((schema) =>
    schema.createTable('version', (made) => {
      made.increments('id');
      made.string('table_name', 32).notNullable();
      made.integer('table_version').notNullable().defaultTo(0);
      made.unique(['table_name'], { indexName: 'version_table_name_idx' });
    }),
  );
}

/** Writes the version where none stands; a different one is refused with the remedy. */
async function checkVersion(
  on: Statements,
  name: string,
  expected: number,
  remedy: (found: number) => string,
): Promise<void> {
  const [row] = await on.all('select table_version from version where table_name = ?', [name]);
  if (row === undefined) {
    await on.run('insert into version (table_name, table_version) values (?, ?)', [name, expected]);
    return;
  }
  const found = Number(row.table_version);
  if (found !== expected) {
    throw new PuaError(
      'PUA_ERR_STORE_VERSION',
      `table "version" says ${found} for "${name}", expected ${expected}: ${remedy(found)}`,
    );
  }
}

function checkColumns(table: string, found: readonly string[]): void {
  const names = new Set(found.map((name) => name.toLowerCase()));
  const missing = ['id', ...COLUMN_NAMES].filter((name) => !names.has(name));
  if (missing.length === 0) return;
  const own = missing.every((name) => OWN_COLUMNS.some((column) => column.name === name));
  throw new PuaError(
    'PUA_ERR_STORE_VERSION',
    own
      ? `table "${table}" is Kamailio's own and lacks ${missing.join(', ')}: \`pua migrate\` adds them, or name another table with db_table`
      : `table "${table}" lacks the columns ${missing.join(', ')}: name another table with db_table`,
  );
}

/** @throws PuaError `PUA_ERR_STORE_VERSION` */
export async function ensureSchema(on: Statements, table: string, dialect: Dialect): Promise<void> {
  if ((await on.columns('version')) === null) await createVersion(on);
  const found = await on.columns(table);
  if (found === null) await createTables(on, table, dialect);
  await checkVersion(on, table, KAMAILIO_VERSION, (version) =>
    version === 9
      ? "this is OpenSIPS' table, whose columns and bit values differ; name another table with db_table"
      : "bring the table to version 7 with Kamailio's own tools, or name another one with db_table",
  );
  if (found !== null) checkColumns(table, found);
  const lease = leaseTable(table);
  if ((await on.columns(lease)) === null) await createLease(on, table);
  await checkVersion(on, lease, OWN_VERSION, (version) =>
    version > OWN_VERSION ? 'a newer version of this software made it; upgrade' : 'run `pua migrate`',
  );
}
