/** Checks the tables that are there, has those made that are not. Nothing that exists is altered. */
import { PuaError } from '@pua/core';
import { formFaults, isOwnColumn, missingColumns, type TableForm } from './form.js';
import type { Dialect, Statements } from './session.js';
import { createLease, createTable, createVersion, leaseTable } from './tables.js';

/** Kamailio's number for the columns it knows, in its table `version`. */
export const KAMAILIO_VERSION = 7;
export const OPENSIPS_VERSION = 9;
/** Ours, for our columns and the lease table; in the same table under the lease table's name. */
export const OWN_VERSION = 1;

/** null: none stands there, or there is no such table. */
export async function readVersion(on: Statements, name: string): Promise<number | null> {
  return (await on.describe('version')) === null ? null : versionOf(on, name);
}

async function versionOf(on: Statements, name: string): Promise<number | null> {
  const [row] = await on.all('select table_version from version where table_name = ?', [name]);
  return row === undefined ? null : Number(row.table_version);
}

export async function putVersion(on: Statements, name: string, version: number): Promise<void> {
  if ((await on.run('update version set table_version = ? where table_name = ?', [version, name])) > 0) return;
  await on.run('insert into version (table_name, table_version) values (?, ?)', [name, version]);
}

function refusal(name: string, found: number, expected: number, remedy: string): PuaError {
  return new PuaError(
    'PUA_ERR_STORE_VERSION',
    `table "version" says ${found} for "${name}", expected ${expected}: ${remedy}`,
  );
}

/** @throws PuaError `PUA_ERR_STORE_VERSION` when it is neither Kamailio's table nor ours */
export function checkTableVersion(table: string, found: number | null): void {
  if (found === null || found === KAMAILIO_VERSION) return;
  const remedy =
    found === OPENSIPS_VERSION
      ? "this is OpenSIPS' table, whose columns and bit values differ; name another table with db_table"
      : "bring the table to version 7 with Kamailio's own tools, or name another one with db_table";
  throw refusal(table, found, KAMAILIO_VERSION, remedy);
}

/** @throws PuaError `PUA_ERR_STORE_VERSION` when newer software than this has made it */
export function checkNewer(lease: string, found: number | null): void {
  if (found === null || found <= OWN_VERSION) return;
  throw refusal(lease, found, OWN_VERSION, 'a newer version of this software made it; upgrade');
}

/** @throws PuaError `PUA_ERR_STORE_VERSION` */
export function checkKamailioColumns(table: string, found: TableForm): void {
  const missing = missingColumns(found).filter((name) => !isOwnColumn(name));
  if (missing.length === 0) return;
  throw new PuaError(
    'PUA_ERR_STORE_VERSION',
    `table "${table}" lacks the columns ${missing.join(', ')}: name another table with db_table`,
  );
}

function checkForm(table: string, found: TableForm, dialect: Dialect): void {
  checkKamailioColumns(table, found);
  const missing = missingColumns(found);
  const faults = formFaults(found, dialect);
  if (missing.length === 0 && faults.length === 0) return;
  throw new PuaError(
    'PUA_ERR_STORE_VERSION',
    missing.length > 0
      ? `table "${table}" is Kamailio's own and lacks ${missing.join(', ')}: \`pua migrate\` adds them, or name another table with db_table`
      : `table "${table}" can't hold our rows: ${faults.join('; ')}: \`pua migrate\` cures that, or name another table with db_table`,
  );
}

/** @throws PuaError `PUA_ERR_STORE_VERSION` */
export async function ensureSchema(on: Statements, table: string, dialect: Dialect): Promise<void> {
  if ((await on.describe('version')) === null) await createVersion(on, dialect);
  const found = await on.describe(table);
  if (found === null) await createTable(on, table, dialect);
  const version = await versionOf(on, table);
  checkTableVersion(table, version);
  if (version === null) await putVersion(on, table, KAMAILIO_VERSION);
  if (found !== null) checkForm(table, found, dialect);
  const lease = leaseTable(table);
  if ((await on.describe(lease)) === null) await createLease(on, table, dialect);
  const own = await versionOf(on, lease);
  checkNewer(lease, own);
  if (own === null) await putVersion(on, lease, OWN_VERSION);
  else if (own < OWN_VERSION) throw refusal(lease, own, OWN_VERSION, 'run `pua migrate`');
}
