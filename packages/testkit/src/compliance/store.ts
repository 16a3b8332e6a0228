/**
 * What every StorePort must do, as tests for any runner:
 *
 *     for (const { name, run } of storeCompliance(makeFixture)) test(name, run);
 */
import assert from 'node:assert/strict';
import type { PuaRow, StorePort } from '@pua/core';
import type { ComplianceCase } from './sip.js';
import { fullRow, publicationRow, RowHolder, subscriptionRow } from './store-rows.js';

/** A database of its own for one test. */
export interface StoreFixture {
  /** A new store, not opened, on the same database each time. */
  store(): StorePort;
  /** Closes the stores it made, however far they came, and removes the database. */
  dispose(): Promise<void>;
}

export interface StoreComplianceOptions {
  /** false: storage that is off; what survives a restart is not asked for. Default true. */
  readonly keeps?: boolean;
  /**
   * Ends a store as `kill -9` of its process would: nothing more is written, nothing given back. Opening is then tried
   * until the lease has run out. Without it nothing is asked about crashes.
   */
  readonly crash?: (store: StorePort) => Promise<void>;
}

type Check = (fixture: StoreFixture) => Promise<void>;

const CSEQ_MOST = 2 ** 31 - 1;
const LONG_URI = `sip:${'a'.repeat(1008)}@example.org`;

const octets = (document: PuaRow['document']): string =>
  document === null ? 'null' : Buffer.from(document as string).toString('hex');

const withCode = (code: string) => (error: unknown) => (error as { code?: unknown }).code === code;

async function opened(fixture: StoreFixture): Promise<StorePort> {
  const store = fixture.store();
  await store.open();
  return store;
}

async function loadAll(store: StorePort, pageSize = 100): Promise<PuaRow[]> {
  const rows: PuaRow[] = [];
  await store.load(pageSize, (page) => rows.push(...page));
  return rows;
}

/** Writes rows, stops cleanly. */
async function fill(fixture: StoreFixture, rows: readonly PuaRow[]): Promise<void> {
  const store = await opened(fixture);
  for (const row of rows) store.changed(new RowHolder(row.record_key, row));
  await store.close();
}

const keysOf = (rows: readonly PuaRow[]): string[] => rows.map((row) => row.record_key);

async function reopened(fixture: StoreFixture): Promise<PuaRow[]> {
  return loadAll(await opened(fixture));
}

const numbered = (count: number): PuaRow[] => Array.from({ length: count }, (_, i) => publicationRow(`k${i}`));

/** Asked of storage that is off as well. */
const ALWAYS: Readonly<Record<string, Check>> = {
  'a new store is empty and was stopped cleanly': async (fixture) => {
    const store = fixture.store();
    assert.deepEqual(await store.open(), { rows: 0, unclean: false });
    assert.deepEqual(await loadAll(store), []);
    assert.deepEqual(store.status(), { durable: 0, last: 0, pending: 0, error: null });
  },

  'changes are numbered from 1, and flush() makes the mark reach the last one': async (fixture) => {
    const store = await opened(fixture);
    const source = new RowHolder('a', publicationRow('a'));
    const numbers = [store.changed(source), store.changed(source), store.changed(new RowHolder('b', null))];
    assert.deepEqual(numbers, [1, 2, 3]);
    await store.flush();
    assert.deepEqual(store.status(), { durable: 3, last: 3, pending: 0, error: null });
  },

  'listeners hear of the mark without flush(), in rising order; one that throws harms nobody': async (fixture) => {
    const store = await opened(fixture);
    store.onDurable(() => {
      throw new Error('a listener that fails');
    });
    const marks: number[] = [];
    const reached = new Promise<void>((resolve) => {
      store.onDurable((mark) => {
        marks.push(mark);
        if (mark === 100) resolve();
      });
    });
    for (const row of numbered(100)) store.changed(new RowHolder(row.record_key, row));
    await reached;
    assert.deepEqual(
      marks,
      [...new Set(marks)].sort((a, b) => a - b),
    );
  },

  'changed() never asks for the row in the caller’s own turn': async (fixture) => {
    const store = await opened(fixture);
    const source = new RowHolder('a', publicationRow('a'));
    for (let i = 0; i < 10_000; i++) store.changed(source);
    assert.equal(source.asked, 0);
    await store.flush();
  },

  'close() may be called twice, and before open()': async (fixture) => {
    const store = await opened(fixture);
    await Promise.all([store.close(), store.close()]);
    await fixture.store().close();
  },
};

