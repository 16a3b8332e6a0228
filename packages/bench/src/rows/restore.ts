/** Restarting with all records of the last run; Kamailio does it beside us, from MariaDB, with 200 000 rows. */
import { join } from 'node:path';
import { makeFolder, removeFolder } from '../load/folder.js';
import { prepareRows, restoreKamailio, restoreOurs } from '../load/restoring.js';
import { type Row, scaled } from '../row.js';

const MANY = 200_000;
const MORE = 1_000_000;

const restoreOf = (name: string, n: number, from: string, prepare: NonNullable<Row['prepare']>): Row => ({
  name,
  what: `from the start of the process to all records enlisted, from ${from}, no row deleted`,
  unit: 'us/row',
  n,
  goal: { atMost: 1 },
  needs: ['mariadb', 'kamailio'],
  nodeOptions: ['--max-old-space-size=6144'],
  prepare,
  ours: (effort) => restoreOurs(scaled(n, effort)),
  against: { name: 'Kamailio', measure: restoreKamailio },
});

const fromSqlite = (name: string, n: number): Row =>
  restoreOf(name, n, 'SQLite', async (effort) => {
    const folder = await makeFolder();
    try {
      const { env, end } = await prepareRows(n, effort, `sqlite:${join(folder, 'pua.db')}`);
      return { env, end: () => end().finally(() => removeFolder(folder)) };
    } catch (error) {
      await removeFolder(folder);
      throw error;
    }
  });

const fromMariadb = (name: string, n: number): Row => restoreOf(name, n, 'MariaDB', (effort) => prepareRows(n, effort));

export const restoreSqlite = fromSqlite('restore-sqlite', MANY);
export const restoreMariadb = fromMariadb('restore-mariadb', MANY);
export const restoreSqlite1m: Row = { ...fromSqlite('restore-sqlite-1m', MORE), large: true };
export const restoreMariadb1m: Row = { ...fromMariadb('restore-mariadb-1m', MORE), large: true };
