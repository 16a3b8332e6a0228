/** The table with its lease, on any database: open, read in pages, write groups, renew, give back. */
import { PuaError } from '@pua/core';
import { Lease } from './lease.js';
import { LeaseLost } from './lease-lost.js';
import { RowPacker } from './packed-rows.js';
import type { BadRow, Group, Opened, Page, TableSettings } from './protocol.js';
import { ensureSchema } from './schema.js';
import type { Dialect, Session, Statements } from './session.js';

/** RFC 3261 8.1.1.5: a CSeq stays below 2^31. */
const CSEQ_MOST = 2 ** 31 - 1;
const CSEQ_RAISE = 1000;

function unusable(error: unknown, dialect: Dialect, settings: TableSettings): Error {
  if (error instanceof PuaError || error instanceof LeaseLost) return error;
  // A driver may go on with a list of all places where it looked.
  const [reason] = (error instanceof Error ? error.message : String(error)).split('\n', 1);
  const remedy = dialect.remedy(error, settings) ?? 'is it a database of this kind, and free of damage?';
  return new PuaError('PUA_ERR_STORE_OPEN', `cannot use ${settings.location}: ${reason}; ${remedy}`);
}

export class LeasedTable {
  private constructor(
    private readonly dialect: Dialect,
    private readonly settings: TableSettings,
    private readonly session: Session,
    private readonly lease: Lease,
    readonly opened: Opened,
  ) {}

  /**
   * @param resume fence of an earlier worker of the same store; null: take the lease
   * @throws PuaError `PUA_ERR_STORE_OPEN`, `PUA_ERR_STORE_VERSION`, `PUA_ERR_STORE_HELD`; LeaseLost on resume
   */
  static async open(dialect: Dialect, settings: TableSettings, resume: number | null): Promise<LeasedTable> {
    let session: Session | null = null;
    try {
      session = await dialect.open(settings);
      return await LeasedTable.take(dialect, settings, session, resume);
    } catch (error) {
      await session?.close();
      throw unusable(error, dialect, settings);
    }
  }

  private static async take(
    dialect: Dialect,
    settings: TableSettings,
    session: Session,
    resume: number | null,
  ): Promise<LeasedTable> {
    const { table, leaseMs, holder } = settings;
    const lease = new Lease(dialect, table, leaseMs, holder);
    const name = dialect.quote(table);
    if (resume !== null) {
      lease.resume(resume);
      await session.transaction((on) => lease.renew(on));
      await session.prepare();
      return new LeasedTable(dialect, settings, session, lease, { rows: 0, unclean: false, fence: resume });
    }
    await session.transaction((on) => ensureSchema(on, table, dialect));
    await session.prepare();
    const opened = await session.transaction(async (on) => {
      const taken = await lease.take(on);
      const rows = Number((await on.all(`select count(*) as found from ${name}`))[0]?.found);
      // Rows that no holder of a lease has left behind may be behind the dialogs as well: raised likewise.
      const unclean = taken.before === 'unclean' || (taken.before === null && rows > 0);
      if (unclean) await LeasedTable.raise(on, name);
      // Raising may have taken long in a large table.
      await lease.renew(on);
      return { rows, unclean, fence: taken.fence };
    });
    return new LeasedTable(dialect, settings, session, lease, opened);
  }

  /** Requests that left after the last write used CSeqs that are not on disk (RFC 3261 12.2.1.1: they must rise). */
  private static async raise(on: Statements, name: string): Promise<void> {
    await on.run(
      `update ${name} set cseq = case when cseq > ? then ? else cseq + ? end where watcher_uri <> '' and call_id <> ''`,
      [CSEQ_MOST - CSEQ_RAISE, CSEQ_MOST, CSEQ_RAISE],
    );
  }

  /**
   * @param upTo null on the first page of a load
   * @throws PuaError `PUA_ERR_STORE_OPEN` when the table can't be read
   */
  async page(after: number, upTo: number | null, limit: number): Promise<Page> {
    try {
      const last = upTo ?? (await this.lastId());
      const found = await this.session.page(after, last, limit);
      const rows = new RowPacker(found.length);
      const bad: BadRow[] = [];
      for (const values of found) {
        try {
          rows.addValues(values);
        } catch (error) {
          bad.push({ id: Number(values[0]), reason: (error as TypeError).message });
        }
      }
      const next = found.length < limit ? null : Number(found[found.length - 1]![0]);
      return { rows: rows.finish(), bad, next, upTo: last };
    } catch (error) {
      throw unusable(error, this.dialect, this.settings);
    }
  }

  private async lastId(): Promise<number> {
    const sql = `select max(id) as last from ${this.dialect.quote(this.settings.table)}`;
    return Number((await this.session.transaction((on) => on.all(sql)))[0]?.last ?? 0);
  }

  /** @throws LeaseLost, with nothing written */
  async write(group: Group): Promise<void> {
    await this.session.transaction(async (on) => {
      await this.lease.renew(on);
      if (group.upserts.count > 0) await on.upsert(group.upserts);
      if (group.deletes.length > 0) await on.remove(group.deletes);
    });
  }

  /** @throws LeaseLost */
  async renew(): Promise<void> {
    await this.session.transaction((on) => this.lease.renew(on));
  }

  async close(): Promise<void> {
    try {
      await this.session.transaction((on) => this.lease.giveBack(on));
    } finally {
      await this.session.close();
    }
  }
}