const KEEPING: Readonly<Record<string, Check>> = {
  'every column comes back as it was, with nulls, Unicode, line ends, empty strings': async (fixture) => {
    const nulls = { tuple_id: null, record_route: null, document: null, content_type: null } as const;
    const rows = [
      fullRow('full'),
      fullRow('nulls', { ...nulls, outbound_proxy: null, more: null }),
      publicationRow('plain'),
      publicationRow('empty', { document: '', more: '', record_route: '', tuple_id: '' }),
    ];
    await fill(fixture, rows);
    const store = fixture.store();
    assert.deepEqual(await store.open(), { rows: 4, unclean: false });
    assert.deepEqual(await loadAll(store), rows);
  },

  'the longest URIs, ids, tags and lifetimes that core lets through have room': async (fixture) => {
    const long = { pres_uri: LONG_URI, watcher_uri: LONG_URI, contact: LONG_URI, remote_contact: LONG_URI };
    const row = subscriptionRow(`s|1|256|${LONG_URI}|${LONG_URI}|${'i'.repeat(255)}`, {
      ...long,
      outbound_proxy: LONG_URI,
      pres_id: 'i'.repeat(255),
      etag: 'e'.repeat(128),
      tuple_id: 't'.repeat(64),
      call_id: 'c'.repeat(255),
      to_tag: 't'.repeat(128),
      from_tag: 'f'.repeat(128),
      content_type: 'c'.repeat(255),
      record_route: Array(50).fill('<sip:proxy.example.com;lr>').join(','),
      extra_headers: 'X-Long: long\r\n'.repeat(5_000),
      more: JSON.stringify({ long: 'x'.repeat(100_000) }),
      expires: CSEQ_MOST,
      desired_expires: CSEQ_MOST,
      cseq: CSEQ_MOST,
    });
    await fill(fixture, [row]);
    assert.deepEqual(await reopened(fixture), [row]);
  },

  'a document comes back with the same octets, text or not': async (fixture) => {
    const all = Uint8Array.from({ length: 256 }, (_, i) => i);
    // A view into a larger buffer, as a received packet is.
    const view = new Uint8Array(new ArrayBuffer(70_000), 100, 3).fill(200);
    const documents = ['<a/>', 'ß', '\ufeff<bom/>', "\\'\0\n\x1a", 'x'.repeat(300_000), all, view, new Uint8Array(0)];
    await fill(
      fixture,
      documents.map((document, i) => publicationRow(`k${i}`, { document })),
    );
    const found = await reopened(fixture);
    assert.deepEqual(
      found.map((row) => octets(row.document)),
      documents.map(octets),
    );
    for (const row of found.slice(0, 5)) assert.equal(typeof row.document, 'string');
  },

  'keys that differ in case, accents or trailing blanks only are different records': async (fixture) => {
    const keys = ['key', 'Key', 'key ', 'këy', 'KEY'];
    await fill(
      fixture,
      keys.map((key) => publicationRow(key, { etag: 'same', version: key.length })),
    );
    assert.deepEqual(keysOf(await reopened(fixture)), keys);
  },

  'equal entity-tags, and forks of one Call-ID, have room': async (fixture) => {
    const same = { etag: 'same', tuple_id: 't', call_id: 'c@host', from_tag: 'f' };
    await fill(
      fixture,
      ['a', 'b', 'c'].map((key) => subscriptionRow(key, same)),
    );
    assert.deepEqual(keysOf(await reopened(fixture)), ['a', 'b', 'c']);
  },

  'a record is one row, rewritten in place; an ended record has none': async (fixture) => {
    const store = await opened(fixture);
    const [one, two] = [
      new RowHolder('one', publicationRow('one', { etag: 'a' })),
      new RowHolder('two', publicationRow('two')),
    ];
    store.changed(one);
    store.changed(two);
    await store.flush();
    one.state = publicationRow('one', { etag: 'b', document: '<b/>' });
    two.state = null;
    for (const source of [one, two, new RowHolder('never written', null)]) store.changed(source);
    await store.flush();
    assert.deepEqual(await loadAll(store), [one.state]);
    one.state = null;
    store.changed(one);
    await store.close();
    assert.deepEqual(await reopened(fixture), []);
  },

  'a record that ended and began again under its key is there': async (fixture) => {
    const store = await opened(fixture);
    store.changed(new RowHolder('k', publicationRow('k', { etag: 'old' })));
    await store.flush();
    store.changed(new RowHolder('k', null));
    store.changed(new RowHolder('k', publicationRow('k', { etag: 'new' })));
    await store.flush();
    assert.deepEqual(
      (await loadAll(store)).map((row) => row.etag),
      ['new'],
    );
  },

  'a record that changes often before it is written is asked once': async (fixture) => {
    const store = await opened(fixture);
    const source = new RowHolder('a', publicationRow('a'));
    for (let i = 0; i < 100; i++) store.changed(source);
    assert.equal(store.status().pending, 1);
    await store.flush();
    assert.equal(source.asked, 1);
  },

  'load(): pages of at most pageSize rows, each row once, nothing deleted': async (fixture) => {
    const rows = numbered(25);
    await fill(fixture, rows);
    const store = await opened(fixture);
    for (const size of [1, 10, 25, 1000]) {
      const pages: (readonly PuaRow[])[] = [];
      await store.load(size, (page) => pages.push(page));
      assert.deepEqual(keysOf(pages.flat()), keysOf(rows));
      assert.ok(pages.every((page) => page.length > 0 && page.length <= size));
    }
  },

  'load(): rows written while it runs are not part of it': async (fixture) => {
    await fill(fixture, numbered(50));
    const store = await opened(fixture);
    const found: string[] = [];
    await store.load(1, ([row]) => {
      found.push(row!.record_key);
      store.changed(new RowHolder(`new ${row!.record_key}`, publicationRow(`new ${row!.record_key}`)));
    });
    assert.equal(found.length, 50);
    await store.flush();
    assert.equal((await loadAll(store)).length, 100);
  },

  'load(): an error of the caller ends it and is handed on': async (fixture) => {
    await fill(fixture, numbered(30));
    const store = await opened(fixture);
    let calls = 0;
    const loading = store.load(5, () => {
      calls++;
      throw new Error('of the caller');
    });
    await assert.rejects(loading, /of the caller/);
    assert.equal(calls, 1);
    assert.equal((await loadAll(store)).length, 30);
  },

  'load() asks for an open store and a sensible page size': async (fixture) => {
    await assert.rejects(
      fixture.store().load(10, () => {}),
      withCode('PUA_ERR_STATE'),
    );
    const store = await opened(fixture);
    await assert.rejects(
      store.load(0, () => {}),
      withCode('PUA_ERR_ARGUMENT'),
    );
  },

  'changes reported before open() are written after it': async (fixture) => {
    const store = fixture.store();
    store.changed(new RowHolder('a', publicationRow('a')));
    await store.open();
    await store.flush();
    assert.deepEqual(keysOf(await loadAll(store)), ['a']);
  },

  'a record that can’t be written is told of; the others are written': async (fixture) => {
    const store = await opened(fixture);
    const broken = {
      key: 'throws',
      row: (): never => {
        throw new Error('a source that fails');
      },
    };
    const bad = [
      new RowHolder('number', { ...publicationRow('number'), event: 'x' as unknown as number }),
      new RowHolder('missing', { ...publicationRow('missing'), etag: undefined as unknown as string }),
      new RowHolder('long', publicationRow('long', { contact: `${LONG_URI}b` })),
      new RowHolder('large', publicationRow('large', { cseq: CSEQ_MOST + 1 })),
      new RowHolder('strange', publicationRow('another key')),
      broken,
    ];
    for (const source of bad) {
      store.changed(new RowHolder(`before ${source.key}`, publicationRow(`before ${source.key}`)));
      store.changed(source);
    }
    await store.flush();
    const { durable, pending, error } = store.status();
    assert.deepEqual([durable, pending], [bad.length * 2, 0]);
    assert.notEqual(error, null);
    assert.deepEqual(
      keysOf(await loadAll(store)),
      bad.map(({ key }) => `before ${key}`),
    );
    store.changed(new RowHolder('good', publicationRow('good')));
    await store.flush();
    assert.equal(store.status().error, null);
  },

  'close() writes what waits; then nothing is written any more': async (fixture) => {
    const store = await opened(fixture);
    store.changed(new RowHolder('a', publicationRow('a')));
    await store.close();
    assert.equal(store.changed(new RowHolder('b', publicationRow('b'))), 2);
    await assert.rejects(store.flush(), withCode('PUA_ERR_STATE'));
    await assert.rejects(store.open(), withCode('PUA_ERR_STATE'));
    assert.deepEqual(keysOf(await reopened(fixture)), ['a']);
  },

  'a second store is refused while the first has the table, which goes on; it may try again': async (fixture) => {
    const [first, second] = [await opened(fixture), fixture.store()];
    await assert.rejects(second.open(), withCode('PUA_ERR_STORE_HELD'));
    first.changed(new RowHolder('a', publicationRow('a')));
    await first.close();
    assert.deepEqual(await second.open(), { rows: 1, unclean: false });
  },

  'of stores that open a new database at the same time exactly one gets it': async (fixture) => {
    const racers = await Promise.allSettled([1, 2, 3].map(() => opened(fixture)));
    const refused = racers.flatMap((racer) => (racer.status === 'rejected' ? [racer.reason.code] : []));
    assert.deepEqual(refused, ['PUA_ERR_STORE_HELD', 'PUA_ERR_STORE_HELD']);
  },

  'after a clean stop no CSeq is raised': async (fixture) => {
    await fill(fixture, [subscriptionRow('s', { cseq: 7 })]);
    const store = fixture.store();
    assert.deepEqual(await store.open(), { rows: 1, unclean: false });
    assert.equal((await loadAll(store))[0]!.cseq, 7);
  },
};

