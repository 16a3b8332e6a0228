/** Storage switched off (`memory:`): the same contract, every change counts as durable at once, nothing is kept. */
import type { OpenedStore, RowSource, StorePort, StoreStatus } from '@pua/core';
import { callAll } from './diagnostics.js';

class MemoryStore implements StorePort {
  private last = 0;
  private announced = true;
  private readonly listeners: ((durable: number) => void)[] = [];

  async open(): Promise<OpenedStore> {
    return { rows: 0, unclean: false };
  }

  async load(): Promise<void> {}

  changed(_source: RowSource): number {
    // As with a database, listeners are told after this call, once for changes that meet.
    if (this.announced && this.listeners.length > 0) {
      this.announced = false;
      queueMicrotask(() => {
        this.announced = true;
        callAll(this.listeners, this.last);
      });
    }
    return ++this.last;
  }

  status(): StoreStatus {
    return { durable: this.last, last: this.last, pending: 0, error: null };
  }

  onDurable(listener: (durable: number) => void): void {
    this.listeners.push(listener);
  }

  onLeaseLost(): void {}

  async flush(): Promise<void> {}

  async close(): Promise<void> {}
}

export function memoryStore(): StorePort {
  return new MemoryStore();
}
