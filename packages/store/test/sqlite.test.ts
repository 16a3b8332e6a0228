import { channel } from 'node:diagnostics_channel';
import { existsSync } from 'node:fs';
import { mkdir, open as openFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type BadRow, openStore, type StoreEvent } from '@pua/store';
import Database from 'better-sqlite3';
import { COLUMNS } from '../dist/columns.js';
import { loadAll } from './database';
import { publicationRow, Source } from './rows';
import { emptyFixture, type SqliteFixture, sqliteFixture } from './sqlite-fixture';

// Processes and threads start slowly on a busy machine.
jest.setTimeout(30_000);

let fixture: SqliteFixture;
const events: StoreEvent[] = [];
const listen = (event: unknown) => events.push(event as StoreEvent);

beforeEach(async () => {
  fixture = await sqliteFixture();
  events.length = 0;
  channel('pua:store').subscribe(listen);
});
afterEach(async () => {
  channel('pua:store').unsubscribe(listen);
  await fixture.dispose();
});

/** Expects open() to fail with PUA_ERR_STORE_OPEN, the path and the remedy. */
async function refuses(file: string, remedy: RegExp, options = {}): Promise<void> {
  const error: unknown = await openStore(`sqlite:${file}`, options)
    .open()
    .catch((reason: unknown) => reason);
  expect(error).toMatchObject({ code: 'PUA_ERR_STORE_OPEN', message: expect.stringContaining(file) });
  expect((error as Error).message).toMatch(remedy);
}

test("the table has Kamailio's columns by name, type and order first, then ours; only record_key is unique", async () => {
  const empty = await emptyFixture();
  const store = empty.store();
  expect(await store.open()).toEqual({ rows: 0, unclean: false });
  const columns = await empty.sql('select name, type, "notnull" from pragma_table_info(\'pua\')');
  expect(columns.map((column) => column.name)).toEqual(['id', ...COLUMNS.map((column) => column.name)]);
  const described = columns.slice(0, 19).map(({ name, type, notnull }) => `${name} ${type}${notnull ? '' : ' null'}`);
  expect(described).toEqual([
    'id INTEGER',
    'pres_uri varchar(1024)',
    'pres_id varchar(1024)',
    'event INTEGER',
    'expires INTEGER',
    'desired_expires INTEGER',
    'flag INTEGER',
    'etag varchar(512)',
    'tuple_id varchar(64) null',
    'watcher_uri varchar(1024)',
    'call_id varchar(1024)',
    'to_tag varchar(512)',
    'from_tag varchar(512)',
    'cseq INTEGER',
    'record_route TEXT null',
    'contact varchar(1024)',
    'remote_contact varchar(1024)',
    'version INTEGER',
    'extra_headers TEXT',
  ]);
  expect(await empty.sql('select name, "unique" from pragma_index_list(\'pua\')')).toEqual([
    { name: 'pua_record_key', unique: 1 },
  ]);
  await store.close();
  await empty.dispose();
});

test('documents are TEXT or BLOB', async () => {
  const store = fixture.store();
  await store.open();
  store.changed(new Source('text', publicationRow('text', { document: '<a/>' })));
  store.changed(new Source('bytes', publicationRow('bytes', { document: Uint8Array.of(0, 255) })));
  await store.close();
  expect(await fixture.sql('select typeof(document) as kind from pua order by id')).toEqual([
    { kind: 'text' },
    { kind: 'blob' },
  ]);
});

test('rows with values of wrong types are reported by column, left alone, and the rest is loaded', async () => {
  const filler = fixture.store();
  await filler.open();
  for (const key of 'abcdef') filler.changed(new Source(key, publicationRow(key)));
  await filler.close();
  await fixture.sql("update pua set event = 'many' where record_key = 'b'");
  await fixture.sql("update pua set etag = x'00ff' where record_key = 'c'");
  await fixture.sql("update pua set cseq = 1.5 where record_key = 'd'");
  await fixture.sql("update pua set document = 17 where record_key = 'e'");
  const before = await fixture.sql('select * from pua');
  const bad: BadRow[] = [];
  const store = fixture.store({ onBadRow: (row) => bad.push(row) });
  await store.open();
  expect((await loadAll(store, 2)).map((row) => row.record_key)).toEqual(['a', 'f']);
  const expected = [
    { id: 2, reason: 'column event (int) holds string' },
    { id: 3, reason: 'column etag (string) holds bytes' },
    { id: 4, reason: 'column cseq (int) holds a number that is no safe integer' },
    { id: 5, reason: 'column document (document) holds number' },
  ];
  expect(bad).toEqual(expected);
  expect(events.filter((event) => event.type === 'badRow')).toEqual(
    expected.map((row) => ({ type: 'badRow', ...row })),
  );
  await store.close();
  expect(await fixture.sql('select * from pua')).toEqual(before);
});

test('what happens is published on the diagnostics channel', async () => {
  const store = fixture.store({ maxPending: 2, writeDelayMs: 60_000 });
  await store.open();
  for (const key of 'abc') store.changed(new Source(key, publicationRow(key)));
  store.changed(new Source('bad', publicationRow('bad', { etag: null as unknown as string })));
  await store.flush();
  await store.close();
  expect(events).toEqual([
    { type: 'opened', rows: 0, unclean: false },
    { type: 'rejected', key: 'bad', reason: 'column etag (string) holds null' },
    { type: 'group', records: 4, ms: expect.any(Number), pending: 0, durable: 4 },
    { type: 'closed', clean: true },
  ]);
});

