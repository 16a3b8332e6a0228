/**
 * From the start of a process to the moment at which it has all records of a database: of ours, whose rows stay, and of
 * Kamailio with its module pua, which deletes the rows that it has read. Both include starting up.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { openStore } from '@pua/store';
import { launchKamailio, launchMariadb } from '@pua/testkit';
import type { Restored } from '../peer/restorer.js';
import { type Effort, type Prepared, type Sample, scaled } from '../row.js';
import { fill } from './kept.js';
import { prepareMariadb } from './servers.js';

/** Milliseconds that Kamailio has for the end of its DELETE. */
const DELETE_MS = 20_000;

/** What Kamailio restores in each row, whatever we do. */
const PEER_ROWS = 200_000;
/** Where our rows are, and in which database of MariaDB those that Kamailio gets a copy of. */
const OURS = 'PUA_BENCH_STORE';
const PEERS = 'PUA_BENCH_PEER_ROWS';
/** Columns of version 7 of the table, but for its `id`. */
const COLUMNS = `pres_uri, pres_id, event, expires, desired_expires, flag, etag, tuple_id, watcher_uri, call_id, to_tag,
  from_tag, cseq, record_route, contact, remote_contact, version, extra_headers`;

const usPerRow = (ms: number, rows: number): number => (ms / rows) * 1000;

async function rowsIn(url: string): Promise<number> {
  const store = openStore(url);
  const { rows } = await store.open();
  await store.close();
  return rows;
}

export async function restoreOurs(count: number): Promise<Sample> {
  const url = process.env[OURS]!;
  const began = performance.now();
  const child = fork(join(__dirname, '../peer/restorer.js'), [url]);
  const ended = once(child, 'exit');
  const failed = ended.then(() => Promise.reject(new Error('the process that restores has ended')));
  const [message] = await Promise.race([once(child, 'message'), failed]);
  const ms = performance.now() - began;
  failed.catch(() => undefined);
  const { records, scheduled, cpuMs, rssBytes } = message as Restored;
  child.send('stop');
  await ended;
  const left = await rowsIn(url);
  if (records !== count || scheduled !== count || left !== count) {
    throw new Error(`of ${count} rows ${records} became records, ${scheduled} are scheduled, ${left} are left`);
  }
  return { value: usPerRow(ms, count), details: { ms, 'cpu ms': cpuMs, 'rss MB': rssBytes / 2 ** 20, rowsLeft: left } };
}

/** In memory mode, as we are, with room enough. */
export async function restoreKamailio(effort: Effort): Promise<Sample> {
  const count = scaled(PEER_ROWS, effort);
  const mariadb = await launchMariadb();
  const kamailio = await launchKamailio({
    mariadb,
    modules: ['pua'],
    modparams: (url) => [
      ['pua', 'db_url', url],
      ['pua', 'db_mode', 0],
      ['pua', 'hash_size', 14],
      ['pua', 'update_period', 100],
      ['pua', 'outbound_proxy', 'sip:127.0.0.1:9'],
    ],
    sharedMemory: 1024,
    startMs: 60_000,
  });
  const tables = await kamailio.database.connect();
  const inTable = async (): Promise<number> => {
    const [rows] = await tables.query('SELECT COUNT(*) AS n FROM pua');
    return (rows as { n: number }[])[0]!.n;
  };
  await tables.query(`INSERT INTO pua (${COLUMNS}) SELECT ${COLUMNS} FROM ${process.env[PEERS]}.pua LIMIT ${count}`);
  const before = await inTable();
  // Without notice: at a proper end it would write what it has into the table.
  await kamailio.interrupt('kill');
  const began = performance.now();
  await kamailio.resume();
  const ms = performance.now() - began;
  // It may answer before its DELETE is through.
  const patience = performance.now() + DELETE_MS;
  let left = await inTable();
  while (left > 0 && performance.now() < patience) left = await inTable();
  await kamailio.interrupt('kill');
  await tables.end();
  await kamailio.stop();
  await mariadb.stop();
  if (before !== count || left !== 0) throw new Error(`Kamailio had ${before} rows of ${count}, and left ${left}`);
  return { value: usPerRow(ms, count), details: { rows: count, ms, rowsLeft: left } };
}

/** A database of MariaDB with rows enough for both; ours in it as well unless `oursElsewhere` gives another place. */
export async function prepareRows(count: number, effort: Effort, oursElsewhere?: string): Promise<Prepared> {
  const { mariadb, env, end } = await prepareMariadb();
  try {
    const { name, url } = await mariadb.createDatabase();
    const ours = oursElsewhere ?? url;
    await fill(ours, scaled(count, effort));
    if (ours !== url) await fill(url, scaled(PEER_ROWS, effort));
    return { env: { ...env, [OURS]: ours, [PEERS]: name }, end };
  } catch (error) {
    await end();
    throw error;
  }
}
