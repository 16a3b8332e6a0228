/** A database for tables other than ours, such as Kamailio's `subscriber` and `location`. */

import { PuaError } from '@pua/core';
import type { Knex } from 'knex';
import { parseUrl } from './url.js';

/** Who asks is told what failed; knex would print it on top. */
const log = { debug() {}, warn() {}, error() {}, deprecate() {} };
/** More are not needed by who reads in pages and writes in groups. */
const CONNECTIONS = 4;

/**
 * Knex on the database that `url` names, in the forms of `db_url`. It connects with its first statement; the caller ends it
 * with `destroy()`. Times of MySQL come as the text that stands there.
 * @throws PuaError `PUA_ERR_OPTION`, which shows no password; also for memory:
 */
export function openDatabase(url: string): Knex {
  const location = parseUrl(url);
  if (location.kind === 'memory') throw new PuaError('PUA_ERR_OPTION', 'db_url memory: has no tables');
  const { knex } = require('knex') as typeof import('knex');
  const pool = { min: 0, max: location.kind === 'sqlite' ? 1 : CONNECTIONS };
  if (location.kind === 'sqlite') {
    return knex({
      client: 'better-sqlite3',
      connection: { filename: location.file },
      useNullAsDefault: true,
      pool,
      log,
    });
  }
  const { host, port, user, password, database } = location.server;
  const connection = { host, port, user, password, database };
  if (location.kind === 'postgres') return knex({ client: 'pg', connection, pool, log });
  return knex({ client: 'mysql2', connection: { ...connection, charset: 'utf8mb4', dateStrings: true }, pool, log });
}
