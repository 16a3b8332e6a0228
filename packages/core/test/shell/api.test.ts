/** The rest of the contract: callbacks, hooks, commands, dialogs, looking in. */
import type { Cause, ProcessInput, PuaRow } from '@pua/core';
import { settled } from '../support/clock';
import {
  ALICE,
  BOB,
  establish,
  listen,
  make,
  notify,
  publication,
  type Running,
  start,
  subscription,
} from '../support/pua';
import { FakeSip } from '../support/sip';
import { FakeStore } from '../support/store';

const argument = expect.objectContaining({ code: 'PUA_ERR_ARGUMENT' });
const granted = (etag: string, expires = '3600') =>
  [
    ['SIP-ETag', etag],
    ['Expires', expires],
  ] as const;

describe('registerCallback', () => {
  test('cause and param: request, refresh, recovery', async () => {
    const { pua, sip } = await start();
    const heard: [Cause, unknown, number, boolean, string][] = [];
    pua.registerCallback(
      ['RPC_PUBLISH', 'UL_PUBLISH'],
      (record, reply, { cause, param }) => void heard.push([cause, param, reply.status, reply.received, record.state]),
      'param',
    );
    pua.sendPublish({ ...publication, cbParam: 'own' });
    sip.last.reply(200, granted('e1'));
    sip.clock.advance(3_300_000);
    sip.last.timeout();
    sip.clock.advance(3_000);
    sip.last.reply(200, granted('e2'));
    expect(heard).toEqual([
      ['request', 'param', 200, true, 'published'],
      ['refresh', 'param', 408, false, 'waiting'],
      ['recovery', 'param', 200, true, 'published'],
    ]);
    expect([...pua.list()][0]?.cbParam).toBe('own');
  });

  test('only for its sources, until it is taken back', async () => {
    const { pua, sip } = await start();
    let heard = 0;
    const off = pua.registerCallback('RPC_PUBLISH', () => heard++);
    pua.registerCallback('UL_PUBLISH', () => (heard += 100));
    pua.sendPublish(publication);
    sip.last.reply(403);
    off();
    pua.sendPublish(publication);
    sip.last.reply(403);
    expect(heard).toBe(1);
  });

  test('every flag of the table may be registered, anything else not', async () => {
    const { pua } = await start();
    for (let bit = 1; bit <= 131072; bit *= 2) pua.registerCallback(bit, () => {});
    for (const types of [0, 3, 'NOPE', [], ['RPC_PUBLISH', 'NOPE']])
      expect(() => pua.registerCallback(types as never, () => {})).toThrow(argument);
  });

  test('XMPP_INITIAL_SUBS hears of the answers to requests, not of refreshes', async () => {
    const running = await start();
    const heard: Cause[] = [];
    running.pua.registerCallback('XMPP_INITIAL_SUBS', (_record, _reply, { cause }) => void heard.push(cause));
    establish(running, { sourceFlag: 'XMPP_INITIAL_SUBS' });
    notify(running, { callId: running.sip.last.request.callId, localTag: running.sip.last.request.from.tag });
    running.sip.clock.advance(3_300_000);
    running.sip.last.reply(200, [['Expires', '3600']]);
    expect([running.sip.sent.length, heard]).toEqual([2, ['request']]);
  });

  test('one that throws is told on pua:fault and disturbs nobody', async () => {
    const faults = listen('pua:fault');
    const { pua, sip } = await start();
    let heard = 0;
    pua.registerCallback('RPC_PUBLISH', () => {
      throw new Error('broken');
    });
    pua.registerCallback('RPC_PUBLISH', () => heard++);
    const handle = pua.sendPublish({
      ...publication,
      callback: () => {
        throw new Error('broken too');
      },
    });
    sip.last.reply(200, granted('e'));
    expect(await handle.result).toMatchObject({ outcome: 'accepted' });
    expect(heard).toBe(1);
    expect(faults.messages.map(({ where }) => where)).toEqual(['callback for source 64', `callback of ${handle.key}`]);
  });

  test('a callback may publish and un-publish the same record', async () => {
    const { pua, sip } = await start();
    const bodies = ['two', 'three'];
    pua.registerCallback('RPC_PUBLISH', (record) => {
      const body = bodies.shift();
      if (body) pua.sendPublish({ ...publication, body });
      else if (record.etag !== '') pua.sendPublish({ ...publication, expires: 0 });
    });
    pua.sendPublish({ ...publication, body: 'one' });
    for (let n = 1; n <= 4; n++) sip.sent[n - 1]!.reply(200, n === 4 ? [] : granted(`e${n}`));
    const sent = sip.sent.map(({ request }) => String(request.body?.content ?? '-').split('/')[0]);
    expect(sent).toEqual(['one', 'two', 'three', '-']);
    expect([[...pua.list()], sip.clock.pending]).toEqual([[], 0]);
  });

  test('a callback at the end may open the record anew', async () => {
    const store = new FakeStore();
    const { pua, sip } = await start({ store });
    pua.sendPublish(publication);
    sip.last.reply(200, granted('e1'));
    const handle = pua.sendPublish({
      ...publication,
      expires: 0,
      callback: () => void pua.sendPublish({ ...publication, body: 'again' }),
    });
    sip.last.reply(200);
    expect(String(sip.last.request.body?.content)).toMatch(/^again/);
    expect(sip.last.header('SIP-If-Match')).toBeUndefined();
    expect(pua.show(handle.key)?.state).toBe('publishing');
    expect([pua.stats().records.publications, store.rows.size]).toEqual([1, 1]);
  });
});

