/**
 * The table with its lease, on any database: open, read in pages, write groups, renew, give back. A connection that is
 * lost is opened again by whoever needs it next; the fence then decides whether the table is still ours.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { raiseCseqs } from './cseq.js';
import { Lease } from './lease.js';
import { LeaseLost } from './lease-lost.js';
import { keyAt, type PackedRows, RowPacker } from './packed-rows.js';
import type { BadRow, Group, Opened, Page, Rejected, TableSettings } from './protocol.js';
import { ensureSchema } from './schema.js';
import type { Dialect, Session, Statements } from './session.js';
import { unusable } from './unusable.js';

/** Deadlocks and the like: so often the same is tried at once; then whoever asked tries again later. */
const TRIES = 3;
/** How long a load waits for a database that went away, and how often it looks. */
const LOAD_WAITS_MS = 10_000;
const LOOK_MS = 200;

export class LeasedTable {
  private constructor(
    private readonly dialect: Dialect,
    private readonly settings: TableSettings,
    private readonly lease: Lease,
    private session: Session | null,
  ) {}

  /**
   * @param resume fence of an earlier worker of the same store; null: take the lease
   * @throws PuaError `PUA_ERR_STORE_OPEN`, `PUA_ERR_STORE_VERSION`, `PUA_ERR_STORE_HELD`; LeaseLost on resume
   */
  static async open(
    dialect: Dialect,
    settings: TableSettings,
    resume: number | null,
  ): Promise<{ readonly table: LeasedTable; readonly opened: Opened }> {
    const { table: name, leaseMs, holder } = settings;
    const lease = new Lease(dialect, name, leaseMs, holder);
    const table = new LeasedTable(dialect, settings, lease, null);
    try {
      if (resume !== null) {
        lease.resume(resume);
        await table.connected();
        return { table, opened: { rows: 0, unclean: false, fence: resume } };
      }
      table.session = await dialect.open(settings);
      await table.transaction((on) => ensureSchema(on, name, dialect));
      return { table, opened: await table.transaction((on) => table.take(on)) };
    } catch (error) {
      await table.session?.close();
      throw unusable(error, dialect, settings);
    }
  }

  private async take(on: Statements): Promise<Opened> {
    const name = this.dialect.quote(this.settings.table);
    const taken = await this.lease.take(on);
    const rows = Number((await on.all(`select count(*) as found from ${name}`))[0]?.found);
    // Rows that no holder of a lease has left behind may be behind the dialogs as well: raised likewise.
    const unclean = taken.before === 'unclean' || (taken.before === null && rows > 0);
    if (unclean) {
      await raiseCseqs(on, name);
      // It may have taken long.
      await this.lease.renew(on);
    }
    return { rows, unclean, fence: taken.fence };
  }

  /** @throws PuaError `PUA_ERR_STORE_OPEN` while the database is away; LeaseLost when somebody has taken the table */
  private async connected(): Promise<Session> {
    if (this.session !== null && !this.session.lost) return this.session;
    await this.session?.close();
    this.session = null;
    try {
      const session = await this.dialect.open(this.settings);
      this.session = session;
      await session.transaction((on) => this.lease.renew(on));
      return session;
    } catch (error) {
      await this.session?.close();
      this.session = null;
      throw unusable(error, this.dialect, this.settings);
    }
  }

  private async transaction<T>(work: (on: Statements) => Promise<T>): Promise<T> {
    for (let tries = 1; ; tries++) {
      const session = await this.connected();
      try {
        return await session.transaction(work);
      } catch (error) {
        if (tries === TRIES || session.lost || !this.dialect.conflict(error)) throw error;
      }
    }
  }

  /**
   * @param upTo null on the first page of a load
   * @throws PuaError `PUA_ERR_STORE_OPEN` when the table can't be read; LeaseLost
   */
  async page(after: number, upTo: number | null, limit: number): Promise<Page> {
    const until = performance.now() + LOAD_WAITS_MS;
    for (;;) {
      try {
        return await this.readPage(after, upTo, limit);
      } catch (error) {
        const away = this.session === null || this.session.lost;
        if (!away || error instanceof LeaseLost || performance.now() > until) {
          throw unusable(error, this.dialect, this.settings);
        }
        await pause(LOOK_MS);
      }
    }
  }

  private async readPage(after: number, upTo: number | null, limit: number): Promise<Page> {
    const last = upTo ?? (await this.lastId());
    const found = await (await this.connected()).page(after, limit);
    const rows = new RowPacker(found.length);
    const bad: BadRow[] = [];
    let end = found.length < limit;
    for (const values of found) {
      if (Number(values[0]) > last) {
        end = true;
        break;
      }
      try {
        rows.addValues(values);
      } catch (error) {
        bad.push({ id: Number(values[0]), reason: (error as TypeError).message });
      }
    }
    const next = end ? null : Number(found[found.length - 1]![0]);
    return { rows: rows.finish(), bad, next, upTo: last };
  }

  private async lastId(): Promise<number> {
    const sql = `select max(id) as last from ${this.dialect.quote(this.settings.table)}`;
    return Number((await this.transaction((on) => on.all(sql)))[0]?.last ?? 0);
  }

  /**
   * One transaction, unless a row does not fit the table: then that row is left out and told of. May be repeated as a
   * whole: an answer to a commit that was lost does no harm.
   * @throws LeaseLost, with nothing written
   */
  async write({ upserts, deletes }: Group): Promise<Rejected[]> {
    try {
      await this.writeRows(upserts, 0, upserts.count, deletes);
      return [];
    } catch (error) {
      if (!this.dialect.misfit(error)) throw error;
    }
    const rejected: Rejected[] = [];
    if (deletes.length > 0) await this.writeRows(upserts, 0, 0, deletes);
    await this.writeHalves(upserts, 0, upserts.count, rejected);
    return rejected;
  }

  private async writeHalves(rows: PackedRows, from: number, to: number, rejected: Rejected[]): Promise<void> {
    const middle = (from + to) >> 1;
    for (const [start, end] of [
      [from, middle],
      [middle, to],
    ] as const) {
      if (start === end) continue;
      try {
        await this.writeRows(rows, start, end, []);
      } catch (error) {
        if (!this.dialect.misfit(error)) throw error;
        if (end - start > 1) await this.writeHalves(rows, start, end, rejected);
        else rejected.push({ key: keyAt(rows, start), reason: (error as Error).message });
      }
    }
  }

  private writeRows(rows: PackedRows, from: number, to: number, deletes: readonly string[]): Promise<void> {
    return this.transaction(async (on) => {
      await this.lease.renew(on);
      if (from < to) await on.upsert(rows, from, to);
      if (deletes.length > 0) await on.remove(deletes);
    });
  }

  /** @throws LeaseLost */
  async renew(): Promise<void> {
    await this.transaction((on) => this.lease.renew(on));
  }

  /** Gives the lease back, closes the connection. */
  async close(): Promise<void> {
    try {
      await this.transaction((on) => this.lease.giveBack(on));
    } finally {
      await this.session?.close();
    }
  }
}
