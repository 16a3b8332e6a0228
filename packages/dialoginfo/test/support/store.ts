/** Storage in memory that a second process may find again. */
import type { OpenedStore, PuaRow, RowSource, StorePort, StoreStatus } from '@pua/core';

export class MemoryStore implements StorePort {
  constructor(readonly rows: Map<string, PuaRow> = new Map()) {}

  async open(): Promise<OpenedStore> {
    return { rows: this.rows.size, unclean: false };
  }

  async load(_pageSize: number, onPage: (rows: readonly PuaRow[]) => void): Promise<void> {
    onPage([...this.rows.values()]);
  }

  changed(source: RowSource): number {
    const row = source.row();
    if (row) this.rows.set(source.key, row);
    else this.rows.delete(source.key);
    return 1;
  }

  status(): StoreStatus {
    return { durable: 1, last: 1, pending: 0, error: null };
  }

  onDurable(): void {}
  onLeaseLost(): void {}
  async flush(): Promise<void> {}
  async close(): Promise<void> {}
}