describe('documentNeeded', () => {
  /** A row as Kamailio left it: no document. */
  const taken = (sip: { clock: { wall(): number } }, more: Partial<PuaRow> = {}): PuaRow => ({
    record_key: `p|1|64|${ALICE}|`,
    pres_uri: ALICE,
    pres_id: '',
    event: 1,
    event_name: '',
    flag: 64,
    expires: Math.round(sip.clock.wall() / 1000) + 600,
    desired_expires: 0,
    etag: 'k1',
    tuple_id: 'tid',
    watcher_uri: '',
    call_id: '',
    to_tag: '',
    from_tag: '',
    cseq: 0,
    record_route: null,
    contact: '',
    remote_contact: '',
    version: 7,
    extra_headers: '',
    document: null,
    content_type: null,
    outbound_proxy: null,
    remote_cseq: 0,
    subscription_state: '',
    min_expires: 0,
    asked_expires: -1,
    pending: 0,
    not_before: 0,
    more: null,
    ...more,
  });

  async function lost(more: Partial<PuaRow> = {}, before: (pua: Running['pua']) => void = () => {}) {
    const sip = new FakeSip();
    const store = new FakeStore([taken(sip, more)]);
    const running = make({ sip, store });
    before(running.pua);
    await running.pua.start();
    return {
      ...running,
      /** The refresh gets 412. */
      lose: async () => {
        sip.clock.advance(560_000);
        expect(sip.last.header('SIP-If-Match')).toBe('k1');
        sip.last.reply(412);
        sip.clock.advance(5_000);
        await settled();
      },
    };
  }

  test('a row without document is refreshed by its etag', async () => {
    const { sip } = await lost();
    sip.clock.advance(560_000);
    expect(sip.last.request).toMatchObject({ method: 'PUBLISH' });
    expect(sip.last.request.body).toBeUndefined();
  });

  test('412: the module is asked, what it gives is published with version and id that go on', async () => {
    const { pua, sip, lose } = await lost();
    const asked: string[] = [];
    pua.documentNeeded('UL_PUBLISH', () => 'wrong source');
    pua.documentNeeded('RPC_PUBLISH', (record) => {
      asked.push(record.presUri);
      return undefined;
    });
    pua.documentNeeded('RPC_PUBLISH', async () => 'known');
    await lose();
    expect(asked).toEqual([ALICE]);
    expect(sip.last.request.body?.content).toBe('known/8/tid');
    expect(sip.last.header('SIP-If-Match')).toBeUndefined();
    expect([...pua.list()][0]?.desiredExpires).toBe(0);
  });

  test('a finite lifetime stays what it was', async () => {
    const end = Math.round(new FakeSip().clock.wall() / 1000) + 7200;
    const { pua, lose } = await lost({ desired_expires: end });
    pua.documentNeeded('RPC_PUBLISH', () => 'known');
    await lose();
    expect(Math.abs([...pua.list()][0]!.desiredExpires - end)).toBeLessThanOrEqual(1);
  });

  test('nobody knows it, or whoever should throws: told as lost', async () => {
    const heard = listen('pua:publication');
    const faults = listen('pua:fault');
    const { pua, lose } = await lost();
    pua.documentNeeded('RPC_PUBLISH', () => {
      throw new Error('broken');
    });
    await lose();
    expect(heard.messages.map(({ type }) => type).filter((type) => type !== 'answer')).toEqual([
      'document-needed',
      'lost',
    ]);
    expect(faults.messages).toHaveLength(1);
    expect([...pua.list()].map(({ state }) => state)).toEqual(['parked']);
  });

  test('what its processor refuses is not known: the next one is asked, then it is told as lost', async () => {
    const heard = listen('pua:publication');
    const faults = listen('pua:fault');
    const { pua, lose } = await lost();
    const hook = jest.fn(() => 'refuse');
    pua.documentNeeded('RPC_PUBLISH', hook);
    pua.documentNeeded('RPC_PUBLISH', () => hook());
    await lose();
    expect(hook).toHaveBeenCalledTimes(2);
    expect(heard.messages.at(-1)).toMatchObject({ type: 'lost' });
    expect(faults.messages[0]).toMatchObject({
      error: expect.objectContaining({ message: 'not a presence document' }),
    });
  });

  test('what nobody knew is asked for again after a restart', async () => {
    const PARKED = 4;
    const { pua, sip } = await lost({ etag: '', expires: 0, pending: PARKED }, (made) => {
      made.documentNeeded('RPC_PUBLISH', () => 'known by now');
    });
    sip.clock.advance(1);
    await settled();
    expect(sip.last.request.body?.content).toMatch(/^known by now/);
    await pua.stop();
  });

  test('the owner was faster than the answer: its document stays', async () => {
    const { pua, sip, lose } = await lost();
    let give = (_body: string) => {};
    pua.documentNeeded('RPC_PUBLISH', () => new Promise<string>((done) => (give = done)));
    await lose();
    pua.sendPublish({ ...publication, body: 'newest' });
    give('late');
    await settled();
    sip.last.reply(200, granted('e'));
    expect(sip.sent.map(({ request }) => String(request.body?.content ?? '').split('/')[0])).toEqual(['', 'newest']);
  });
});

