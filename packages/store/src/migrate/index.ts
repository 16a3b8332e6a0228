/** `pua migrate`: from Kamailio's own table to ours, in place or by a copy, and back. */
import { PuaError } from '@pua/core';
import { DIALECTS } from '../dialects/index.js';
import { thisProcess } from '../holder.js';
import { settle } from '../options.js';
import type { DialectName, DialectSettings, Session } from '../session.js';
import { unusable } from '../unusable.js';
import { parseUrl, shownLocation } from '../url.js';
import type { Alter } from './alter.js';
import { copyPlan } from './copy.js';
import { downPlan } from './down.js';
import { mysql } from './mysql.js';
import type { Subject } from './plan.js';
import { postgres } from './postgres.js';
import { sqlite } from './sqlite.js';
import { upPlan } from './up.js';

const ALTERS: Readonly<Record<DialectName, Alter>> = { sqlite, mysql, postgres };

/** The whole table may be copied for it: no answer comes too late. */
const ANSWER_MS = 24 * 3_600_000;

export interface MigrateOptions {
  /** Parameter `db_table`. Default `pua`. */
  readonly table?: string;
  /** Back to the form that Kamailio's own scripts make. */
  readonly down?: boolean;
  /** Leaves Kamailio's table of this name as it is and copies its rows to `table`: needs no right to alter it. */
  readonly from?: string;
  /** SQLite: path of the native part of better-sqlite3, for programs bundled into one file. */
  readonly nativeBinding?: string;
}

/** What is going to happen; both lists empty: nothing is to be done. */
export interface MigrationPlan {
  /** The database and the table. */
  readonly where: string;
  readonly rows: number;
  readonly steps: readonly string[];
  /** Rows that have no room in Kamailio's table, and why; they are deleted. */
  readonly lost: readonly { readonly key: string; readonly reason: string }[];
}

/**
 * Finds out what is to be done, and does it when `decide` says so. What is interrupted is completed by running it again.
 * @param url as of openStore()
 * @throws PuaError `PUA_ERR_OPTION`, `PUA_ERR_STORE_HELD` while a process has the table, `PUA_ERR_STORE_VERSION` for a table
 *   that is neither Kamailio's nor ours, `PUA_ERR_STORE_OPEN`
 */
export async function migrate(
  url: string,
  options: MigrateOptions,
  decide: (plan: MigrationPlan) => boolean | Promise<boolean>,
): Promise<MigrationPlan> {
  const location = parseUrl(url);
  if (location.kind === 'memory') throw new PuaError('PUA_ERR_OPTION', 'db_url memory: has no table to migrate');
  const { nativeBinding, synchronous, table } = settle(options);
  const from = options.from === undefined ? null : settle({ table: options.from }).table;
  if (from !== null && (options.down === true || from === table)) {
    throw new PuaError('PUA_ERR_OPTION', 'from: copies to another table than itself, and not with down');
  }
  const dialect = DIALECTS[location.kind];
  const settings: DialectSettings = {
    dialect: location.kind,
    location: shownLocation(location),
    server: location.kind === 'sqlite' ? null : location.server,
    table,
    answerMs: ANSWER_MS,
    synchronous,
    nativeBinding,
  };
  let session: Session | null = null;
  try {
    session = await dialect.open(settings);
    const subject: Subject = {
      session,
      dialect,
      alter: ALTERS[location.kind],
      table,
      holder: thisProcess('pua migrate'),
      reopen: () => dialect.open(settings),
    };
    const plan = await (from !== null ? copyPlan(subject, from) : options.down ? downPlan(subject) : upPlan(subject));
    const { lost, rows, steps } = plan;
    const told: MigrationPlan = { where: `table ${table} of ${settings.location}`, rows, steps, lost };
    if (steps.length > 0 && (await decide(told))) await plan.run();
    return told;
  } catch (error) {
    throw unusable(error, dialect, settings);
  } finally {
    await session?.close();
  }
}
