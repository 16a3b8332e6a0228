/** The location service's own table on a database. */
import { type Clock, channels, PuaError } from '@pua/core';
import { type Knex, openDatabase } from '@pua/store';
import { inTime } from './in-time.js';
import { LOCATION_COLUMNS, type LocationRow, rowOf, storedOf } from './row.js';
import type { LocationStore, StoredBinding } from './store.js';
import { WriteBehind } from './write-behind.js';

/** Rows read at a time. */
const PAGE = 1_000;
/** Milliseconds to wait for the last group. */
const CLOSE_MS = 5_000;
/** Rows of one statement. */
const ROWS = 200;

/**
 * Keeps bindings in the table `table` (default `pua_location`), which is made when it is missing. Written behind, at most
 * about 50 ms later. One process at a time may use it.
 * @param dbUrl as `db_url`: sqlite:, mysql:// or postgres://
 * @throws PuaError `PUA_ERR_OPTION`
 */
export function locationTable(
  dbUrl: string,
  { table = 'pua_location' }: { readonly table?: string } = {},
): LocationStore {
  if (!/^[A-Za-z_][A-Za-z0-9_]{0,62}$/.test(table))
    throw new PuaError(
      'PUA_ERR_OPTION',
      `location table: must be a name of letters, digits and _, not ${JSON.stringify(table)}`,
    );
  return new LocationTable(openDatabase(dbUrl), table);
}

class LocationTable implements LocationStore {
  #pending: WriteBehind | undefined;
  #clock: Clock | undefined;

  constructor(
    readonly database: Knex,
    readonly table: string,
  ) {}

  async open(clock: Clock): Promise<void> {
    this.#clock = clock;
    this.#pending = new WriteBehind(clock, {
      write: (put, remove) => this.#write(put, remove),
      failed: (error) => this.#fault(error, 'writing, it will be tried again'),
    });
    try {
      await this.#prepare();
    } catch (error) {
      await this.database.destroy();
      if (error instanceof PuaError) throw error;
      const reason = error instanceof Error ? error.message : String(error);
      throw new PuaError('PUA_ERR_STORE_OPEN', `location table ${this.table}: ${reason}`, { cause: error });
    }
  }

  async #prepare(): Promise<void> {
    const { database, table } = this;
    if (clientOf(database) === 'better-sqlite3') {
      await database.raw('pragma journal_mode = wal');
      await database.raw('pragma synchronous = normal');
    }
    if (!(await database.schema.hasTable(table))) await createTable(database, table);
    const found = await database(table).columnInfo();
    const missing = LOCATION_COLUMNS.filter((name) => !Object.hasOwn(found, name));
    if (missing.length > 0)
      throw new PuaError(
        'PUA_ERR_STORE_VERSION',
        `location table ${table}: lacks the columns ${missing.join(', ')}; it is not ours: name another one (default pua_location)`,
      );
  }

  async load(onPage: (page: readonly StoredBinding[]) => void): Promise<void> {
    let last = '';
    for (;;) {
      const rows: LocationRow[] = await this.database(this.table)
        .select(LOCATION_COLUMNS)
        .where('ruid', '>', last)
        .orderBy('ruid')
        .limit(PAGE);
      onPage(rows.flatMap((row) => this.#read(row) ?? []));
      if (rows.length < PAGE) return;
      last = rows.at(-1)!.ruid;
    }
  }

  #read(row: LocationRow): StoredBinding | undefined {
    try {
      return storedOf(row);
    } catch (error) {
      this.#fault(error, `row ${row.ruid} can't be read and is left out`);
      return undefined;
    }
  }

  changed(stored: StoredBinding, isNew: boolean): void {
    this.#pending?.changed(stored, isNew);
  }

  removed(key: string): void {
    this.#pending?.removed(key);
  }

  async flush(): Promise<void> {
    await this.#pending?.flush();
  }

  async close(): Promise<void> {
    const inTheEnd = async () => {
      // A failure was told; what is lost is back at the next REGISTER.
      await this.flush().catch(() => {});
      this.#pending?.stop();
      await this.database.destroy();
    };
    if (!this.#clock) return this.database.destroy();
    await inTime(this.#clock, CLOSE_MS, inTheEnd()).catch((error: unknown) => this.#fault(error, 'closing'));
  }

  #write(put: readonly StoredBinding[], remove: readonly string[]): Promise<void> {
    const now = this.#clock!.wall();
    return this.database.transaction(async (on) => {
      for (let i = 0; i < put.length; i += ROWS) {
        const rows = put.slice(i, i + ROWS).map((stored) => rowOf(stored, now));
        await on(this.table).insert(rows).onConflict('ruid').merge();
      }
      for (let i = 0; i < remove.length; i += ROWS) {
        await on(this.table)
          .whereIn('ruid', remove.slice(i, i + ROWS))
          .delete();
      }
    });
  }

  #fault(error: unknown, what: string): void {
    channels.fault.publish({ type: 'fault', where: `location table ${this.table}: ${what}`, error });
  }
}

const clientOf = (database: Knex): string => database.client.config.client;

async function createTable(database: Knex, table: string): Promise<void> {
  await database.schema.createTable(table, (made) => {
    if (clientOf(database) === 'mysql2') made.charset('utf8mb4');
    made.string('ruid', 64).notNullable().primary();
    made.string('username', 255).notNullable();
    made.string('domain', 255);
    made.text('contact').notNullable();
    made.text('received');
    made.text('path');
    made.bigInteger('expires').notNullable();
    made.double('q').notNullable();
    made.text('callid').notNullable();
    made.bigInteger('cseq').notNullable();
    made.bigInteger('last_modified').notNullable();
    made.bigInteger('cflags').notNullable();
    made.text('user_agent').notNullable();
    made.text('instance');
    made.bigInteger('reg_id').notNullable();
    made.text('attrs', 'mediumtext').notNullable();
  });
}