describe('commands', () => {
  const command = (name: string, aliases: string[] = []) => ({ name, aliases, positional: [], run: () => name });

  test('by name and alias', async () => {
    const { pua } = await start();
    const one = command('pua.one', ['pua_one']);
    pua.registerCommand(one);
    expect([pua.command('pua.one'), pua.command('pua_one'), pua.command('x')]).toEqual([one, one, undefined]);
    expect(pua.commands()).toEqual([one]);
  });

  test.each([
    ['the name', command('pua.one')],
    ['an alias as name', command('pua_one')],
    ['the name as alias', command('new', ['pua.one'])],
    ['an alias twice', command('new', ['a', 'a'])],
    ['its own name as alias', command('new', ['new'])],
  ])('registered twice: %s, and nothing of it is kept', async (_name, second) => {
    const { pua } = await start();
    const one = command('pua.one', ['pua_one']);
    pua.registerCommand(one);
    expect(() => pua.registerCommand(second)).toThrow(argument);
    expect(pua.commands()).toEqual([one]);
    expect(pua.command('new')).toBeUndefined();
  });
});

describe('dialogs', () => {
  const query = (dialog: { callId: string; localTag: string }, more: object = {}) => ({
    presUri: ALICE,
    watcherUri: BOB,
    callId: dialog.callId,
    fromTag: dialog.localTag,
    toTag: 'remote',
    ...more,
  });

  test('isDialog: provisional until the 2xx or the NOTIFY, then established', async () => {
    const running = await start();
    const { pua, sip } = running;
    pua.sendSubscribe({ ...subscription, id: 'list' });
    const dialog = { callId: sip.last.request.callId, localTag: sip.last.request.from.tag };
    expect(pua.isDialog(query(dialog, { toTag: '' }))).toBe('provisional');
    expect(pua.getRecordId(query(dialog, { toTag: '' }))).toBe('list');
    notify(running, dialog);
    expect(pua.isDialog(query(dialog))).toBe('established');
    expect(pua.getRecordId(query(dialog))).toBe('list');
  });

  test.each([
    ['Call-ID', { callId: 'x' }],
    ['From tag', { fromTag: 'x' }],
    ['To tag', { toTag: 'x' }],
    ['presentity', { presUri: BOB }],
    ['watcher', { watcherUri: ALICE }],
  ])('another %s is unknown', async (_name, more) => {
    const running = await start();
    const dialog = establish(running, { id: 'list' });
    expect(running.pua.isDialog(query(dialog, more))).toBe('unknown');
    expect(running.pua.getRecordId(query(dialog, more))).toBeUndefined();
  });

  test('getSubscriptions: exactly that id, no publications', async () => {
    const running = await start();
    for (const [id, presUri] of [
      ['list', ALICE],
      ['list', 'sip:carol@example.com'],
      ['list2', BOB],
    ])
      running.pua.sendSubscribe({ ...subscription, id: id!, presUri: presUri! });
    running.pua.sendPublish({ ...publication, id: 'list', presUri: 'sip:dave@example.com' });
    expect(running.pua.getSubscriptions('list')).toEqual([ALICE, 'sip:carol@example.com']);
    expect(running.pua.getSubscriptions('nope')).toEqual([]);
  });

  test('updateContact: the next request goes there, and it is stored', async () => {
    const store = new FakeStore();
    const running = await start({ store });
    const { pua, sip } = running;
    const dialog = establish(running);
    const tags = { callId: dialog.callId, fromTag: dialog.localTag, toTag: 'remote' };
    expect(pua.updateContact(tags, 'sip:new@10.0.0.8')).toBe(true);
    expect(store.rows.get(dialog.handle.key)?.remote_contact).toBe('sip:new@10.0.0.8');
    pua.sendSubscribe(subscription);
    expect(sip.last.request).toMatchObject({ uri: 'sip:new@10.0.0.8', hop: { host: '10.0.0.8' } });
    expect(pua.updateContact({ ...tags, toTag: 'x' }, 'sip:new@10.0.0.8')).toBe(false);
    expect(pua.updateContact({ ...tags, callId: 'x' }, 'sip:new@10.0.0.8')).toBe(false);
    expect(() => pua.updateContact(tags, 'sip:x\r\nEvil: 1')).toThrow(argument);
  });
});

