/** All rows, in the order of the table. A row is one file here, and one line below. */
import type { Row } from '../row.js';
import { answerer } from './answerer.js';
import { drachtio } from './drachtio.js';
import { idle } from './idle.js';
import { memory1m, memory100k } from './memory.js';
import { notify } from './notify.js';
import { publishMariadb } from './publish-mariadb.js';
import { publishMemory } from './publish-memory.js';
import { publishPostgres } from './publish-postgres.js';
import { publishSqlite } from './publish-sqlite.js';
import { refresh } from './refresh.js';
import { refreshGrowth } from './refresh-growth.js';
import { phones, registerCpu, registerCpuSqlite, registerMemory, registerSqlite } from './register.js';
import { restoreMariadb, restoreMariadb1m, restoreSqlite, restoreSqlite1m } from './restore.js';
import { sweep } from './sweep.js';
import { tick } from './tick.js';

export const ROWS: readonly Row[] = [
  answerer,
  publishMemory,
  publishSqlite,
  publishMariadb,
  publishPostgres,
  refresh,
  refreshGrowth,
  notify,
  drachtio,
  phones,
  registerMemory,
  registerSqlite,
  registerCpu,
  registerCpuSqlite,
  restoreSqlite,
  restoreMariadb,
  restoreSqlite1m,
  restoreMariadb1m,
  memory100k,
  memory1m,
  tick,
  sweep,
  idle,
];

const known = (): string => `there are: ${ROWS.map(({ name }) => name).join(', ')}`;

export function rowOf(name: string): Row {
  const row = ROWS.find((candidate) => candidate.name === name);
  if (row) return row;
  throw new Error(`no row ${name}; ${known()}`);
}

/**
 * The rows of these names, and those whose names go on behind them with `-`; without names all that are not large.
 * @throws Error that tells the names there are
 */
export function rowsOf(names: readonly string[]): readonly Row[] {
  if (names.length === 0) return ROWS.filter(({ large }) => !large);
  const is = (row: Row, name: string) => row.name === name || row.name.startsWith(`${name}-`);
  const unknown = names.find((name) => !ROWS.some((row) => is(row, name)));
  if (unknown !== undefined) throw new Error(`no row ${unknown}; ${known()}`);
  return ROWS.filter((row) => names.some((name) => is(row, name)));
}
