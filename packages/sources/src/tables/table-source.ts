/** What both sources are made of: a database, a watch on one of its tables, polls, listeners. */
import { channels, type PuaApi, PuaError } from '@pua/core';
import { Listeners } from '../location/index.js';
import type { Database } from './database.js';
import { Polling } from './polling.js';
import { TableWatch, type Tell, type Told, type WatchedTable } from './table-watch.js';

/** What rows mean: events of type E, things of type T. */
export interface Meaning<E, T> {
  item(row: Told, time: Time): T;
  appeared(row: Told, time: Time): E;
  changed(row: Told, before: Told, time: Time): E;
  /** `late`: its time has run out. */
  ended(row: Told, late: boolean, time: Time): E;
}

/** The database's clock. */
export interface Time {
  /** Seconds since 1970. */
  now(): number;
  /** A time of it by our clock: milliseconds since 1970, whole seconds. */
  wall(seconds: number): number;
}

/** Seconds: who removes a row so long before its end does it because of its end. */
const EARLY = 1;

export interface TableSourceOptions {
  readonly table: string;
  readonly pollInterval: number;
  readonly rowsPerPoll: number;
}

export class TableSource<E, T> {
  readonly #listeners: Listeners<E>;
  #pua: PuaApi | undefined;
  #watch: TableWatch | undefined;
  #polling: Polling | undefined;

  constructor(
    readonly database: Database,
    readonly options: TableSourceOptions,
    readonly meaning: Meaning<E, T>,
    /** Called when a poll has found a new row, see Tell. */
    readonly found: (lag: number) => void = () => undefined,
  ) {
    this.#listeners = new Listeners(database.owner);
  }

  /** Rows known. */
  get size(): number {
    return this.#watch?.size ?? 0;
  }

  onEvent(listener: (event: E) => void | Promise<void>): () => void {
    return this.#listeners.add(listener);
  }

  setup(pua: PuaApi): void {
    this.#pua = pua;
  }

  /**
   * Reads the table once, then polls it.
   * @param open finds out how it is to be read
   * @throws PuaError `PUA_ERR_OPTION`, `PUA_ERR_STORE_OPEN`
   */
  async start(open: () => Promise<WatchedTable>): Promise<void> {
    const { database } = this;
    const { clock } = this.#mustBeUsed('start()');
    const { table, pollInterval, rowsPerPoll } = this.options;
    try {
      const watch = new TableWatch(await open(), clock, rowsPerPoll, this.#tell());
      this.#watch = watch;
      await watch.load(await database.now());
      this.#polling = new Polling(`${database.owner}: table ${table}`, clock, pollInterval, async () =>
        watch.poll(await database.now()),
      );
    } catch (error) {
      await this.stop();
      if (error instanceof PuaError) throw error;
      const reason = error instanceof Error ? error.message : String(error);
      throw new PuaError('PUA_ERR_STORE_OPEN', `${database.owner}: table ${table} can't be read: ${reason}`, {
        cause: error,
      });
    }
    this.#polling.start();
  }

  async stop(): Promise<void> {
    await this.#polling?.stop();
    this.#watch?.stop();
    await this.database.close();
  }

  /** What lives now, from memory: exactly what events have told. */
  items(method: string): AsyncGenerator<T> {
    this.#mustBeUsed(method);
    const { meaning } = this;
    const [watch, time] = [this.#mustRun(method), this.#time];
    return (async function* () {
      for (const row of watch.told()) yield meaning.item(row, time);
    })();
  }

  get time(): Time {
    return this.#time;
  }

  /** @throws PuaError `PUA_ERR_STATE` */
  #mustBeUsed(method: string): PuaApi {
    if (this.#pua) return this.#pua;
    throw new PuaError('PUA_ERR_STATE', `${this.database.owner} ${method}: pua.use(...) it first`);
  }

  #mustRun(method: string): TableWatch {
    if (this.#polling && this.#watch) return this.#watch;
    throw new PuaError('PUA_ERR_STATE', `${this.database.owner} ${method}: it has not been started`);
  }

  readonly #time: Time = {
    now: () => this.#watch!.now,
    wall: (seconds) => Math.round(this.#pua!.clock.wall() / 1000 + seconds - this.#watch!.now) * 1000,
  };

  #tell(): Tell {
    const tell = (event: E) => this.#listeners.tell(event);
    const { meaning } = this;
    const time = this.#time;
    return {
      appeared: (row) => tell(meaning.appeared(row, time)),
      changed: (row, before) => tell(meaning.changed(row, before, time)),
      ended: (row) => tell(meaning.ended(row, row.until <= time.now() + EARLY, time)),
      malformed: (id, fault) => this.fault(`row ${id} is left out`, new Error(fault)),
      found: this.found,
    };
  }

  fault(what: string, error: unknown): void {
    const where = `${this.database.owner}: table ${this.options.table}: ${what}`;
    channels.fault.publish({ type: 'fault', where, error });
  }
}