describe('looking in', () => {
  test('show and list', async () => {
    const running = await start();
    const { pua, sip } = running;
    const { key } = pua.sendPublish({ ...publication, expires: 600, extraHeaders: 'X: 1', outboundProxy: 'sip:p' });
    sip.last.reply(200, granted('e1', '600'));
    const now = Math.round(sip.clock.wall() / 1000);
    expect(pua.show(key)).toMatchObject({
      key,
      kind: 'publication',
      state: 'published',
      presUri: ALICE,
      event: 'presence',
      sourceFlag: 64,
      expires: now + 600,
      desiredExpires: now + 600,
      etag: 'e1',
      contentType: 'application/pidf+xml',
      extraHeaders: [['X', '1']],
      outboundProxy: 'sip:p',
      failures: 0,
    });
    expect(pua.show('nope')).toBeUndefined();
    establish(running);
    const kinds = (filter?: object) => [...pua.list(filter)].map(({ kind }) => kind);
    expect(kinds()).toEqual(['publication', 'subscription']);
    expect(kinds({ kind: 'subscription' })).toEqual(['subscription']);
    expect(kinds({ presUri: BOB })).toEqual([]);
    expect(kinds({ event: 'Presence' })).toHaveLength(2);
    expect(kinds({ event: 'dialog;sla' })).toEqual([]);
    expect(kinds({ sourceFlag: 64 })).toEqual(['publication']);
    expect(kinds({ state: 'subscribed' })).toEqual(['subscription']);
  });

  test('stats return to their baseline', async () => {
    const store = new FakeStore();
    const running = await start({ store });
    const { pua, sip } = running;
    const baseline = {
      records: { publications: 0, subscriptions: 0 },
      states: {},
      inFlight: 0,
      queued: 0,
      scheduled: 0,
      dialogs: 0,
    };
    expect(pua.stats()).toMatchObject(baseline);
    for (let n = 0; n < 20; n++) pua.sendPublish({ ...publication, presUri: `sip:u${n}@example.com` });
    const dialog = establish(running);
    expect(pua.stats()).toMatchObject({
      records: { publications: 20, subscriptions: 1 },
      states: { 'publication publishing': 20, 'subscription subscribed': 1 },
      inFlight: 20,
      scheduled: 1,
      dialogs: 1,
    });
    for (const sent of sip.sent) if (!sent.answered) sent.reply(200, granted('e'));
    expect(pua.stats()).toMatchObject({
      states: { 'publication published': 20 },
      requests: { 'PUBLISH 200': 20 },
      scheduled: 21,
    });
    for (let n = 0; n < 20; n++) pua.sendPublish({ ...publication, presUri: `sip:u${n}@example.com`, expires: 0 });
    pua.sendSubscribe({ ...subscription, expires: 0 });
    for (const sent of sip.sent) if (!sent.answered) sent.reply(200);
    notify(running, dialog, { 'Subscription-State': 'terminated' });
    expect(pua.stats()).toMatchObject(baseline);
    expect([store.rows.size, sip.clock.pending]).toEqual([0, 0]);
  });

  test('events', async () => {
    const { pua } = await start();
    expect(pua.events().map(({ name }) => name)).toEqual(['presence', 'presence.winfo', 'dialog;sla']);
  });
});

