/** What this package's stores do on every database, beyond what every StorePort must do. */
import type { PuaRow, StorePort } from '@pua/core';
import type { BadRow, StoreOptions } from '@pua/store';
import { type StoreFixture, storeCompliance } from '@pua/testkit';
import { KAMAILIO_COLUMNS } from '../dist/columns.js';
import { publicationRow, Source, subscriptionRow } from './rows';

export interface DatabaseFixture extends StoreFixture {
  store(options?: StoreOptions): StorePort;
  /** Runs a statement behind the store's back; plain SQL that every database understands, values written out. */
  sql(statement: string): Promise<Record<string, unknown>[]>;
}

interface Inside {
  readonly backend: { readonly worker: { terminate(): Promise<number> } | null; end(): Promise<void> };
}
const inside = (store: StorePort): Inside => store as unknown as Inside;

/** As kill -9 would: the lease stays until it has run out. */
const crash = (store: StorePort): Promise<void> => inside(store).backend.end();
/** As running out of memory would. */
export const killWorker = (store: StorePort) => inside(store).backend.worker!.terminate();

export async function loadAll(store: StorePort, pageSize = 100): Promise<PuaRow[]> {
  const all: PuaRow[] = [];
  await store.load(pageSize, (rows) => all.push(...rows));
  return all;
}

const tableNames = (table: string) => ({ table, lease: `${table}_lease` });

/** The published suite, and ours. */
export function databaseTests(make: () => Promise<DatabaseFixture>): void {
  describe('as every StorePort', () => {
    const quick = async () => {
      const fixture = await make();
      return { ...fixture, store: () => fixture.store({ writeDelayMs: 5, leaseMs: 300 }) };
    };
    for (const { name, run } of storeCompliance(quick, { crash })) test(name, run);
  });

  describe('as our stores', () => {
    let fixture: DatabaseFixture;

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
      test('two tables in one database know nothing of each other', async () => {
        const other = await openStore({ table: 'pua_two' });
        await fill([publicationRow('a')]);
        other.changed(new Source('b', publicationRow('b')));
        await other.flush();
        expect((await loadAll(other)).map((row) => row.record_key)).toEqual(['b']);
      });
    });

    describe('load', () => {
      test('a row without our key is reported and left alone; the others are loaded', async () => {
        await fill(['a', 'b', 'c'].map((key) => publicationRow(key)));
        await fixture.sql(`update ${table} set record_key = null where record_key = 'b'`);
        const bad: BadRow[] = [];
        const store = await openStore({ onBadRow: (row) => bad.push(row) });
        expect((await loadAll(store)).map((row) => row.record_key)).toEqual(['a', 'c']);
        expect(bad).toEqual([{ id: expect.any(Number), reason: expect.stringContaining('record_key') }]);
        expect(await fixture.sql(`select id from ${table}`)).toHaveLength(3);
      });
    });

    describe('write-behind', () => {
      test('many records go in several groups', async () => {
        const store = await openStore({ groupMax: 10, writeAt: 5 });
        const marks: number[] = [];
        store.onDurable((mark) => marks.push(mark));
        for (let i = 0; i < 95; i++) store.changed(new Source(`k${i}`, publicationRow(`k${i}`)));
        await store.flush();
        expect(marks).toEqual([10, 20, 30, 40, 50, 60, 70, 80, 90, 95]);
        expect(await loadAll(store)).toHaveLength(95);
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
        await fixture.sql(`alter table ${table} drop column more`);
        await expect(openStore()).rejects.toMatchObject({
          code: 'PUA_ERR_STORE_VERSION',
          message: expect.stringMatching(/lacks more:.*pua migrate/),
        });
        await fixture.sql(`alter table ${table} drop column etag`);
        await expect(openStore()).rejects.toMatchObject({
          code: 'PUA_ERR_STORE_VERSION',
          message: expect.stringMatching(/lacks the columns etag: .*db_table/),
        });
      });

      test('a table with another unique index is refused: not all rows have room', async () => {
        await fixture.sql(`create unique index too_narrow on ${table} (call_id)`);
        await expect(openStore()).rejects.toMatchObject({
          code: 'PUA_ERR_STORE_VERSION',
          message: expect.stringMatching(/the unique index too_narrow has no room for all rows.*pua migrate/),
        });
      });

      test('Kamailio can insert rows: our columns have defaults, equal etags and tags do not collide', async () => {
        const names = KAMAILIO_COLUMNS.map((column) => column.name).join(', ');
        const values = KAMAILIO_COLUMNS.map((column) => (column.type === 'int' ? '1' : "'x'")).join(', ');
        for (let i = 0; i < 2; i++) await fixture.sql(`insert into ${table} (${names}) values (${values})`);
        const found = await fixture.sql(`select record_key, event_name, asked_expires, document from ${table}`);
        const row = { record_key: null, event_name: '', asked_expires: -1, document: null };
        expect(found).toEqual([row, row]);
        expect(await (await openStore()).flush()).toBeUndefined();
      });
    });
  });
}
