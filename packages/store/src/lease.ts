/** The lease on the table: one row that names its holder, until when, and a fence number that rises with each holder. */
import { PuaError } from '@pua/core';
import { type Holder, provablyDead } from './holder.js';
import { LeaseLost } from './lease-lost.js';
import type { Dialect, Statements } from './session.js';
import { leaseTable } from './tables.js';

interface LeaseRow extends Holder {
  readonly fence: number;
  readonly untilMs: number;
  readonly clean: boolean;
}

export interface Taken {
  readonly fence: number;
  /** null: nobody held it before. */
  readonly before: 'clean' | 'unclean' | null;
}

export class Lease {
  private readonly name: string;
  private fence = 0;

  constructor(
    private readonly dialect: Dialect,
    private readonly table: string,
    private readonly leaseMs: number,
    private readonly me: Holder,
  ) {
    this.name = dialect.quote(leaseTable(table));
  }

  /** The row stays locked until the transaction ends. */
  private async read(on: Statements): Promise<LeaseRow | null> {
    const [row] = await on.all(`select * from ${this.name} where part = ''${this.dialect.lock}`);
    if (row === undefined) return null;
    return {
      name: String(row.holder),
      host: String(row.host),
      pid: Number(row.pid),
      started: String(row.started),
      fence: Number(row.fence),
      untilMs: Number(row.until_ms),
      clean: Number(row.clean) === 1,
    };
  }

  /** @throws PuaError `PUA_ERR_STORE_HELD` */
  async check(on: Statements): Promise<{ readonly old: LeaseRow | null; readonly now: number }> {
    const old = await this.read(on);
    const now = Number((await on.all(`select ${this.dialect.now} as now`))[0]?.now);
    if (old === null || old.clean || old.untilMs <= now || provablyDead(old, this.dialect.local)) return { old, now };
    throw new PuaError(
      'PUA_ERR_STORE_HELD',
      `table "${this.table}" is held by "${old.name}" (host ${old.host}, pid ${old.pid}) until ${new Date(old.untilMs).toISOString()}: stop that process, or name another table with db_table`,
    );
  }

  /**
   * Takes it when it is free, has run out, or its holder is dead.
   * @throws PuaError `PUA_ERR_STORE_HELD`
   */
  async take(on: Statements): Promise<Taken> {
    const { old, now } = await this.check(on);
    this.fence = (old?.fence ?? 0) + 1;
    const { name, host, pid, started } = this.me;
    await on.run(
      old === null
        ? `insert into ${this.name} (holder, host, pid, started, fence, until_ms, clean, part) values (?, ?, ?, ?, ?, ?, 0, '')`
        : `update ${this.name} set holder = ?, host = ?, pid = ?, started = ?, fence = ?, until_ms = ?, clean = 0 where part = ''`,
      [name, host, pid, started, this.fence, now + this.leaseMs],
    );
    return { fence: this.fence, before: old === null ? null : old.clean ? 'clean' : 'unclean' };
  }

  /** Goes on with a lease that an earlier worker of this store took. */
  resume(fence: number): void {
    this.fence = fence;
  }

  /**
   * Also the fence of every write: the row is locked by it until the transaction ends.
   * @throws LeaseLost
   */
  async renew(on: Statements): Promise<void> {
    const sql = `update ${this.name} set until_ms = ${this.dialect.now} + ? where part = '' and fence = ?`;
    if ((await on.run(sql, [this.leaseMs, this.fence])) > 0) return;
    throw new LeaseLost((await this.read(on))?.name ?? 'nobody');
  }

  /** @param clean false: as after a crash, whoever comes next raises the CSeqs */
  async giveBack(on: Statements, clean = true): Promise<void> {
    const sql = `update ${this.name} set until_ms = 0, clean = ? where part = '' and fence = ?`;
    await on.run(sql, [clean ? 1 : 0, this.fence]);
  }

  /** As if nobody had ever held it. */
  async forget(on: Statements): Promise<void> {
    await on.run(`delete from ${this.name} where part = '' and fence = ?`, [this.fence]);
  }
}