/** Opens as soon as the lease of the store that crashed is over. */
async function openAfterCrash(fixture: StoreFixture): Promise<{ store: StorePort; unclean: boolean; rows: number }> {
  for (;;) {
    const store = fixture.store();
    try {
      return { store, ...(await store.open()) };
    } catch (error) {
      if (!withCode('PUA_ERR_STORE_HELD')(error)) throw error;
    }
  }
}

const crashing = (crash: (store: StorePort) => Promise<void>): Readonly<Record<string, Check>> => ({
  'after a crash all up to the durable mark is there': async (fixture) => {
    const store = await opened(fixture);
    const rows = numbered(300);
    let durable = 0;
    const half = new Promise<void>((resolve) => {
      store.onDurable((mark) => {
        durable = mark;
        if (mark >= 150) resolve();
      });
    });
    for (const row of rows) store.changed(new RowHolder(row.record_key, row));
    await half;
    const promised = durable;
    await crash(store);
    const found = await openAfterCrash(fixture);
    assert.equal(found.unclean, true);
    const keys = new Set(keysOf(await loadAll(found.store)));
    assert.equal(keys.size, found.rows);
    assert.deepEqual(
      keysOf(rows)
        .slice(0, promised)
        .filter((key) => !keys.has(key)),
      [],
    );
  },

  'after each crash the CSeqs of dialogs are 1000 higher, below 2^31': async (fixture) => {
    await fill(fixture, [
      publicationRow('publication', { cseq: 5 }),
      subscriptionRow('dialog', { cseq: 7 }),
      subscriptionRow('no dialog', { cseq: 8, call_id: '' }),
      subscriptionRow('exhausted', { cseq: CSEQ_MOST - 500 }),
    ]);
    await crash(await opened(fixture));
    for (const raised of [1007, 2007]) {
      const { store, unclean } = await openAfterCrash(fixture);
      assert.equal(unclean, true);
      assert.deepEqual(
        (await loadAll(store)).map((row) => row.cseq),
        [5, raised, 8, CSEQ_MOST],
      );
      await crash(store);
    }
  },
});

/**
 * The tests, each with a database of its own that `make` gives and that is disposed of afterwards. What a store can be
 * configured to do is for its own tests.
 */
export function storeCompliance(
  make: () => Promise<StoreFixture>,
  { keeps = true, crash }: StoreComplianceOptions = {},
): readonly ComplianceCase[] {
  const checks = { ...ALWAYS, ...(keeps ? KEEPING : {}), ...(crash ? crashing(crash) : {}) };
  return Object.entries(checks).map(([name, check]) => ({
    name,
    run: async () => {
      const fixture = await make();
      try {
        await check(fixture);
      } finally {
        await fixture.dispose();
      }
    },
  }));
}
