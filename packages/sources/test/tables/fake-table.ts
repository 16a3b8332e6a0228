/** A table in memory that a TableWatch looks at, and what it has been told. */
import type { ChangePlace } from '../../dist/tables/change-mark.js';
import { type Row, type Tell, type Told, textOf, valuesOf, type WatchedTable } from '../../dist/tables/table-watch.js';

export interface FakeRow {
  readonly id: number;
  text: string;
  until: number;
  modified: number;
  /** What it is a row of. */
  key?: string;
  fault?: string;
  /** Not committed yet. */
  hidden?: boolean;
}

const byId = (a: FakeRow, b: FakeRow) => a.id - b.id;
/** Marks are compared as texts. */
const stamp = (modified: number) => String(modified).padStart(12, '0');

export const textOfRow = ({ id, key = `k${id}`, text, until, modified }: FakeRow): string =>
  textOf(key, [text, String(until), modified]);
/** What is shown of a row in a log. */
const shown = (text: string) => valuesOf(text)[1];

export class FakeTable implements WatchedTable {
  readonly rows = new Map<number, FakeRow>();
  /** Statements, and rows that they gave. */
  statements = 0;
  given = 0;
  away = false;
  /** This many statements later it is away for one. */
  failsAt = Number.POSITIVE_INFINITY;

  constructor(readonly indexed = true) {}

  put(id: number, text: string, until = Number.POSITIVE_INFINITY, modified = 0): FakeRow {
    const row: FakeRow = { id, text, until, modified };
    this.rows.set(id, row);
    return row;
  }

  read = (ids: readonly number[]) => {
    const wanted = new Set(ids);
    return this.#give(({ id }) => wanted.has(id));
  };
  after = (id: number, limit: number, upTo = Number.POSITIVE_INFINITY) =>
    this.#give((row) => row.id > id && row.id <= upTo, limit);

  get changes() {
    if (!this.indexed) return undefined;
    const order = (a: FakeRow, b: FakeRow) => a.modified - b.modified || byId(a, b);
    return {
      last: async () => stamp(Math.max(0, ...[...this.rows.values()].map(({ modified }) => modified))),
      after: ({ modified, id }: ChangePlace, limit: number) =>
        this.#give(
          (row) => stamp(row.modified) > modified || (stamp(row.modified) === modified && row.id > id),
          limit,
          order,
        ),
    };
  }

  async #give(matches: (row: FakeRow) => boolean, limit = Number.POSITIVE_INFINITY, order = byId): Promise<Row[]> {
    this.statements++;
    if (--this.failsAt === 0) this.failsAt = Number.POSITIVE_INFINITY;
    else if (!this.away) return this.#rows(matches, limit, order);
    throw new Error('the database is away');
  }

  #rows(matches: (row: FakeRow) => boolean, limit: number, order: typeof byId): Row[] {
    const rows = [...this.rows.values()].filter((row) => !row.hidden && matches(row)).sort(order);
    const page = rows.slice(0, limit);
    this.given += page.length;
    return page.map((row) => ({
      ...{ id: row.id, text: textOfRow(row), until: row.until },
      ...{ modified: stamp(row.modified), modifiedAt: row.modified },
      ...(row.fault === undefined ? {} : { fault: row.fault }),
    }));
  }
}

/** `+1 a`: appeared; `~1 b`: changed; `-1 b`: ended; `!1 fault`: malformed. */
export class Log implements Tell {
  lines: string[] = [];
  readonly lags: number[] = [];
  /** What lives as far as was told: its text by id. */
  readonly living = new Map<number, string>();

  appeared({ id, text }: Told): void {
    if (this.living.has(id)) throw new Error(`row ${id} appeared twice`);
    this.living.set(id, text);
    this.lines.push(`+${id} ${shown(text)}`);
  }

  changed({ id, text }: Told, before: Told): void {
    if (this.living.get(id) !== before.text) throw new Error(`row ${id} was not ${before.text}`);
    this.living.set(id, text);
    this.lines.push(`~${id} ${shown(text)}`);
  }

  ended({ id, text }: Told): void {
    if (this.living.get(id) !== text) throw new Error(`row ${id} was not ${text}`);
    this.living.delete(id);
    this.lines.push(`-${id} ${shown(text)}`);
  }

  malformed(id: number, fault: string): void {
    this.lines.push(`!${id} ${fault}`);
  }

  found(lag: number): void {
    this.lags.push(lag);
  }

  take(): string[] {
    return this.lines.splice(0);
  }
}
