/** StorePort for `db_mode` 0: write-behind in front of a database. */
import {
  type OpenedStore,
  PuaError,
  type PuaRow,
  type RowSource,
  type StorePort,
  type StoreStatus,
  type Timer,
} from '@pua/core';
import { callAll, publish } from './diagnostics.js';
import { LeaseLost } from './lease-lost.js';
import type { Settings } from './options.js';
import { RowPacker, unpackRows } from './packed-rows.js';
import type { Page } from './protocol.js';
import type { Backend } from './worker-backend.js';
import { WriteBehind } from './write-behind.js';

const closed = (): PuaError => new PuaError('PUA_ERR_STATE', 'the store is closed');

export class WrittenBehindStore implements StorePort {
  private readonly behind: WriteBehind;
  private readonly durableListeners: ((durable: number) => void)[] = [];
  private readonly lostListeners: ((holder: string) => void)[] = [];
  private phase: 'new' | 'opening' | 'open' | 'closed' = 'new';
  private opening: Promise<OpenedStore> | null = null;
  private closing: Promise<void> | null = null;
  private leaseLost = false;
  private alarmed = false;

  constructor(
    private readonly backend: Backend,
    private readonly settings: Settings,
  ) {
    const { clock, groupMax, retryMs, writeAt: startAt, writeDelayMs: delayMs } = settings;
    this.behind = new WriteBehind({
      clock,
      delayMs,
      startAt,
      groupMax,
      retryMs,
      write: (sources) => this.write(sources),
      onCommitted: (durable, records, ms) => {
        publish({ type: 'group', records, ms, pending: this.watchBacklog(), durable });
        callAll(this.durableListeners, durable);
      },
      onFailed: (error, retry) => {
        publish({ type: 'failure', error, pending: this.watchBacklog(), retryMs: retry });
      },
    });
    backend.onLost((holder) => this.lose(holder));
  }

  open(): Promise<OpenedStore> {
    if (this.phase !== 'new') {
      return Promise.reject(new PuaError('PUA_ERR_STATE', 'open() was called before; make a new store to open again'));
    }
    this.phase = 'opening';
    this.opening = this.backend.open().then(
      (opened) => {
        this.phase = 'open';
        publish({ type: 'opened', ...opened });
        this.behind.start();
        return opened;
      },
      (error: unknown) => {
        // May be tried again, for instance when the holder has gone.
        this.phase = 'new';
        throw error;
      },
    );
    return this.opening;
  }

  async load(pageSize: number, onPage: (rows: readonly PuaRow[]) => void): Promise<void> {
    if (this.phase !== 'open') throw new PuaError('PUA_ERR_STATE', 'load() needs an open store: call open() first');
    if (!Number.isSafeInteger(pageSize) || pageSize < 1) {
      throw new PuaError('PUA_ERR_ARGUMENT', `pageSize must be a whole number of at least 1, not ${String(pageSize)}`);
    }
    let page: Page | null = await this.page(0, null, pageSize);
    while (page !== null) {
      const { rows, bad, next, upTo } = page as Page;
      // The worker reads the next page while this one is handled here.
      const ahead: Promise<Page> | null = next === null ? null : this.page(next, upTo, pageSize);
      ahead?.catch(() => {});
      for (const row of bad) {
        publish({ type: 'badRow', ...row });
        callAll([this.settings.onBadRow], row);
      }
      if (rows.count > 0) onPage(unpackRows(rows));
      page = await ahead;
    }
  }

  private async page(after: number, upTo: number | null, limit: number): Promise<Page> {
    try {
      return await this.backend.page(after, upTo, limit);
    } catch (error) {
      if (!(error instanceof LeaseLost)) throw error;
      throw this.lose(error.holder);
    }
  }

  changed(source: RowSource): number {
    return this.behind.changed(source);
  }

  status(): StoreStatus {
    return this.behind.status();
  }

  onDurable(listener: (durable: number) => void): void {
    this.durableListeners.push(listener);
  }

  onLeaseLost(listener: (holder: string) => void): void {
    this.lostListeners.push(listener);
  }

  flush(): Promise<void> {
    return this.behind.flush();
  }

  close(): Promise<void> {
    this.closing ??= this.shut();
    return this.closing;
  }

  private async shut(): Promise<void> {
    await this.opening?.catch(() => {});
    const opened = this.phase === 'open';
    this.phase = 'closed';
    if (!opened) return this.behind.stop(closed());
    let clean = false;
    try {
      if (!this.leaseLost) clean = await this.closeCleanly();
    } finally {
      this.behind.stop(closed());
      if (!clean) await this.backend.end();
      publish({ type: 'closed', clean });
    }
  }

  /** Whatever the database does, the process must be able to end. */
  private async closeCleanly(): Promise<boolean> {
    let timer: Timer | null = null;
    const late = new Promise<never>((_, reject) => {
      timer = this.settings.clock.after(this.settings.closeMs, () => reject(new Error('it is too slow')));
    });
    const inTime = <T>(work: Promise<T>): Promise<T> => Promise.race([work, late]);
    try {
      await inTime(this.behind.flush());
      await inTime(this.backend.close());
      return true;
    } catch (error) {
      if (this.leaseLost) return false;
      const { error: failure, pending } = this.status();
      const cause = (pending > 0 && failure) || (error as Error);
      const left = pending > 0 ? `${pending} records unwritten` : 'all written, but the lease not given back';
      throw new PuaError('PUA_ERR_STATE', `closed with ${left}: ${cause.message}`, { cause });
    } finally {
      (timer as Timer | null)?.cancel();
    }
  }

  /** Packs the rows before it returns; a record that can't be written is left out and reported. */
  private async write(sources: readonly RowSource[]): Promise<Error | null> {
    const upserts = new RowPacker(sources.length);
    const deletes: string[] = [];
    let left: Error | null = null;
    const reject = (key: string, reason: string, cause?: unknown): void => {
      left = new PuaError('PUA_ERR_ARGUMENT', `record ${key} can't be written: ${reason}`, { cause });
      publish({ type: 'rejected', key, reason });
    };
    for (const source of sources) {
      try {
        const row = source.row();
        if (row === null) deletes.push(source.key);
        else if (row.record_key === source.key) upserts.addRow(row);
        else throw new TypeError(`its row has the record_key ${row.record_key}`);
      } catch (error) {
        reject(source.key, error instanceof Error ? error.message : String(error), error);
      }
    }
    try {
      const rejected = await this.backend.write({ upserts: upserts.finish(), deletes });
      for (const { key, reason } of rejected) reject(key, reason);
    } catch (error) {
      if (error instanceof LeaseLost) this.lose(error.holder);
      throw error;
    }
    return left;
  }

  private lose(holder: string): PuaError {
    const text = `the lease on table "${this.settings.table}" is lost to "${holder}"; nothing is written any more`;
    const reason = new PuaError('PUA_ERR_STORE_HELD', text);
    if (this.leaseLost || this.phase === 'closed') return reason;
    this.leaseLost = true;
    this.behind.stop(reason);
    publish({ type: 'leaseLost', holder });
    callAll(this.lostListeners, holder);
    return reason;
  }

  private watchBacklog(): number {
    const { pending } = this.status();
    const { maxPending } = this.settings;
    if (!this.alarmed && pending > maxPending) {
      this.alarmed = true;
      publish({ type: 'backlog', pending });
    } else if (this.alarmed && pending <= maxPending / 2) {
      this.alarmed = false;
    }
    return pending;
  }
}
