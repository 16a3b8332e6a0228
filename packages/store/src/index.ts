import type { StorePort } from '@pua/core';
import { thisProcess } from './holder.js';
import { memoryStore } from './memory.js';
import { type StoreOptions, settle } from './options.js';
import { parseUrl } from './url.js';
import { WorkerBackend } from './worker-backend.js';
import { WrittenBehindStore } from './written-behind-store.js';

export type { StoreEvent } from './diagnostics.js';
export { memoryStore } from './memory.js';
export type { StoreOptions } from './options.js';
export type { BadRow } from './protocol.js';

/**
 * Storage by its `db_url`: `sqlite:./pua.db`, or `memory:` for none. Nothing is touched before `open()`.
 * @throws PuaError `PUA_ERR_OPTION`
 */
export function openStore(url: string, options: StoreOptions = {}): StorePort {
  const settings = settle(options);
  const location = parseUrl(url);
  if (location.kind === 'memory') return memoryStore();
  const { table, leaseMs, synchronous, nativeBinding } = settings;
  const backend = new WorkerBackend({
    dialect: location.kind,
    location: location.file,
    table,
    leaseMs,
    synchronous,
    nativeBinding,
    holder: thisProcess(settings.holder),
  });
  return new WrittenBehindStore(backend, settings);
}
