/** What stores do on a database server that goes away, or whose connections break. */
import { channel } from 'node:diagnostics_channel';
import type { PuaRow, StorePort } from '@pua/core';
import type { StoreEvent, StoreOptions } from '@pua/store';
import { openStore } from '@pua/store';
import type { DatabaseFixture } from './database';
import { Relay } from './relay';
import { publicationRow, Source } from './rows';

export interface ServerFixture extends DatabaseFixture {
  readonly database: { readonly host: string; readonly port: number; readonly url: string };
  /** Another connection to the database, until dispose(). */
  another(): Promise<DatabaseFixture['sql']>;
}

export interface ServerTraits {
  /** How many statements wait for a lock. */
  readonly waiting: string;
  /** Makes a session the last one to find out about a deadlock. */
  readonly patient: string;
}

export function outageTests(make: () => Promise<ServerFixture>, { patient, waiting }: ServerTraits): void {
  let fixture: ServerFixture;
  let relay: Relay;
  let url: string;
  const stores: StorePort[] = [];
  const events: StoreEvent[] = [];
  const listen = (event: unknown) => events.push(event as StoreEvent);

  beforeEach(async () => {
    fixture = await make();
    relay = await Relay.to(fixture.database);
    url = fixture.database.url.replace(`:${fixture.database.port}/`, `:${relay.port}/`);
    events.length = 0;
    channel('pua:store').subscribe(listen);
  });
  afterEach(async () => {
    channel('pua:store').unsubscribe(listen);
    await Promise.allSettled(stores.splice(0).map((store) => store.close()));
    await relay.away();
    await fixture.dispose();
  });

  const storeOf = (options: StoreOptions = {}): StorePort => {
    const store = openStore(url, { writeDelayMs: 5, retryMs: [5, 50], closeMs: 1_000, ...options });
    stores.push(store);
    return store;
  };
  const opened = async (options?: StoreOptions): Promise<StorePort> => {
    const store = storeOf(options);
    await store.open();
    return store;
  };
  const failure = () =>
    new Promise<StoreEvent>((resolve) => {
      const hear = (event: unknown) => {
        if ((event as StoreEvent).type !== 'failure') return;
        channel('pua:store').unsubscribe(hear);
        resolve(event as StoreEvent);
      };
      channel('pua:store').subscribe(hear);
    });
  const rows = async (): Promise<PuaRow[]> =>
    (await fixture.sql('select record_key, etag from pua order by record_key')) as unknown as PuaRow[];
  const leaseHasRunOut = async (sinceMs = 0) => {
    for (;;) {
      const [lease] = await fixture.sql('select until_ms from pua_lease');
      if (Number(lease?.until_ms) + sinceMs < Date.now()) return;
    }
  };

  test('a connection that broke while nothing was to do is opened again, and nobody notices', async () => {
    const store = await opened();
    relay.cut();
    store.changed(new Source('a', publicationRow('a')));
    await store.flush();
    expect(await rows()).toHaveLength(1);
    await store.close();
    expect(await fixture.sql('select clean from pua_lease')).toEqual([{ clean: 1 }]);
  });

  test('while it is away the backlog has one entry per record; afterwards the newest states are written', async () => {
    const store = await opened();
    const sources = Array.from({ length: 20 }, (_, i) => new Source(`k${i}`, publicationRow(`k${i}`)));
    for (const source of sources) store.changed(source);
    await store.flush();
    await relay.away();
    const failed = failure();
    for (let turn = 1; turn <= 100; turn++) {
      for (const source of sources) {
        source.state = publicationRow(source.key, { etag: `e${turn}` });
        store.changed(source);
      }
    }
    expect(await failed).toMatchObject({ pending: 20, error: { code: 'PUA_ERR_STORE_OPEN' } });
    expect(store.status()).toMatchObject({
      durable: 20,
      last: 2020,
      pending: 20,
      error: {
        message: expect.stringMatching(
          /^cannot use (mysql|postgres):\/\/\w+@.*ECONNREFUSED.*is the database server running/,
        ),
      },
    });
    sources[0]!.state = null;
    store.changed(sources[0]!);
    await relay.back();
    await store.flush();
    expect(store.status()).toEqual({ durable: 2021, last: 2021, pending: 0, error: null });
    expect((await rows()).map((row) => row.etag)).toEqual(Array(19).fill('e100'));
  });

  test('a commit whose answer was lost is repeated, and does no harm', async () => {
    const store = await opened();
    const gone = new Source('gone', publicationRow('gone'));
    store.changed(gone);
    await store.flush();
    const lost = relay.loseAnswerTo('commit');
    const failed = failure();
    gone.state = null;
    for (const source of [gone, new Source('a', publicationRow('a'))]) store.changed(source);
    await lost;
    await failed;
    expect(store.status()).toMatchObject({ durable: 1, last: 3 });
    expect(await rows()).toHaveLength(1);
    await store.flush();
    expect(await rows()).toHaveLength(1);
    expect(events.map(({ type }) => type)).toEqual(['opened', 'group', 'failure', 'group']);
  });

  test('away for longer than the lease, and nobody came: it goes on', async () => {
    const store = await opened({ leaseMs: 100 });
    await relay.away();
    store.changed(new Source('a', publicationRow('a')));
    await leaseHasRunOut();
    await relay.back();
    await store.flush();
    expect(await rows()).toHaveLength(1);
  });

  test('away for longer than the lease, and somebody came: nothing is overwritten, the loss is told', async () => {
    const store = await opened({ leaseMs: 100 });
    const heard = new Promise<string>((resolve) => store.onLeaseLost(resolve));
    await relay.away();
    store.changed(new Source('a', publicationRow('a', { etag: 'late' })));
    await leaseHasRunOut();
    const other = fixture.store({ holder: 'other' });
    expect(await other.open()).toMatchObject({ unclean: true });
    other.changed(new Source('a', publicationRow('a', { etag: 'theirs' })));
    await other.flush();
    await relay.back();
    expect(await heard).toBe('other');
    await expect(store.flush()).rejects.toMatchObject({ code: 'PUA_ERR_STORE_HELD' });
    expect(await rows()).toEqual([{ record_key: 'a', etag: 'theirs' }]);
  });

  describe('a server that does not answer', () => {
    test('is not flooded with renewals of the lease afterwards', async () => {
      const store = await opened({ leaseMs: 120 });
      relay.hang();
      await leaseHasRunOut(1_000);
      const requests: string[] = [];
      relay.see((request) => requests.push(request));
      store.changed(new Source('a', publicationRow('a')));
      relay.resume();
      await store.flush();
      // The one that hung, perhaps one more, and the fence of the group.
      expect(requests.filter((request) => request.includes('until_ms')).length).toBeLessThanOrEqual(3);
    });

    test('does not keep close() for longer than closeMs', async () => {
      const store = await opened({ closeMs: 50 });
      relay.hang();
      store.changed(new Source('a', publicationRow('a')));
      await expect(store.close()).rejects.toMatchObject({
        code: 'PUA_ERR_STATE',
        message: 'closed with 1 records unwritten: it is too slow',
      });
    });
  });

  describe('load()', () => {
    const keys = Array.from({ length: 30 }, (_, i) => `k${i}`);
    beforeEach(async () => {
      const filler = fixture.store();
      await filler.open();
      for (const key of keys) filler.changed(new Source(key, publicationRow(key)));
      await filler.close();
    });

    test('goes on where it was when the connection broke, with each row once', async () => {
      const store = await opened();
      const found: string[] = [];
      await store.load(2, (page) => {
        found.push(...page.map((row) => row.record_key));
        if (found.length % 10 === 0) relay.cut();
      });
      expect(found).toEqual(keys);
    });

    test('waits for a database that comes back', async () => {
      const store = await opened();
      const found: string[] = [];
      let back: Promise<void> | undefined;
      await store.load(10, (page) => {
        found.push(...page.map((row) => row.record_key));
        back ??= relay.away().then(() => relay.back());
      });
      await back;
      expect(found).toEqual(keys);
    });

    test('ends when somebody else has the table meanwhile', async () => {
      const store = await opened({ leaseMs: 60_000 });
      const loading = store.load(1, ([row]) => {
        if (row!.record_key === 'k0') relay.cut();
      });
      await fixture.sql("update pua_lease set holder = 'thief', fence = fence + 1");
      await expect(loading).rejects.toMatchObject({ code: 'PUA_ERR_STORE_HELD', message: /thief/ });
    });
  });

  describe('close()', () => {
    test('is bounded, and says how much is not written', async () => {
      const store = await opened({ closeMs: 100 });
      await relay.away();
      for (const key of ['a', 'b']) store.changed(new Source(key, publicationRow(key)));
      await expect(store.close()).rejects.toMatchObject({
        code: 'PUA_ERR_STATE',
        message: expect.stringMatching(/^closed with 2 records unwritten: cannot use .*ECONNREFUSED/),
      });
      expect(await fixture.sql('select clean from pua_lease')).toEqual([{ clean: 0 }]);
    });

    test('says when all is written, but the stop could not be marked as clean', async () => {
      const store = await opened();
      await relay.away();
      await expect(store.close()).rejects.toMatchObject({
        code: 'PUA_ERR_STATE',
        message: expect.stringMatching(/^closed with all written, but the lease not given back: cannot use/),
      });
      expect(events.at(-1)).toEqual({ type: 'closed', clean: false });
    });
  });

  describe('open()', () => {
    const refusal = (store: StorePort) => store.open().catch((error: unknown) => error);

    test('of a database that is away fails at once, with the remedy, and may be tried again', async () => {
      await relay.away();
      const store = storeOf();
      const text = /^cannot use \w+:\/\/\w+@127\.0\.0\.1:\d+\/\w+: .*ECONNREFUSED.*; is the database server running/;
      expect(await refusal(store)).toMatchObject({ code: 'PUA_ERR_STORE_OPEN', message: expect.stringMatching(text) });
      await relay.back();
      expect(await store.open()).toEqual({ rows: 0, unclean: false });
    });

    test('of a database that does not exist says so', async () => {
      const store = openStore(`${url}_none`);
      expect(await refusal(store)).toMatchObject({
        code: 'PUA_ERR_STORE_OPEN',
        message: expect.stringMatching(/create the database, or check its name in db_url/),
      });
    });
  });

  test('a deadlock is tried again at once', async () => {
    const store = await opened();
    for (const key of ['a', 'b']) store.changed(new Source(key, publicationRow(key)));
    await store.flush();
    // Many changes make the other one the more expensive victim.
    await fixture.sql('create table other (n integer)');
    await fixture.sql(`insert into other values ${Array.from({ length: 2000 }, (_, n) => `(${n})`).join(', ')}`);
    await fixture.sql(patient);
    await fixture.sql('begin');
    await fixture.sql('update other set n = n + 1');
    await fixture.sql("select id from pua where record_key = 'b' for update");
    for (const key of ['a', 'b']) store.changed(new Source(key, publicationRow(key, { etag: 'after' })));
    const probe = await fixture.another();
    while (Number((await probe(waiting))[0]?.waiting) === 0);
    await fixture.sql("select id from pua where record_key = 'a' for update");
    await fixture.sql('commit');
    await store.flush();
    expect((await rows()).map((row) => row.etag)).toEqual(['after', 'after']);
    expect(events.map(({ type }) => type)).toEqual(['opened', 'group', 'group']);
  });
}
