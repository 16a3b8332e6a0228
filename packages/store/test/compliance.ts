/** What every StorePort with a database behind it must do; run for each database with its own fixture. */
import type { PuaRow, StorePort } from '@pua/core';
import type { BadRow, StoreOptions } from '@pua/store';
import { fullRow, publicationRow, Source, subscriptionRow } from './rows';

export interface StoreFixture {
  /** A new store on the same database each time. */
  store(options?: StoreOptions): StorePort;
  /** Runs a statement behind the store's back; plain SQL that every database understands, values written out. */
  sql(statement: string): Promise<Record<string, unknown>[]>;
  /** Closes the stores it made, however far they came, and removes the database. */
  dispose(): Promise<void>;
}

export async function loadAll(store: StorePort, pageSize = 100): Promise<PuaRow[]> {
  const all: PuaRow[] = [];
  await store.load(pageSize, (rows) => all.push(...rows));
  return all;
}

const tableNames = (table: string) => ({ table, lease: `${table}_lease` });

export function storeCompliance(name: string, make: () => Promise<StoreFixture>): void {
  describe(`${name}: what every store does`, () => {
    let fixture: StoreFixture;

    const newStore = (options?: StoreOptions): StorePort => fixture.store({ writeDelayMs: 5, ...options });
    const openStore = async (options?: StoreOptions): Promise<StorePort> => {
      const store = newStore(options);
      await store.open();
      return store;
    };
    /** Writes rows, stops cleanly. */
    const fill = async (rows: readonly PuaRow[], options?: StoreOptions): Promise<void> => {
      const store = await openStore(options);
      for (const row of rows) store.changed(new Source(row.record_key, row));
      await store.close();
    };
    const { table, lease } = tableNames('pua');

    beforeEach(async () => {
      fixture = await make();
    });
    afterEach(() => fixture.dispose());

    describe('rows', () => {
      test('a new table is empty and cleanly stopped', async () => {
        const store = newStore();
        expect(await store.open()).toEqual({ rows: 0, unclean: false });
        expect(await loadAll(store)).toEqual([]);
        expect(store.status()).toEqual({ durable: 0, last: 0, pending: 0, error: null });
      });

      test('every column comes back as it was, with nulls, Unicode, line ends, empty strings', async () => {
        const nulls = { tuple_id: null, record_route: null, document: null, content_type: null } as const;
        const rows = [fullRow('full'), fullRow('nulls', { ...nulls, outbound_proxy: null, more: null })];
        rows.push(publicationRow('plain'), publicationRow('empty', { document: '', more: '', record_route: '' }));
        await fill(rows);
        const store = newStore();
        expect(await store.open()).toEqual({ rows: 4, unclean: false });
        expect(await loadAll(store)).toEqual(rows);
      });

      test('documents come back as text or bytes, whichever they were', async () => {
        const bytes = Uint8Array.from({ length: 256 }, (_, i) => i);
        // A view into a larger buffer, as a received packet is.
        const view = new Uint8Array(new ArrayBuffer(70_000), 100, 3).fill(7);
        const texts = ['<a/>', 'ß', 'x'.repeat(300_000)];
        const documents = [...texts, bytes, view, new Uint8Array(0)];
        await fill(documents.map((document, i) => publicationRow(`k${i}`, { document })));
        const found = (await loadAll(await openStore())).map((row) => row.document);
        expect(found.slice(0, 3)).toEqual(texts);
        for (const document of found.slice(3)) expect(document).toBeInstanceOf(Uint8Array);
        expect(found.slice(3).map((document) => [...(document as Uint8Array)])).toEqual([[...bytes], [7, 7, 7], []]);
      });

      test('keys that differ in case or trailing blanks only are different records', async () => {
        const keys = ['key', 'Key', 'key ', 'këy', 'KEY'];
        await fill(keys.map((key) => publicationRow(key, { etag: 'same', version: key.length })));
        expect((await loadAll(await openStore())).map((row) => row.record_key)).toEqual(keys);
      });

      test('a record is one row, rewritten in place; an ended record has none', async () => {
        const store = await openStore();
        const one = new Source('one', publicationRow('one', { etag: 'a' }));
        const two = new Source('two', publicationRow('two'));
        store.changed(one);
        store.changed(two);
        await store.flush();
        one.state = publicationRow('one', { etag: 'b', document: '<b/>' });
        two.state = null;
        store.changed(one);
        store.changed(two);
        store.changed(new Source('never written', null));
        await store.flush();
        expect(await loadAll(store)).toEqual([one.state]);
        one.state = null;
        store.changed(one);
        await store.close();
        expect(await (await openStore()).flush()).toBeUndefined();
        expect(await fixture.sql(`select id from ${table}`)).toEqual([]);
      });

      test('a record that ended and began again under its key is there', async () => {
        const store = await openStore();
        store.changed(new Source('k', publicationRow('k', { etag: 'old' })));
        await store.flush();
        store.changed(new Source('k', null));
        store.changed(new Source('k', publicationRow('k', { etag: 'new' })));
        await store.flush();
        expect((await loadAll(store)).map((row) => row.etag)).toEqual(['new']);
      });

      test('two tables in one database know nothing of each other', async () => {
        const other = await openStore({ table: 'pua_two' });
        await fill([publicationRow('a')]);
        other.changed(new Source('b', publicationRow('b')));
        await other.flush();
        expect((await loadAll(other)).map((row) => row.record_key)).toEqual(['b']);
      });
    });

    describe('load', () => {
      test('pages hold at most pageSize rows; each row comes once; nothing is deleted', async () => {
        const keys = Array.from({ length: 25 }, (_, i) => `k${i}`);
        await fill(keys.map((key) => publicationRow(key)));
        const store = await openStore();
        for (const [size, pages] of [
          [10, [10, 10, 5]],
          [25, [25]],
          [5, [5, 5, 5, 5, 5]],
          [1000, [25]],
        ] as const) {
          const found: string[][] = [];
          await store.load(size, (rows) => found.push(rows.map((row) => row.record_key)));
          expect(found.map((page) => page.length)).toEqual(pages);
          expect(found.flat()).toEqual(keys);
        }
      });

      test('rows written while it runs are not part of it', async () => {
        await fill(Array.from({ length: 200 }, (_, i) => publicationRow(`k${i}`)));
        const store = await openStore({ writeDelayMs: 0, writeAt: 1 });
        const found: string[] = [];
        await store.load(1, ([row]) => {
          found.push(row!.record_key);
          store.changed(new Source(`new ${row!.record_key}`, publicationRow(`new ${row!.record_key}`)));
        });
        expect(store.status().durable).toBeGreaterThan(0);
        expect(found).toHaveLength(200);
        await store.flush();
        expect(await loadAll(store)).toHaveLength(400);
      });

      test('an error of the caller ends it and is handed on', async () => {
        await fill(Array.from({ length: 30 }, (_, i) => publicationRow(`k${i}`)));
        const store = await openStore();
        let calls = 0;
        const loading = store.load(5, () => {
          calls++;
          throw new Error('caller');
        });
        await expect(loading).rejects.toThrow('caller');
        expect(calls).toBe(1);
        expect(await loadAll(store)).toHaveLength(30);
      });

      test('a row without our key is reported and left alone; the others are loaded', async () => {
        await fill(['a', 'b', 'c'].map((key) => publicationRow(key)));
        await fixture.sql(`update ${table} set record_key = null where record_key = 'b'`);
        const bad: BadRow[] = [];
        const store = await openStore({ onBadRow: (row) => bad.push(row) });
        expect((await loadAll(store)).map((row) => row.record_key)).toEqual(['a', 'c']);
        expect(bad).toEqual([{ id: 2, reason: expect.stringContaining('record_key') }]);
        expect(await fixture.sql(`select id from ${table}`)).toHaveLength(3);
      });

      test('asks for a sensible page size and an open store', async () => {
        await expect(newStore().load(10, () => {})).rejects.toMatchObject({ code: 'PUA_ERR_STATE' });
        const store = await openStore();
        await expect(store.load(0, () => {})).rejects.toMatchObject({ code: 'PUA_ERR_ARGUMENT' });
      });
    });

    describe('write-behind', () => {
      test('the durable mark reaches the last change, listeners hear of it, without flush', async () => {
        const store = await openStore();
        const marks: number[] = [];
        const reached = new Promise<void>((resolve) => {
          store.onDurable((mark) => {
            marks.push(mark);
            if (mark === 3) resolve();
          });
        });
        const source = new Source('a', publicationRow('a'));
        expect([store.changed(source), store.changed(source)]).toEqual([1, 2]);
        expect(store.changed(new Source('b', publicationRow('b')))).toBe(3);
        expect(store.status()).toMatchObject({ durable: 0, last: 3, pending: 2 });
        await reached;
        expect(source.asked).toBe(1);
        expect(store.status()).toEqual({ durable: 3, last: 3, pending: 0, error: null });
        expect(await fixture.sql(`select record_key from ${table} order by id`)).toHaveLength(2);
      });

      test('many records go in several groups', async () => {
        const store = await openStore({ groupMax: 10, writeAt: 5 });
        const marks: number[] = [];
        store.onDurable((mark) => marks.push(mark));
        for (let i = 0; i < 95; i++) store.changed(new Source(`k${i}`, publicationRow(`k${i}`)));
        await store.flush();
        expect(marks).toEqual([10, 20, 30, 40, 50, 60, 70, 80, 90, 95]);
        expect(await loadAll(store)).toHaveLength(95);
      });

      test('changes reported before open() are written after it', async () => {
        const store = newStore();
        store.changed(new Source('a', publicationRow('a')));
        await store.open();
        await store.flush();
        expect(await loadAll(store)).toHaveLength(1);
      });

      test('a record with an impossible value is left out and told of; the others are written', async () => {
        const store = await openStore();
        store.changed(new Source('good', publicationRow('good')));
        store.changed(new Source('bad', { ...publicationRow('bad'), event: 'x' as unknown as number }));
        store.changed(new Source('lost', { ...publicationRow('lost'), etag: undefined as unknown as string }));
        store.changed(new Source('strange', publicationRow('other key')));
        store.changed({
          key: 'throws',
          row: () => {
            throw new Error('broken source');
          },
        });
        await store.flush();
        expect(store.status()).toMatchObject({ durable: 5, pending: 0, error: { code: 'PUA_ERR_ARGUMENT' } });
        expect((await loadAll(store)).map((row) => row.record_key)).toEqual(['good']);
        store.changed(new Source('good', publicationRow('good')));
        await store.flush();
        expect(store.status().error).toBeNull();
      });

      test('a listener that throws harms nobody', async () => {
        const store = await openStore();
        store.onDurable(() => {
          throw new Error('listener');
        });
        const heard = new Promise((resolve) => store.onDurable(resolve));
        store.changed(new Source('a', publicationRow('a')));
        await store.flush();
        expect(await heard).toBe(1);
      });

      test('close() writes what waits, may be called twice, and then changes nothing', async () => {
        const store = await openStore({ writeDelayMs: 60_000 });
        store.changed(new Source('a', publicationRow('a')));
        await Promise.all([store.close(), store.close()]);
        expect(store.changed(new Source('b', publicationRow('b')))).toBe(2);
        await expect(store.flush()).rejects.toMatchObject({ code: 'PUA_ERR_STATE' });
        await expect(store.open()).rejects.toMatchObject({ code: 'PUA_ERR_STATE' });
        expect((await loadAll(await openStore())).map((row) => row.record_key)).toEqual(['a']);
      });

      test('a store that was never opened closes', async () => {
        const store = newStore();
        await store.close();
        await expect(store.open()).rejects.toMatchObject({ code: 'PUA_ERR_STATE' });
      });
    });

    describe('lease', () => {
      test('a second store on the table is refused with the name of the holder, and the first goes on', async () => {
        const first = await openStore({ holder: 'first-node' });
        await expect(openStore({ holder: 'second' })).rejects.toMatchObject({
          code: 'PUA_ERR_STORE_HELD',
          message: expect.stringMatching(
            new RegExp(`"pua" is held by "first-node" \\(host .+, pid ${process.pid}\\) until 20`),
          ),
        });
        first.changed(new Source('a', publicationRow('a')));
        await first.flush();
        await first.close();
        expect(await (await openStore()).flush()).toBeUndefined();
      });

      test('a refused store may try again', async () => {
        const first = await openStore();
        const second = newStore();
        await expect(second.open()).rejects.toMatchObject({ code: 'PUA_ERR_STORE_HELD' });
        await first.close();
        expect(await second.open()).toEqual({ rows: 0, unclean: false });
      });

      test('a lease of another host holds until it has run out', async () => {
        await (await openStore()).close();
        const set = `update ${lease} set holder = 'far', host = 'another-host', pid = 1, clean = 0`;
        await fixture.sql(`${set}, until_ms = ${Date.now() + 60_000}`);
        await expect(openStore()).rejects.toMatchObject({
          code: 'PUA_ERR_STORE_HELD',
          message: expect.stringContaining('"far" (host another-host, pid 1)'),
        });
        await fixture.sql(`${set}, until_ms = ${Date.now() - 1}`);
        expect(await newStore().open()).toEqual({ rows: 0, unclean: true });
      });

      test('who loses the lease writes nothing any more and says so', async () => {
        await fill([publicationRow('a', { etag: 'kept' })]);
        const store = await openStore({ leaseMs: 60_000 });
        const heard = new Promise<string>((resolve) => store.onLeaseLost(resolve));
        await fixture.sql(`update ${lease} set holder = 'thief', fence = fence + 1`);
        store.changed(new Source('a', publicationRow('a', { etag: 'overwritten' })));
        store.changed(new Source('b', publicationRow('b')));
        await expect(store.flush()).rejects.toMatchObject({
          code: 'PUA_ERR_STORE_HELD',
          message: expect.stringContaining('thief'),
        });
        expect(await heard).toBe('thief');
        expect(store.status()).toMatchObject({ durable: 0, error: { code: 'PUA_ERR_STORE_HELD' } });
        store.changed(new Source('c', publicationRow('c')));
        await store.close();
        expect(await fixture.sql(`select record_key, etag from ${table}`)).toEqual([{ record_key: 'a', etag: 'kept' }]);
        // The thief's lease was not given back either.
        expect(await fixture.sql(`select holder, clean from ${lease}`)).toEqual([{ holder: 'thief', clean: 0 }]);
      });

      test('an idle store finds out by itself, and keeps its lease alive meanwhile', async () => {
        const store = await openStore({ leaseMs: 100 });
        const [before] = await fixture.sql(`select until_ms from ${lease}`);
        let renewed = before;
        while (Number(renewed?.until_ms) === Number(before?.until_ms)) {
          [renewed] = await fixture.sql(`select until_ms from ${lease}`);
          await new Promise(setImmediate);
        }
        const heard = new Promise<string>((resolve) => store.onLeaseLost(resolve));
        await fixture.sql(`update ${lease} set holder = 'thief', fence = fence + 1`);
        expect(await heard).toBe('thief');
      });
    });

    describe('stops', () => {
      const rows = [
        publicationRow('publication', { cseq: 5 }),
        subscriptionRow('subscription', { cseq: 7 }),
        subscriptionRow('no dialog', { cseq: 8, call_id: '' }),
        subscriptionRow('exhausted', { cseq: 2 ** 31 - 500 }),
      ];
      const cseqs = async (store: StorePort) => (await loadAll(store)).map((row) => row.cseq);
      const most = 2 ** 31 - 1;

      test('after a clean one nothing is raised', async () => {
        await fill(rows);
        const store = newStore();
        expect(await store.open()).toEqual({ rows: 4, unclean: false });
        expect(await cseqs(store)).toEqual([5, 7, 8, 2 ** 31 - 500]);
      });

      test('after an unclean one the CSeqs of dialogs are 1000 higher on disk, below 2^31; again after the next', async () => {
        await fill(rows);
        const crash = `update ${lease} set clean = 0, until_ms = 1`;
        await fixture.sql(crash);
        const store = newStore();
        expect(await store.open()).toEqual({ rows: 4, unclean: true });
        const onDisk = await fixture.sql(`select cseq from ${table} order by id`);
        expect(onDisk.map((row) => Number(row.cseq))).toEqual([5, 1007, 8, most]);
        expect(await cseqs(store)).toEqual([5, 1007, 8, most]);
        await store.close();
        await fixture.sql(crash);
        const again = newStore();
        expect(await again.open()).toEqual({ rows: 4, unclean: true });
        expect(await cseqs(again)).toEqual([5, 2007, 8, most]);
      });

      test('rows that no holder left behind count as an unclean stop', async () => {
        await fill(rows);
        await fixture.sql(`delete from ${lease}`);
        const store = newStore();
        expect(await store.open()).toEqual({ rows: 4, unclean: true });
        expect(await cseqs(store)).toEqual([5, 1007, 8, most]);
      });
    });

    describe('versions', () => {
      test("Kamailio's version 7 stands in its table", async () => {
        await fill([]);
        const found = await fixture.sql('select table_name, table_version from version order by id');
        expect(found.map((row) => [row.table_name, Number(row.table_version)])).toEqual([
          ['pua', 7],
          ['pua_lease', 1],
        ]);
      });

      test.each([
        ['pua', 8, /"pua", expected 7.*db_table/],
        ['pua', 9, /OpenSIPS.*db_table/],
        ['pua_lease', 2, /newer version.*upgrade/],
        ['pua_lease', 0, /pua migrate/],
      ])('%s at version %d is refused with the remedy, and untouched', async (name, version, text) => {
        await fill([publicationRow('a')]);
        await fixture.sql(`update version set table_version = ${version} where table_name = '${name}'`);
        await expect(openStore()).rejects.toMatchObject({
          code: 'PUA_ERR_STORE_VERSION',
          message: expect.stringMatching(text),
        });
        expect(await fixture.sql(`select clean from ${lease}`)).toEqual([{ clean: 1 }]);
      });

      test("Kamailio's own table is refused, naming what it lacks", async () => {
        await fill([]);
        await fixture.sql(`alter table ${table} drop column more`);
        await expect(openStore()).rejects.toMatchObject({
          code: 'PUA_ERR_STORE_VERSION',
          message: expect.stringMatching(/lacks more:.*pua migrate/),
        });
        await fixture.sql(`alter table ${table} drop column etag`);
        await expect(openStore()).rejects.toMatchObject({
          code: 'PUA_ERR_STORE_VERSION',
          message: expect.stringMatching(/lacks the columns etag, more: .*db_table/),
        });
      });
    });
  });
}
