/** Options of openStore(): names, units, defaults, and what is wrong with a value. */
import { type Clock, PuaError } from '@pua/core';
import type { BadRow } from './protocol.js';
import { systemClock } from './system-clock.js';

export interface StoreOptions {
  /** Parameter `db_table`: letters, digits, `_`, at most 26. Default `pua`. */
  readonly table?: string;
  /** Milliseconds from the first change until its write starts, at most. Default 50. */
  readonly writeDelayMs?: number;
  /** A write starts at once when so many records wait. Default 500. */
  readonly writeAt?: number;
  /** Records in one write at most; packing 1000 holds up the calling thread for about 3 ms. Default 1000. */
  readonly groupMax?: number;
  /** Pause after a failed write, doubled with each failure up to the second value, in milliseconds. Default [100, 5000]. */
  readonly retryMs?: readonly [first: number, most: number];
  /** A `backlog` event is published when more records than this wait. Default 100 000. */
  readonly maxPending?: number;
  /** Milliseconds after which the lease of a process that has stopped responding may be taken. Default 10 000. */
  readonly leaseMs?: number;
  /** Name of this process, as others see it in PUA_ERR_STORE_HELD. Default `<host>/<pid>`. */
  readonly holder?: string;
  /** Milliseconds that close() gives the last writes when the database fails. Default 10 000. */
  readonly closeMs?: number;
  /**
   * SQLite: `full` waits for the disk in each group, so that what is durable survives a loss of power; with `normal`
   * the last groups may be missing after one (never after a kill of the process). Default `full`.
   */
  readonly synchronous?: 'full' | 'normal';
  /** SQLite: path of the native part of better-sqlite3, for programs bundled into one file. */
  readonly nativeBinding?: string;
  readonly onBadRow?: (row: BadRow) => void;
  /** For tests. Default: the time of the system. */
  readonly clock?: Clock;
}

export interface Settings extends Required<Omit<StoreOptions, 'holder' | 'nativeBinding' | 'onBadRow'>> {
  readonly holder: string | null;
  readonly nativeBinding: string | null;
  readonly onBadRow: (row: BadRow) => void;
}

function whole(name: string, value: number, least: number): number {
  if (Number.isSafeInteger(value) && value >= least) return value;
  throw new PuaError('PUA_ERR_OPTION', `${name} must be a whole number of at least ${least}, not ${String(value)}`);
}

/** @throws PuaError `PUA_ERR_OPTION` */
export function settle(options: StoreOptions): Settings {
  const table = options.table ?? 'pua';
  if (!/^[A-Za-z_][A-Za-z0-9_]{0,25}$/.test(table)) {
    throw new PuaError(
      'PUA_ERR_OPTION',
      `table (db_table) must be 1 to 26 letters, digits or "_", not beginning with a digit, not ${JSON.stringify(table)}`,
    );
  }
  const synchronous = options.synchronous ?? 'full';
  if (synchronous !== 'full' && synchronous !== 'normal') {
    throw new PuaError('PUA_ERR_OPTION', `synchronous must be "full" or "normal", not ${JSON.stringify(synchronous)}`);
  }
  const [first, most] = options.retryMs ?? [100, 5000];
  return {
    table,
    synchronous,
    writeDelayMs: whole('writeDelayMs', options.writeDelayMs ?? 50, 0),
    writeAt: whole('writeAt', options.writeAt ?? 500, 1),
    groupMax: whole('groupMax', options.groupMax ?? 1000, 1),
    retryMs: [whole('retryMs[0]', first, 1), whole('retryMs[1]', most, 1)],
    maxPending: whole('maxPending', options.maxPending ?? 100_000, 1),
    leaseMs: whole('leaseMs', options.leaseMs ?? 10_000, 100),
    closeMs: whole('closeMs', options.closeMs ?? 10_000, 0),
    holder: options.holder ?? null,
    nativeBinding: options.nativeBinding ?? null,
    onBadRow: options.onBadRow ?? (() => {}),
    clock: options.clock ?? systemClock,
  };
}
