/**
 * What has changed in a table, found without reading all of it. A poll reads
 *
 *   new rows       by id, from the high-water mark on
 *   changed rows   by the time of their change, from the high-water mark on, where an index supports that
 *   known rows     those whose time has run out, then the table in rotation, by ranges of ids: at most so many per poll
 *
 * The rotation finds what leaves no trace (rows that were removed) and what the marks have missed.
 */
import { type Clock, Schedule, type Scheduled } from '@pua/core';
import { ChangeMark, type ChangePlace } from './change-mark.js';
import { HighWater } from './high-water.js';
import { IdRotation } from './id-rotation.js';

/** Rows of one statement. */
export const PAGE = 500;
/** Seconds for a refresh that comes in time to be written. */
const GRACE = 1;
/** Milliseconds without a poll that has worked. */
const AWAY = 60_000;

/** A row as it is read. */
export interface Row {
  readonly id: number;
  /** All of it that matters, see textOf(); another text is another state. */
  readonly text: string;
  /** End of its time, seconds since 1970; Infinity: none; -Infinity: it is over. */
  readonly until: number;
  /** When it was changed, as the table has it, and in seconds since 1970. */
  readonly modified?: string;
  readonly modifiedAt?: number;
  /** What is wrong with it; it is then over from the beginning. */
  readonly fault?: string;
}

export interface WatchedTable {
  read(ids: readonly number[]): Promise<readonly Row[]>;
  /** Those with ids beyond `id`, up to `upTo`, in the order of their ids. */
  after(id: number, limit: number, upTo?: number): Promise<readonly Row[]>;
  /** Absent: no index supports it. */
  readonly changes?: ChangesOfTable | undefined;
}

export interface ChangesOfTable {
  /** `modified` of the last change. */
  last(): Promise<string>;
  /** In the order of (modified, id). */
  after(place: ChangePlace, limit: number): Promise<readonly Row[]>;
}

/**
 * One flat text of a row.
 * @param key what it is a row of: with another one under the same id the former has gone (ids are reused after TRUNCATE)
 */
export const textOf = (key: string, values: readonly unknown[]): string => JSON.stringify([key, ...values]);
/** Key and values. */
export const valuesOf = (text: string): unknown[] => JSON.parse(text) as unknown[];
const keyOf = (text: string): string => text.slice(0, text.indexOf('",'));

/** What is remembered of a row: this object, its text, and its places in the map and in the schedule. */
interface Known extends Scheduled {
  readonly id: number;
  text: string;
  until: number;
  /** Somebody was told that it lives. */
  told: boolean;
  deadline: number;
  scheduleIndex: number;
}

export interface Told {
  readonly id: number;
  readonly text: string;
  readonly until: number;
}

export interface Tell {
  appeared(row: Told): void;
  changed(row: Told, before: Told): void;
  /** The row as it was. */
  ended(row: Told): void;
  malformed(id: number, fault: string): void;
  /** A new row was found so many seconds after it was written; not told of what was written while no poll worked. */
  found(lag: number): void;
}

export class TableWatch {
  readonly #known = new Map<number, Known>();
  readonly #schedule: Schedule<Known>;
  /** Known rows whose time has run out, as it was known. */
  readonly #due = new Set<Known>();
  #ids = new HighWater<number>(0);
  #changes = new ChangeMark('');
  readonly #rotation = new IdRotation((id) => this.#known.has(id));
  /** The database's clock less ours, seconds. */
  #ahead = 0;
  /** When the last poll had worked, on our clock. */
  #polledAt = 0;

  constructor(
    readonly table: WatchedTable,
    readonly clock: Clock,
    readonly rowsPerPoll: number,
    readonly tell: Tell,
  ) {
    this.#schedule = new Schedule(clock, (row) => this.#due.add(row));
  }

  get size(): number {
    return this.#known.size;
  }

