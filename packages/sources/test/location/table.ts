/** What is kept in a table, on whatever database: a process that is killed leaves what was written, another one reads it. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { BindingEvent, Clock, Timer } from '@pua/core';
import { Bindings, type ContactUpdate, locationTable } from '@pua/sources';
import { openDatabase } from '@pua/store';

/** Real timers: the database runs in real time. */
class SystemClock implements Clock {
  constructor(readonly ahead = 0) {}
  now(): number {
    return performance.now() + this.ahead;
  }
  wall(): number {
    return Date.now() + this.ahead;
  }
  after(ms: number, run: () => void): Timer {
    const timer = setTimeout(run, ms);
    return { cancel: () => clearTimeout(timer) };
  }
}

const AOR = 'sip:alice@example.com';
const contact = (uri: string, more: Partial<ContactUpdate> = {}): ContactUpdate => ({
  contact: uri,
  expires: 600,
  ...more,
});

/** @param url of a database without tables */
export function tableTests(url: () => Promise<string>): void {
  const opened: { close(): Promise<void> }[] = [];
  afterEach(async () => {
    for (const one of opened.splice(0)) await one.close();
  });

  async function open(database: string, ahead = 0, table?: string) {
    const store = locationTable(database, table === undefined ? {} : { table });
    const bindings = new Bindings({ clock: new SystemClock(ahead), store });
    const events: BindingEvent[] = [];
    bindings.onEvent((event) => void events.push(event));
    await bindings.open();
    opened.push(bindings);
    return { bindings, store, events };
  }

  async function rows(database: string, table = 'pua_location'): Promise<Record<string, unknown>[]> {
    const knex = openDatabase(database);
    try {
      return await knex(table).select().orderBy('contact');
    } finally {
      await knex.destroy();
    }
  }

  test('a binding is back after a restart, with all that is known of it, and nobody is told', async () => {
    const database = await url();
    const first = await open(database);
    first.bindings.register({
      aor: 'sip:%22a%22@example.com',
      callId: '"<\u00e4&>\'%\\0',
      cseq: 4_294_967_295,
      contacts: [
        contact('sip:alice@192.0.2.1:5060;transport=tls', {
          q: 0.333,
          instance: 'urn:uuid:0001',
          regId: 7,
          params: { methods: 'INVITE, ACK', audio: true, note: 'say "hi"' },
          pubGruu: 'sip:alice@example.com;gr=1',
          tempGruu: 'sip:tgruu.1@example.com;gr',
        }),
        contact('sip:forever@h', { expires: Number.POSITIVE_INFINITY }),
      ],
      received: 'sip:198.51.100.1:4001',
      path: '<sip:edge;lr;ob>, <sip:core;lr>',
      userAgent: 'Ph\u00f6ne/1',
      fromUri: 'sip:boss@example.com',
      publish: () => true,
    });
    first.bindings.register({ aor: 'tel:+1', table: 'guests', callId: 'b', cseq: 1, contacts: [contact('sip:b@h')] });
    await first.bindings.upsert(
      { aor: AOR, contact: 'sip:remote@h', bindingId: 'c1', expiresAt: 0, flags: 5 },
      { origin: 'reginfo', subscriptionId: 's1' },
    );
    await first.bindings.upsert(
      { aor: AOR, table: 'guests', contact: 'sip:guest@h', bindingId: 'c2', expiresAt: 0 },
      { origin: 'reginfo', subscriptionId: 's1' },
    );
    const before = [];
    for await (const binding of first.bindings.snapshot()) before.push(binding);
    await first.store.flush();

    const second = await open(database);
    const after = [];
    for await (const binding of second.bindings.snapshot()) after.push(binding);
    const byContact = (a: { contact: string }, b: { contact: string }) => (a.contact < b.contact ? -1 : 1);
    expect(after.sort(byContact)).toEqual(before.sort(byContact));
    expect(second.events).toEqual([]);
    expect(await second.bindings.listOwned(AOR, 's1')).toHaveLength(2);
    second.bindings.register({ aor: 'sip:%22a%22@example.com', callId: 'x', cseq: 1, contacts: '*' });
    expect(second.events.map(({ kind, hints }) => [kind, hints])).toEqual([
      ['delete', { publish: true, fromUri: 'sip:boss@example.com' }],
      ['delete', { publish: true, fromUri: 'sip:boss@example.com' }],
    ]);
  });

  test('what ran out meanwhile is told as expire, what was removed is gone, what was refreshed is as it was last', async () => {
    const database = await url();
    const first = await open(database);
    const register = (cseq: number, contacts: readonly ContactUpdate[]) =>
      first.bindings.register({ aor: AOR, callId: 'a', cseq, contacts });
    register(1, [
      contact('sip:short@h', { expires: 60 }),
      contact('sip:long@h', { expires: 600 }),
      contact('sip:gone@h'),
    ]);
    await first.store.flush();
    register(2, [contact('sip:long@h', { expires: 6_000 }), contact('sip:gone@h', { expires: 0 })]);
    await first.store.flush();

    const second = await open(database, 1_000_000);
    await new Promise<void>((done) => void second.bindings.onEvent(() => done()));
    expect(second.events).toMatchObject([
      { kind: 'expire', binding: { contact: 'sip:short@h' }, siblings: [{ contact: 'sip:long@h', cseq: 2 }] },
    ]);
    await second.store.flush();
    expect((await rows(database)).map(({ contact: uri }) => uri)).toEqual(['sip:long@h']);
  });

  test('the columns have the names of Kamailio', async () => {
    const database = await url();
    const { bindings, store } = await open(database, 0, 'my_bindings');
    bindings.register({
      aor: AOR,
      callId: 'call',
      cseq: 7,
      contacts: [contact('sip:a@h', { q: 0.5 })],
      userAgent: 'Phone',
    });
    await store.flush();
    const [row] = await rows(database, 'my_bindings');
    expect(row).toMatchObject({
      ruid: expect.stringMatching(/^b-[0-9a-f]{32}$/),
      username: 'alice',
      domain: 'example.com',
      contact: 'sip:a@h',
      q: 0.5,
      callid: 'call',
      user_agent: 'Phone',
      received: null,
      path: null,
      instance: null,
    });
    expect(Number(row!['cseq'])).toBe(7);
    expect(Math.abs(Number(row!['expires']) - Date.now() - 600_000)).toBeLessThan(60_000);
  });

  test('more than a group and a page of them, some removed', async () => {
    const database = await url();
    const first = await open(database);
    for (let i = 0; i < 4_500; i++)
      first.bindings.register({ aor: `sip:${i}@example.com`, callId: 'c', cseq: 1, contacts: [contact(`sip:${i}@h`)] });
    await first.store.flush();
    for (let i = 0; i < 2_200; i++)
      first.bindings.register({ aor: `sip:${i}@example.com`, callId: 'c', cseq: 2, contacts: '*' });
    await first.store.flush();
    const second = await open(database);
    expect(second.bindings.size).toBe(2_300);
    expect(second.events).toEqual([]);
  });

  test('close() writes what is left', async () => {
    const database = await url();
    const first = await open(database);
    first.bindings.register({ aor: AOR, callId: 'a', cseq: 1, contacts: [contact('sip:a@h')] });
    await first.bindings.close();
    opened.length = 0;
    expect(await rows(database)).toHaveLength(1);
  });

  test("a table that is not ours is refused, and so is Kamailio's own", async () => {
    const database = await url();
    const knex = openDatabase(database);
    await knex.schema.createTable('location', (made) => {
      made.string('ruid');
      made.string('username');
    });
    await knex.destroy();
    const store = locationTable(database, { table: 'location' });
    await expect(store.open(new SystemClock())).rejects.toMatchObject({
      code: 'PUA_ERR_STORE_VERSION',
      message: expect.stringMatching(/table location: lacks the columns domain, contact.*name another one/),
    });
  });

  test('a row that was damaged is told and left out', async () => {
    const database = await url();
    const first = await open(database);
    first.bindings.register({ aor: AOR, callId: 'a', cseq: 1, contacts: [contact('sip:a@h'), contact('sip:b@h')] });
    await first.store.flush();
    const knex = openDatabase(database);
    await knex('pua_location').where('contact', 'sip:a@h').update({ attrs: 'no JSON' });
    await knex.destroy();
    const faults: { where: string }[] = [];
    const listener = (message: unknown) => void faults.push(message as { where: string });
    subscribe('pua:fault', listener);
    const second = await open(database);
    unsubscribe('pua:fault', listener);
    expect(second.bindings.size).toBe(1);
    expect(faults).toEqual([
      expect.objectContaining({ where: expect.stringMatching(/row b-[0-9a-f]+ can't be read/) }),
    ]);
  });
}
