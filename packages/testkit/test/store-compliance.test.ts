/** The suite for stores passes a store that is right, and finds each of these that is wrong. */
import { type OpenedStore, PuaError, type PuaRow, type RowSource, type StorePort } from '@pua/core';
import { type StoreFixture, storeCompliance } from '@pua/testkit';

/** What a table and its lease hold. */
class Disk {
  readonly rows = new Map<string, PuaRow>();
  holder: MapStore | null = null;
  clean = true;
}

const SIZE = 1024;

/** The contract on a Map, in the fewest lines. */
class MapStore implements StorePort {
  protected last = 0;
  protected durable = 0;
  #error: Error | null = null;
  #state: 'new' | 'open' | 'closed' = 'new';
  readonly #waiting = new Map<string, RowSource>();
  readonly #listeners: ((durable: number) => void)[] = [];

  constructor(protected readonly disk: Disk) {}

  async open(): Promise<OpenedStore> {
    const { disk } = this;
    if (this.#state !== 'new') throw new PuaError('PUA_ERR_STATE', 'opened before');
    if (disk.holder !== null) throw new PuaError('PUA_ERR_STORE_HELD', 'held');
    const unclean = !disk.clean;
    if (unclean) for (const [key, row] of disk.rows) disk.rows.set(key, this.raised(row));
    disk.holder = this;
    disk.clean = false;
    this.#state = 'open';
    return { rows: disk.rows.size, unclean };
  }

  protected raised(row: PuaRow): PuaRow {
    if (row.watcher_uri === '' || row.call_id === '') return row;
    return { ...row, cseq: Math.min(row.cseq + 1000, 2 ** 31 - 1) };
  }

  async load(pageSize: number, onPage: (rows: readonly PuaRow[]) => void): Promise<void> {
    if (this.#state !== 'open') throw new PuaError('PUA_ERR_STATE', 'not open');
    if (pageSize < 1) throw new PuaError('PUA_ERR_ARGUMENT', 'pageSize');
    const rows = [...this.disk.rows.values()].map((row) => this.read(row));
    for (let at = 0; at < rows.length; at += pageSize) onPage(rows.slice(at, at + pageSize));
  }

  protected read(row: PuaRow): PuaRow {
    return row;
  }

  changed(source: RowSource): number {
    if (this.#state === 'closed') return ++this.last;
    if (this.#waiting.size === 0) setImmediate(() => this.#state === 'open' && this.write());
    this.#waiting.set(source.key, source);
    return ++this.last;
  }

  protected write(): void {
    this.#error = null;
    for (const [key, source] of this.#waiting) {
      try {
        const row = source.row();
        if (row === null) this.disk.rows.delete(this.keyOf(key));
        else this.disk.rows.set(this.keyOf(key), this.checked(key, { ...row }));
      } catch (error) {
        this.#error = error as Error;
      }
    }
    this.#waiting.clear();
    this.durable = this.last;
    for (const listener of this.#listeners) {
      try {
        listener(this.durable);
      } catch {
        // Harms nobody.
      }
    }
  }

  protected keyOf(key: string): string {
    return key;
  }

  protected checked(key: string, row: PuaRow): PuaRow {
    if (row.record_key !== key) throw new TypeError(`${key}: another key`);
    for (const [name, value] of Object.entries(row)) {
      const fits = typeof value === 'number' ? value < 2 ** 31 : value !== undefined;
      if (!fits || (name === 'event' && typeof value !== 'number')) throw new TypeError(`${key}: ${name}`);
    }
    if (row.contact.length > SIZE) throw new TypeError(`${key}: contact`);
    return row;
  }

  status() {
    return { durable: this.durable, last: this.last, pending: this.#waiting.size, error: this.#error };
  }

  onDurable(listener: (durable: number) => void): void {
    this.#listeners.push(listener);
  }

  onLeaseLost(): void {}

  async flush(): Promise<void> {
    if (this.#state === 'closed') throw new PuaError('PUA_ERR_STATE', 'closed');
    if (this.durable < this.last) this.write();
  }

  async close(): Promise<void> {
    if (this.#state === 'open') {
      await this.flush();
      this.disk.holder = null;
      this.disk.clean = true;
    }
    this.#state = 'closed';
  }

  crash(): void {
    this.#state = 'closed';
    this.disk.holder = null;
  }
}

async function failures(make: (disk: Disk) => StorePort, keeps = true): Promise<string[]> {
  const fixture = async (): Promise<StoreFixture> => {
    const disk = new Disk();
    return { store: () => make(disk), dispose: async () => {} };
  };
  const crash = async (store: StorePort) => (store as MapStore).crash();
  const failed: string[] = [];
  for (const { name, run } of storeCompliance(fixture, keeps ? { crash } : { keeps })) {
    await run().catch(() => failed.push(name));
  }
  return failed;
}

test('a store that is right passes', async () => {
  expect(await failures((disk) => new MapStore(disk))).toEqual([]);
});

const MUTANTS: Readonly<Record<string, [mutant: new (disk: Disk) => MapStore, finds: RegExp]>> = {
  'keys without regard to case': [
    class extends MapStore {
      protected override keyOf(key: string): string {
        return key.toLowerCase();
      }
    },
    /keys that differ in case/,
  ],
  'trailing blanks that are cut': [
    class extends MapStore {
      protected override keyOf(key: string): string {
        return key.trimEnd();
      }
    },
    /trailing blanks/,
  ],
  'values that are cut': [
    class extends MapStore {
      protected override checked(key: string, row: PuaRow): PuaRow {
        return super.checked(key, { ...row, pres_uri: row.pres_uri.slice(0, 255) });
      }
    },
    /the longest URIs/,
  ],
  'null that becomes empty': [
    class extends MapStore {
      protected override read(row: PuaRow): PuaRow {
        return { ...row, tuple_id: row.tuple_id ?? '' };
      }
    },
    /every column comes back/,
  ],
  'bytes that become text': [
    class extends MapStore {
      protected override read(row: PuaRow): PuaRow {
        return { ...row, document: row.document === null ? null : Buffer.from(row.document as string).toString() };
      }
    },
    /the same octets/,
  ],
  'one row that stops all others': [
    class extends MapStore {
      protected override write(): void {
        const { rows } = this.disk;
        const before = new Map(rows);
        super.write();
        if (this.status().error === null) return;
        rows.clear();
        for (const [key, row] of before) rows.set(key, row);
      }
    },
    /can’t be written is told of/,
  ],
  'a mark that runs ahead': [
    class extends MapStore {
      override changed(source: RowSource): number {
        this.durable = this.last + 1;
        return super.changed(source);
      }
    },
    /all up to the durable mark|flush\(\)|close\(\) writes/,
  ],
  'CSeqs that are not raised': [
    class extends MapStore {
      protected override raised(row: PuaRow): PuaRow {
        return row;
      }
    },
    /1000 higher/,
  ],
  'a table for two': [
    class extends MapStore {
      override async open(): Promise<OpenedStore> {
        this.disk.holder = null;
        return super.open();
      }
    },
    /a second store is refused/,
  ],
};

test.each(Object.entries(MUTANTS))('found: %s', async (_, [Mutant, finds]) => {
  expect((await failures((disk) => new Mutant(disk))).join('\n')).toMatch(finds);
});
