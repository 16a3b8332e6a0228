/** The table `location` of the simulated world: it outlives the processes that write it. */
import type { LocationStore, StoredBinding } from '@pua/sources';

export class SimLocation implements LocationStore {
  readonly rows = new Map<string, StoredBinding>();

  /** What one process sees of it; a killed one writes no more. */
  openBy(process: { readonly alive: boolean }): LocationStore {
    const write = (run: () => void) => {
      if (process.alive) run();
    };
    return {
      open: () => this.open(),
      load: (onPage) => this.load(onPage),
      changed: (stored) => write(() => this.changed(stored)),
      removed: (key) => write(() => this.removed(key)),
      flush: () => this.flush(),
      close: () => this.close(),
    };
  }

  async open(): Promise<void> {}

  async load(onPage: (page: readonly StoredBinding[]) => void): Promise<void> {
    onPage([...this.rows.values()]);
  }

  changed(stored: StoredBinding): void {
    this.rows.set(stored.key, stored);
  }

  removed(key: string): void {
    this.rows.delete(key);
  }

  async flush(): Promise<void> {}
  async close(): Promise<void> {}
}
