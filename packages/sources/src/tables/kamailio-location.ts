/**
 * Registrations of Kamailio from its table `location`: no change of its script is needed, `db_mode` 1 or 3 of usrloc is.
 *
 *   row appears   -> insert
 *   row changes   -> update
 *   row goes      -> expire when its time had run out, else delete
 *   its time runs out, the row is still there -> expire
 */
import {
  type Binding,
  type BindingListener,
  type PuaApi,
  PuaError,
  type PuaModule,
  type RegistrationSource,
} from '@pua/core';
import { Database } from './database.js';
import { bindingOf, locationMeaning } from './location-mapping.js';
import { LocationRows, locationOf } from './location-rows.js';
import { checkTableOptions, KAMAILIO_LOCATION_PARAMETERS, type KamailioLocationOptions } from './options.js';
import { TableSource } from './table-source.js';
import type { WatchedTable } from './table-watch.js';

/** Zones differ by quarters of an hour; so many seconds later a row that was written is found at the latest. */
const QUARTER = 900;
const LATE = 60;

class KamailioLocation implements RegistrationSource, PuaModule {
  readonly name = 'kamailio-location';
  readonly #options;
  readonly #source;
  #rows: LocationRows | undefined;
  #warned = { zone: false, index: false };

  constructor(options: KamailioLocationOptions) {
    this.#options = checkTableOptions('kamailioLocation', KAMAILIO_LOCATION_PARAMETERS, options);
    const database = new Database('kamailioLocation', this.#options.dbUrl);
    const meaning = locationMeaning(this.#options.table);
    this.#source = new TableSource(database, this.#options, meaning, (lag) => this.#found(lag));
  }

  onEvent(listener: BindingListener): () => void {
    return this.#source.onEvent(listener);
  }

  setup(pua: PuaApi): void {
    this.#source.setup(pua);
  }

  async start(): Promise<void> {
    await this.#source.start(() => this.#open());
    this.#wantIndex();
  }

  stop(): Promise<void> {
    return this.#source.stop();
  }

  snapshot(): AsyncIterable<Binding> {
    return this.#source.items('snapshot()');
  }

  async bindings(aor: string, table = this.#options.table): Promise<readonly Binding[]> {
    if (table !== this.#options.table) return [];
    const { time } = this.#source;
    // The user as the table has it: escapes are left alone.
    const [, username = '', domain] = /^(?:sips?:)?([^@;]*)(?:@([^;]*))?/i.exec(aor)!;
    const rows = await this.#mustRun().of(username, domain);
    return rows.filter(({ until }) => until > time.now()).map(({ text }) => bindingOf(locationOf(text), table, time));
  }

  #mustRun(): LocationRows {
    if (this.#rows) return this.#rows;
    throw new PuaError('PUA_ERR_STATE', 'kamailioLocation bindings(): pua.use(...) it first, and start it');
  }

  async #open(): Promise<WatchedTable> {
    const { table, timeZone, createIndex } = this.#options;
    const { database } = this.#source;
    let rows = await LocationRows.open(database, table, timeZone);
    if (!rows.changes && createIndex === 1) {
      await this.#createIndex();
      rows = await LocationRows.open(database, table, timeZone);
    }
    this.#rows = rows;
    return rows;
  }

  async #createIndex(): Promise<void> {
    const { database } = this.#source;
    const { table } = this.#options;
    try {
      await database.createIndex(table, 'last_modified');
    } catch (error) {
      const statement = database.indexStatement(table, 'last_modified');
      throw new PuaError(
        'PUA_ERR_STORE_OPEN',
        `kamailioLocation createIndex (create_index): leave it out, or run ${statement} as somebody who may: ${(error as Error).message}`,
        { cause: error },
      );
    }
  }

  #found(lag: number): void {
    this.#wantIndex();
    const quarters = Math.round(-lag / QUARTER);
    if (this.#warned.zone || quarters === 0 || Math.abs(lag + quarters * QUARTER) > LATE) return;
    this.#warned.zone = true;
    const hours = quarters / 4;
    this.#source.fault(
      'its times seem to be of another time zone',
      new Error(
        `a row that has just been written says ${hours} hours from now: set timeZone (time_zone) to the zone of Kamailio`,
      ),
    );
  }

  /** Without the index refreshes are found in rotation only; where each poll sees all rows, that is no loss. */
  #wantIndex(): void {
    const { table, rowsPerPoll } = this.#options;
    if (this.#warned.index || this.#rows?.changes || this.#source.size <= rowsPerPoll) return;
    this.#warned.index = true;
    this.#source.fault(
      'refreshes are found late',
      new Error(
        `there is no index on last_modified: set createIndex (create_index) to 1, or run ${this.#source.database.indexStatement(table, 'last_modified')}`,
      ),
    );
  }
}

/**
 * Bindings from Kamailio's table `location`; `pua.use()` it before the companions that listen. start() reads the table
 * once, without events, and fails when it can't; later failures are told as faults, and what is known is kept.
 * @throws PuaError `PUA_ERR_OPTION`
 */
export function kamailioLocation(options: KamailioLocationOptions): RegistrationSource & PuaModule {
  return new KamailioLocation(options);
}
