/**
 * Storage of the simulated world: a disk that outlives processes, and a store of the same contract as the real one
 * that writes behind with a delay. What a killed process had not written is gone.
 */
import type { Clock, OpenedStore, PuaRow, RowSource, StorePort, StoreStatus } from '@pua/core';

export class SimDisk {
  readonly rows = new Map<string, PuaRow>();
  clean = true;
}

export class SimStore implements StorePort {
  readonly #dirty = new Map<string, RowSource>();
  #last = 0;
  #durable = 0;
  #writing = false;

  constructor(
    readonly disk: SimDisk,
    readonly clock: Clock,
    readonly delayMs: () => number,
    /** Hears of records that have ended. */
    readonly ended: (key: string) => void,
  ) {}

  async open(): Promise<OpenedStore> {
    const unclean = !this.disk.clean;
    this.disk.clean = false;
    if (unclean) {
      for (const [key, row] of this.disk.rows) {
        if (row.call_id !== '') this.disk.rows.set(key, { ...row, cseq: row.cseq + 1000 });
      }
    }
    return { rows: this.disk.rows.size, unclean };
  }

  async load(_pageSize: number, onPage: (rows: readonly PuaRow[]) => void): Promise<void> {
    onPage([...this.disk.rows.values()]);
  }

  changed(source: RowSource): number {
    this.#dirty.set(source.key, source);
    if (source.row() === null) this.ended(source.key);
    this.#last++;
    if (!this.#writing) {
      this.#writing = true;
      this.clock.after(this.delayMs(), () => this.#write());
    }
    return this.#last;
  }

  #write(): void {
    this.#writing = false;
    for (const [key, source] of this.#dirty) {
      const row = source.row();
      if (row) this.disk.rows.set(key, row);
      else this.disk.rows.delete(key);
    }
    this.#dirty.clear();
    this.#durable = this.#last;
  }

  /** Records whose newest state is not on the disk. */
  get unwritten(): ReadonlySet<string> {
    return new Set(this.#dirty.keys());
  }

  status(): StoreStatus {
    return { durable: this.#durable, last: this.#last, pending: this.#dirty.size, error: null };
  }

  onDurable(): void {}
  onLeaseLost(): void {}

  async flush(): Promise<void> {
    this.#write();
  }

  async close(): Promise<void> {
    this.#write();
    this.disk.clean = true;
  }
}
