import type { StorePort } from '@pua/core';
import { thisProcess } from './holder.js';
import { memoryStore } from './memory.js';
import { type StoreOptions, settle } from './options.js';
import { parseUrl, shownLocation } from './url.js';
import { WorkerBackend } from './worker-backend.js';
import { WrittenBehindStore } from './written-behind-store.js';

export type { Knex } from 'knex';
export { openDatabase } from './database.js';
export type { StoreEvent } from './diagnostics.js';
export { memoryStore } from './memory.js';
export { type MigrateOptions, type MigrationPlan, migrate } from './migrate/index.js';
export type { StoreOptions } from './options.js';
export type { BadRow } from './protocol.js';

/** No statement of ours takes so long. */
const ANSWER_MS = 30_000;

/**
 * Storage by its `db_url`: `sqlite:./pua.db`, `mysql://user:password@host:port/database`, `postgres://` likewise, or
 * `memory:` for none. Nothing is touched before `open()`.
 * @throws PuaError `PUA_ERR_OPTION`
 */
export function openStore(url: string, options: StoreOptions = {}): StorePort {
  const settings = settle(options);
  const location = parseUrl(url);
  if (location.kind === 'memory') return memoryStore();
  const { table, leaseMs, synchronous, nativeBinding } = settings;
  const backend = new WorkerBackend({
    dialect: location.kind,
    location: shownLocation(location),
    server: location.kind === 'sqlite' ? null : location.server,
    table,
    leaseMs,
    answerMs: ANSWER_MS,
    synchronous,
    nativeBinding,
    holder: thisProcess(settings.holder),
  });
  return new WrittenBehindStore(backend, settings);
}
