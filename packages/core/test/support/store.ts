/** A StorePort in memory that writes at once. */
import type { OpenedStore, PuaRow, RowSource, StorePort, StoreStatus } from '../../dist/ports/store.js';

export class FakeStore implements StorePort {
  readonly calls: string[] = [];
  readonly rows = new Map<string, PuaRow>();
  openError: Error | undefined;
  #changes = 0;

  constructor(rows: readonly PuaRow[] = []) {
    for (const row of rows) this.rows.set(row.record_key, row);
  }

  async open(): Promise<OpenedStore> {
    this.calls.push('open');
    if (this.openError) throw this.openError;
    return { rows: this.rows.size, unclean: false };
  }

  async load(pageSize: number, onPage: (rows: readonly PuaRow[]) => void): Promise<void> {
    const rows = [...this.rows.values()];
    for (let i = 0; i < rows.length; i += pageSize) {
      await Promise.resolve();
      onPage(rows.slice(i, i + pageSize));
    }
  }

  changed(source: RowSource): number {
    const row = source.row();
    if (row) this.rows.set(source.key, row);
    else this.rows.delete(source.key);
    return ++this.#changes;
  }

  status(): StoreStatus {
    return { durable: this.#changes, last: this.#changes, pending: 0, error: null };
  }

  onDurable(): void {}
  onLeaseLost(): void {}

  async flush(): Promise<void> {
    this.calls.push('flush');
  }

  async close(): Promise<void> {
    this.calls.push('close');
  }
}