  /** Those that live. */
  *told(): Generator<Told> {
    for (const row of this.#known.values()) if (row.told) yield row;
  }

  /** Now by the database's clock, seconds since 1970. */
  get now(): number {
    return this.clock.now() / 1000 + this.#ahead;
  }

  /**
   * Reads the whole table, in pages, and tells nothing but what is malformed.
   * @param now by the database's clock, seconds since 1970
   */
  async load(now: number): Promise<void> {
    this.#ahead = now - this.clock.now() / 1000;
    // Before the rows: what changes while they are read is read again.
    if (this.table.changes) this.#changes = new ChangeMark(await this.table.changes.last());
    const last = await this.#read(0, (row) => {
      this.#enter(row, this.#lives(row));
      if (row.fault !== undefined) this.tell.malformed(row.id, row.fault);
    });
    this.#ids = new HighWater(last);
    this.#polledAt = this.clock.now();
  }

  /** One poll. What it could not read when it rejects is read by the next one. */
  async poll(now: number): Promise<void> {
    this.#ahead = now - this.clock.now() / 1000;
    await this.#readNew();
    await this.#readChanged();
    await this.#lookAgain();
    this.#polledAt = this.clock.now();
  }

  stop(): void {
    this.#schedule.stop();
  }

  async #readNew(): Promise<void> {
    this.#ids.seen(await this.#read(this.#ids.mark, (row) => this.#see(row)));
    this.#ids.turn();
  }

  /** Rows by their ids, page by page; the last id. */
  async #read(after: number, take: (row: Row) => void, upTo?: number): Promise<number> {
    let last = after;
    for (let full = true; full; ) {
      const page = await this.table.after(last, PAGE, upTo);
      for (const row of page) take(row);
      last = page.at(-1)?.id ?? last;
      full = page.length === PAGE && last !== upTo;
    }
    return last;
  }

  async #readChanged(): Promise<void> {
    if (!this.table.changes) return;
    const began = this.clock.now();
    let last = this.#changes.place;
    for (let full = true; full; ) {
      const page = await this.table.changes.after(last, PAGE);
      for (const row of page) this.#see(row);
      const { modified = last.modified, id = last.id } = page.at(-1) ?? {};
      last = { modified, id };
      full = page.length === PAGE;
    }
    this.#changes.turn(last, began);
  }

  /** At most `rowsPerPoll` known rows, each once. */
  async #lookAgain(): Promise<void> {
    let rest = Math.max(1, Math.min(this.rowsPerPoll, this.#known.size));
    const due = [...this.#due].slice(0, rest).map(({ id }) => id);
    for (let i = 0; i < due.length; i += PAGE) {
      const ids = due.slice(i, i + PAGE);
      const gone = new Set(ids);
      for (const row of await this.table.read(ids)) this.#seeAgain(row, gone);
      for (const id of gone) this.#gone(id);
    }
    for (rest -= due.length; rest > 0; ) {
      const range = this.#rotation.next(Math.min(rest, PAGE));
      const gone = new Set(range.ids);
      // Beyond the last known one may be rows that the mark has passed.
      const end = range.isLast ? Math.max(range.upTo, this.#ids.mark) : range.upTo;
      await this.#read(range.after, (row) => this.#seeAgain(row, gone), end);
      for (const id of gone) this.#gone(id);
      this.#rotation.passed(range);
      rest -= Math.max(1, range.ids.length);
    }
  }

  #seeAgain(row: Row, gone: Set<number>): void {
    gone.delete(row.id);
    this.#see(row);
  }

  #lives({ until }: Row | Known): boolean {
    return until + GRACE > this.now;
  }

  #see(row: Row): void {
    let known = this.#known.get(row.id);
    if (known && keyOf(known.text) !== keyOf(row.text)) {
      this.#gone(row.id);
      known = undefined;
    }
    const lives = this.#lives(row);
    // Once, however often it is refreshed.
    if (row.fault !== undefined && known?.until !== Number.NEGATIVE_INFINITY) this.tell.malformed(row.id, row.fault);
    if (!known) {
      this.#enter(row, lives);
      const { modifiedAt } = row;
      if (modifiedAt !== undefined && this.clock.now() - this.#polledAt < AWAY) this.tell.found(this.now - modifiedAt);
      if (lives) this.tell.appeared(row);
      return;
    }
    const before = { id: known.id, text: known.text, until: known.until };
    const wasTold = known.told;
    Object.assign(known, { text: row.text, until: row.until, told: lives });
    this.#plan(known);
    if (wasTold && !lives) this.tell.ended(before);
    else if (!wasTold && lives) this.tell.appeared(row);
    else if (lives && before.text !== row.text) this.tell.changed(row, before);
  }

  #gone(id: number): void {
    const known = this.#known.get(id)!;
    this.#known.delete(id);
    this.#due.delete(known);
    this.#schedule.remove(known);
    if (known.told) this.tell.ended(known);
  }

  #enter({ id, text, until }: Row, told: boolean): void {
    const known: Known = { id, text, until, told, deadline: Number.POSITIVE_INFINITY, scheduleIndex: -1 };
    this.#known.set(id, known);
    this.#rotation.add(id);
    this.#plan(known);
  }

  #plan(known: Known): void {
    this.#due.delete(known);
    known.deadline = known.told ? (known.until + GRACE - this.#ahead) * 1000 : Number.POSITIVE_INFINITY;
    this.#schedule.update(known);
  }
}