describe('a database that fails while it runs', () => {
  /** A trigger stands for a disk that is full: SQLite reports a failure, until the trigger is dropped. */
  const fail = () =>
    fixture.sql("create trigger full before insert on pua begin select raise(abort, 'disk full'); end");

  const failure = () =>
    new Promise<void>((resolve) => {
      const hear = (event: unknown) => {
        if ((event as StoreEvent).type !== 'failure') return;
        channel('pua:store').unsubscribe(hear);
        resolve();
      };
      channel('pua:store').subscribe(hear);
    });

  test('the failure is shown, the backlog kept, and all is written once it works again', async () => {
    const store = fixture.store({ writeDelayMs: 0, retryMs: [1, 1], maxPending: 1 });
    await store.open();
    await fail();
    const failed = failure();
    store.changed(new Source('a', publicationRow('a')));
    store.changed(new Source('b', publicationRow('b')));
    await failed;
    expect(store.status()).toMatchObject({ durable: 0, pending: 2, error: { message: 'disk full' } });
    expect(events).toContainEqual({ type: 'backlog', pending: 2 });
    await fixture.sql('drop trigger full');
    await store.flush();
    expect(store.status()).toEqual({ durable: 2, last: 2, pending: 0, error: null });
    expect(await loadAll(store)).toHaveLength(2);
    await store.close();
  });

  test('close() gives up in bounded time, says what is unwritten, and the stop is not clean', async () => {
    const store = fixture.store({ closeMs: 20, retryMs: [1, 1] });
    await store.open();
    await fail();
    const failed = failure();
    store.changed(new Source('a', publicationRow('a')));
    await failed;
    await expect(store.close()).rejects.toMatchObject({
      code: 'PUA_ERR_STATE',
      message: 'closed with 1 records unwritten: disk full',
    });
    expect(await fixture.sql('select clean from pua_lease')).toEqual([{ clean: 0 }]);
  });

  test('a worker that dies is replaced, under the same lease, and nothing is lost', async () => {
    const store = fixture.store({ retryMs: [1, 1] });
    await store.open();
    const { backend } = store as unknown as { backend: { worker: { terminate(): Promise<number> } } };
    await backend.worker.terminate();
    store.changed(new Source('a', publicationRow('a')));
    await store.flush();
    expect(await loadAll(store)).toHaveLength(1);
    expect(await fixture.sql('select fence, clean from pua_lease')).toEqual([{ fence: 2, clean: 0 }]);
    await store.close();
    expect(await fixture.sql('select fence, clean from pua_lease')).toEqual([{ fence: 2, clean: 1 }]);
  });
});

describe('a file that cannot be used', () => {
  test('the directory is missing', async () => {
    await refuses(join(fixture.directory, 'none', 'pua.db'), /create the directory/);
  });

  test('the path is a directory', async () => {
    const path = join(fixture.directory, 'folder');
    await mkdir(path);
    await refuses(path, /check that it is a file/);
  });

  test('the place takes no files', async () => {
    await refuses('/proc/pua.db', /may read and write it/);
  });

  test('it is something else', async () => {
    await writeFile(fixture.file, 'this is a text '.repeat(1000));
    await refuses(fixture.file, /damaged or not an SQLite database/);
  });

  test('it is cut off', async () => {
    const store = fixture.store();
    await store.open();
    for (let i = 0; i < 200; i++)
      store.changed(new Source(`k${i}`, publicationRow(`k${i}`, { document: 'x'.repeat(900) })));
    await store.close();
    await truncate(fixture.file, 40_000);
    await refuses(fixture.file, /damaged/);
  });

  test('pages inside are damaged: load() says so', async () => {
    const filler = fixture.store();
    await filler.open();
    for (let i = 0; i < 200; i++)
      filler.changed(new Source(`k${i}`, publicationRow(`k${i}`, { document: 'x'.repeat(900) })));
    await filler.close();
    const db = new Database(fixture.file);
    const sql = "select pageno from dbstat where name = 'pua' and pagetype = 'leaf' order by pageno desc limit 1";
    const { pageno } = db.prepare<[], { pageno: number }>(sql).get()!;
    db.close();
    const handle = await openFile(fixture.file, 'r+');
    await handle.write(Buffer.alloc(4096, 0xee), 0, 4096, (pageno - 1) * 4096);
    await handle.close();
    const store = fixture.store();
    await store.open();
    await expect(loadAll(store)).rejects.toMatchObject({
      code: 'PUA_ERR_STORE_OPEN',
      message: expect.stringMatching(/damaged/),
    });
    await store.close();
  });

  test('the native part of better-sqlite3 is missing or of another Node.js', async () => {
    const missing = join(fixture.directory, 'none.node');
    // One line, whatever the driver says.
    await refuses(fixture.file, /^[^\n]+$/, { nativeBinding: missing });
    await refuses(fixture.file, /npm rebuild better-sqlite3.*compiler.*memory:/, { nativeBinding: missing });
    const wrong = join(fixture.directory, 'wrong.node');
    await writeFile(wrong, 'no shared object');
    await refuses(fixture.file, /npm rebuild better-sqlite3.*compiler.*memory:/, { nativeBinding: wrong });
  });

  test('nothing is touched before open()', async () => {
    await rm(fixture.file);
    const store = fixture.store();
    store.changed(new Source('a', publicationRow('a')));
    expect(existsSync(fixture.file)).toBe(false);
    await store.close();
    expect(existsSync(fixture.file)).toBe(false);
  });
});