describe('versions of documents', () => {
  const counting = {
    name: 'counting',
    contentType: 'text/plain',
    process: ({ body, version, tupleId }: ProcessInput) => ({ body: `${body} v${version}`, tupleId }),
  };
  const asked = { presUri: ALICE, event: 'counting', sourceFlag: 'RPC_PUBLISH' } as const;

  /*
   *   a v0 ->                b, c, d while it is on the wire
   *   200 <-   d v1 ->       b and c were never seen by anybody
   */
  test('count what was sent: one that was overtaken leaves no gap', async () => {
    const { pua, sip } = await start();
    pua.addEvent(counting);
    const sent = () => sip.last.request.body?.content;
    pua.sendPublish({ ...asked, body: 'a' });
    expect(sent()).toBe('a v0');
    for (const body of ['b', 'c', 'd']) pua.sendPublish({ ...asked, body });
    sip.last.reply(200, granted('e1'));
    expect(sent()).toBe('d v1');
    sip.last.reply(200, granted('e2'));
    // Without a document the number stays.
    pua.sendPublish({ ...asked, expires: 600 });
    sip.last.reply(200, granted('e3'));
    pua.sendPublish({ ...asked, body: 'e' });
    expect(sent()).toBe('e v2');
  });

  test('go on after a restart', async () => {
    const store = new FakeStore();
    const first = await start({ store });
    first.pua.addEvent(counting);
    for (const [body, etag] of [
      ['a', 'e1'],
      ['b', 'e2'],
    ] as const) {
      first.pua.sendPublish({ ...asked, body });
      first.sip.last.reply(200, granted(etag));
    }
    const second = make({ store: new FakeStore([...store.rows.values()]) });
    second.pua.addEvent(counting);
    await second.pua.start();
    second.pua.sendPublish({ ...asked, body: 'c' });
    expect(second.sip.last.request.body?.content).toBe('c v2');
  });
});

describe('find', () => {
  test('the publication with exactly these, in whatever state; the rest of what is wished does not matter', async () => {
    const { pua, sip } = await start();
    expect(pua.find(publication)).toBeUndefined();
    pua.sendPublish({ ...publication, id: 'x' });
    expect(pua.find(publication)).toBeUndefined();
    expect(pua.find({ ...publication, id: 'x' })).toMatchObject({ id: 'x', state: 'publishing' });
    sip.last.reply(200, granted('e1'));
    expect(pua.find({ ...publication, id: 'x' })).toMatchObject({ state: 'published', etag: 'e1' });
    expect(() => pua.find({ ...publication, event: 'unheard' })).toThrow(/unknown event/);
  });
});

describe('registerRoute', () => {
  const route = (path: string) => ({ path, run: () => ({ status: 204 }) });

  test('paths are taken once, and are paths', async () => {
    const { pua } = await start();
    pua.registerRoute(route('/events/dialogs'));
    expect(pua.routes().map(({ path }) => path)).toEqual(['/events/dialogs']);
    expect(() => pua.registerRoute(route('/events/dialogs'))).toThrow(argument);
    for (const path of ['', 'events', '/', '/a b', '/a/', '/a?b'])
      expect(() => pua.registerRoute(route(path))).toThrow(argument);
  });
});
