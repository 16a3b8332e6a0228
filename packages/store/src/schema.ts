/** Creates the tables through knex, or checks the ones that are there. Nothing that exists is altered. */
import { PuaError } from '@pua/core';
import type { Knex } from 'knex';
import { COLUMNS, type Column, KEY } from './columns.js';
import { formFaults, isNullable, isOwnColumn, missingColumns, type TableForm } from './form.js';
import type { Dialect, Statements } from './session.js';

/** Kamailio's number for the columns it knows, in its table `version`. */
export const KAMAILIO_VERSION = 7;
export const OPENSIPS_VERSION = 9;
/** Ours, for our columns and the lease table; in the same table under the lease table's name. */
export const OWN_VERSION = 1;

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

async function createLease(on: Statements, table: string, dialect: Dialect): Promise<void> {
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

async function createVersion(on: Statements, dialect: Dialect): Promise<void> {
  await on.create(
    made('version', dialect, (made) => {
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

function checkForm(table: string, found: TableForm, dialect: Dialect): void {
  const missing = missingColumns(found);
  if (!missing.every(isOwnColumn)) {
    throw new PuaError(
      'PUA_ERR_STORE_VERSION',
      `table "${table}" lacks the columns ${missing.join(', ')}: name another table with db_table`,
    );
  }
  if (missing.length > 0) {
    throw new PuaError(
      'PUA_ERR_STORE_VERSION',
      `table "${table}" is Kamailio's own and lacks ${missing.join(', ')}: \`pua migrate\` adds them, or name another table with db_table`,
    );
  }
  const faults = formFaults(found, dialect);
  if (faults.length > 0) {
    throw new PuaError(
      'PUA_ERR_STORE_VERSION',
      `table "${table}" can't hold our rows: ${faults.join('; ')}: \`pua migrate\` cures that, or name another table with db_table`,
    );
  }
}

/** @throws PuaError `PUA_ERR_STORE_VERSION` */
export async function ensureSchema(on: Statements, table: string, dialect: Dialect): Promise<void> {
  if ((await on.describe('version')) === null) await createVersion(on, dialect);
  const found = await on.describe(table);
  if (found === null) await createTable(on, table, dialect);
  await checkVersion(on, table, KAMAILIO_VERSION, (version) =>
    version === OPENSIPS_VERSION
      ? "this is OpenSIPS' table, whose columns and bit values differ; name another table with db_table"
      : "bring the table to version 7 with Kamailio's own tools, or name another one with db_table",
  );
  if (found !== null) checkForm(table, found, dialect);
  const lease = leaseTable(table);
  if ((await on.describe(lease)) === null) await createLease(on, table, dialect);
  await checkVersion(on, lease, OWN_VERSION, (version) =>
    version > OWN_VERSION ? 'a newer version of this software made it; upgrade' : 'run `pua migrate`',
  );
}
