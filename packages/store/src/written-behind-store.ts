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
    let page: Page | null = await this.backend.page(0, null, pageSize);
    while (page !== null) {
      const { rows, bad, next, upTo } = page as Page;
      // The worker reads the next page while this one is handled here.
      const ahead: Promise<Page> | null = next === null ? null : this.backend.page(next, upTo, pageSize);
      ahead?.catch(() => {});
      for (const row of bad) {
        publish({ type: 'badRow', ...row });
        callAll([this.settings.onBadRow], row);
      }
      if (rows.count > 0) onPage(unpackRows(rows));
      page = await ahead;
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
    let clean = opened && !this.leaseLost;
    try {
      if (clean) await this.flushBounded();
    } catch (error) {
      clean = false;
      if (!this.leaseLost) throw error;
    } finally {
      this.behind.stop(new PuaError('PUA_ERR_STATE', 'the store is closed'));
      if (opened) {
        await this.backend.close(clean);
        publish({ type: 'closed', clean });
      }
    }
  }

  /** A database that fails must not keep the process from ending. */
  private async flushBounded(): Promise<void> {
    let timer: Timer | null = null;
    const late = new Promise<never>((_, reject) => {
      timer = this.settings.clock.after(this.settings.closeMs, () => {
        const { error, pending } = this.status();
        const reason = error === null ? 'it is too slow' : error.message;
        reject(new PuaError('PUA_ERR_STATE', `closed with ${pending} records unwritten: ${reason}`, { cause: error }));
      });
    });
    try {
      await Promise.race([this.behind.flush(), late]);
    } finally {
      (timer as Timer | null)?.cancel();
    }
  }

  /** Packs the rows before it returns; a record that can't be written is left out and reported. */
  private async write(sources: readonly RowSource[]): Promise<Error | null> {
    const upserts = new RowPacker(sources.length);
    const deletes: string[] = [];
    let left: Error | null = null;
    for (const source of sources) {
      try {
        const row = source.row();
        if (row === null) deletes.push(source.key);
        else if (row.record_key === source.key) upserts.addRow(row);
        else throw new TypeError(`its row has the record_key ${row.record_key}`);
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        left = new PuaError('PUA_ERR_ARGUMENT', `record ${source.key} can't be written: ${reason}`, { cause: error });
        publish({ type: 'rejected', key: source.key, reason });
      }
    }
    try {
      await this.backend.write({ upserts: upserts.finish(), deletes });
    } catch (error) {
      if (error instanceof LeaseLost) this.lose(error.holder);
      throw error;
    }
    return left;
  }

  private lose(holder: string): void {
    if (this.leaseLost || this.phase === 'closed') return;
    this.leaseLost = true;
    const reason = `the lease on table "${this.settings.table}" is lost to "${holder}"; nothing is written any more`;
    this.behind.stop(new PuaError('PUA_ERR_STORE_HELD', reason));
    publish({ type: 'leaseLost', holder });
    callAll(this.lostListeners, holder);
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
