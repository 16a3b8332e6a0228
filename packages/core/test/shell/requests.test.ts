/** sendPublish and sendSubscribe: what goes out, what is refused, who is told. */
import type { PuaResult, PublInfo, SubsInfo } from '@pua/core';
import { settled } from '../support/clock';
import { ALICE, BOB, establish, listen, notify, outcome, publication, start, subscription } from '../support/pua';
import { FakeStore } from '../support/store';

const argument = (field: string) =>
  expect.objectContaining({ code: 'PUA_ERR_ARGUMENT', message: expect.stringContaining(field) });
const granted = (etag: string, expires = '3600') =>
  [
    ['SIP-ETag', etag],
    ['Expires', expires],
  ] as const;
const CRLF = 'x\r\nEvil: 1';

describe('sendPublish', () => {
  test('the wire form', async () => {
    const { pua, sip } = await start();
    pua.sendPublish({ ...publication, expires: 600, extraHeaders: 'X-A: 1\r\n', contentType: 'text/plain' });
    const { request } = sip.last;
    expect(request).toMatchObject({
      method: 'PUBLISH',
      uri: ALICE,
      cseq: 1,
      from: { uri: ALICE },
      to: { uri: ALICE },
      routes: [],
      headers: [
        ['Event', 'presence'],
        ['Expires', '600'],
        ['X-A', '1'],
      ],
      body: { type: 'text/plain', content: 'doc' },
    });
    sip.last.reply(200, granted('e1'));
    pua.sendPublish({ ...publication, body: undefined, expires: 300 } as PublInfo);
    expect(sip.last.request.headers).toEqual([
      ['Event', 'presence'],
      ['Expires', '300'],
      ['SIP-If-Match', 'e1'],
      ['X-A', '1'],
    ]);
    expect(sip.last.request.body).toBeUndefined();
    expect(sip.last.request.callId).not.toBe(request.callId);
  });

  test('next hop: of the request, of the parameter, of the presentity', async () => {
    const hosts: string[] = [];
    for (const [option, own] of [
      [undefined, undefined],
      ['sip:param', undefined],
      ['sip:param', 'sip:own'],
    ]) {
      const { pua, sip } = await start(option ? { outboundProxy: option } : {});
      pua.sendPublish({ ...publication, ...(own ? { outboundProxy: own } : {}) });
      hosts.push(sip.last.request.hop.host);
    }
    expect(hosts).toEqual(['example.com', 'param', 'own']);
  });

  test('the body processor gets the version and the stored id', async () => {
    const { pua, sip } = await start();
    const bodies = () => sip.sent.map(({ request }) => request.body?.content);
    pua.sendPublish(publication);
    sip.last.reply(200, granted('e1'));
    pua.sendPublish({ ...publication, body: 'two' });
    sip.last.reply(200, granted('e2'));
    const [first, second] = bodies();
    const id = String(first).split('/')[2];
    expect([first, second]).toEqual([`doc/0/${id}`, `two/1/${id}`]);
  });

  test('bytes are read as UTF-8; what is not UTF-8 stays as it is', async () => {
    const { pua, sip } = await start();
    pua.sendPublish({ ...publication, body: new TextEncoder().encode('döc') });
    expect(sip.last.request.body?.content).toMatch(/^döc\/0\//);
    const latin1 = new Uint8Array([0xff]);
    pua.sendPublish({ ...publication, presUri: BOB, body: latin1 });
    expect(sip.last.request.body?.content).toEqual(new Uint8Array([0xff]));
    // The caller may use its buffer again.
    sip.last.reply(500);
    latin1[0] = 0xfe;
    sip.clock.advance(2_000);
    expect(sip.last.request.body?.content).toEqual(new Uint8Array([0xff]));
  });

  test('another content type is not the processor’s business', async () => {
    const { pua, sip } = await start();
    pua.sendPublish({ ...publication, contentType: 'application/xpidf+xml', body: 'refuse' });
    expect(sip.last.request.body?.content).toBe('refuse');
    const bytes = new Uint8Array([1, 2]);
    pua.sendPublish({ ...publication, presUri: BOB, contentType: 'application/xpidf+xml', body: bytes });
    expect(sip.last.request.body?.content).toEqual(bytes);
  });

  const BAD: [field: string, more: Partial<Record<keyof PublInfo, unknown>>][] = [
    ['presUri', { presUri: 'alice' }],
    ['presUri', { presUri: `${ALICE}\r\nEvil: 1` }],
    ['presUri', { presUri: undefined }],
    ['id', { id: CRLF }],
    ['id', { id: 'x'.repeat(256) }],
    ['etag', { etag: CRLF }],
    ['contentType', { contentType: CRLF }],
    ['contentType', { contentType: '' }],
    ['contentType', { contentType: 'nonsense' }],
    ['outboundProxy', { outboundProxy: `sip:p${CRLF}` }],
    ['outboundProxy', { outboundProxy: 'p' }],
    ['extra header', { extraHeaders: 'X: 1\r\n folded' }],
    ['extra header', { extraHeaders: [['X', CRLF]] }],
    ['extra header', { extraHeaders: [['Event', 'x']] }],
    ['sourceFlag', { sourceFlag: 'NOPE' }],
    ['sourceFlag', { sourceFlag: 3 }],
    ['expires', { expires: 1.5 }],
    ['body', { body: 5 }],
    ['body', { body: {} }],
    ['event', { event: 'presence.winfo' }],
    ['flag', { flag: 'INSERT' }],
    ['onLost', { onLost: 'ignore' }],
  ];
  test.each(BAD)('%s: %j is refused before anything happens', async (field, more) => {
    const { pua, sip } = await start();
    expect(() => pua.sendPublish({ ...publication, ...more } as PublInfo)).toThrow(argument(field));
    expect([sip.sent.length, [...pua.list()]]).toEqual([0, []]);
  });

  test.each(['nope', 1024, undefined, null])('event %j: unknown', async (event) => {
    const { pua } = await start();
    expect(() => pua.sendPublish({ ...publication, event } as never)).toThrow(
      expect.objectContaining({ code: 'PUA_ERR_EVENT_UNKNOWN' }),
    );
  });

  test('a document that its processor refuses: told, nothing is sent, nothing is kept', async () => {
    const { pua, sip } = await start();
    const told: PuaResult[] = [];
    const handle = pua.sendPublish({ ...publication, body: 'refuse', callback: (result) => void told.push(result) });
    const expected = { outcome: 'document-refused', cause: 'not a presence document' };
    expect([await handle.result, told]).toEqual([expected, [expected]]);
    expect([sip.sent.length, [...pua.list()]]).toEqual([0, []]);
  });

  test('... and leaves the record that is there as it is', async () => {
    const { pua, sip } = await start();
    const { key } = pua.sendPublish(publication);
    sip.last.reply(200, granted('e1'));
    const before = pua.show(key);
    await pua.sendPublish({ ...publication, body: 'refuse' }).result;
    expect(pua.show(key)).toEqual(before);
  });

  test.each([
    ['no-body', { body: undefined }],
    ['wrong-etag', { etag: 'x' }],
    ['nothing-to-do', { expires: 0 }],
  ])('%s: told once, nothing is kept', async (expected, more) => {
    const { pua, sip } = await start();
    const told: [PuaResult, string][] = [];
    const handle = pua.sendPublish({
      ...publication,
      ...more,
      callback: (result, record) => void told.push([result, record.presUri]),
    } as PublInfo);
    expect(await handle.result).toEqual({ outcome: expected });
    expect(told).toEqual([[{ outcome: expected }, ALICE]]);
    expect([sip.sent.length, [...pua.list()], sip.clock.pending]).toEqual([0, [], 0]);
  });

  test('superseded, and the newest is told of its own answer', async () => {
    const { pua, sip } = await start();
    const handles = ['one', 'two', 'three'].map((body) => pua.sendPublish({ ...publication, body }));
    expect(new Set(handles.map(({ key }) => key)).size).toBe(1);
    sip.last.reply(200, granted('e1'));
    sip.last.reply(200, granted('e2'));
    expect(await Promise.all(handles.map(({ result }) => result))).toMatchObject([
      { outcome: 'accepted', etag: 'e1' },
      { outcome: 'superseded' },
      { outcome: 'accepted', etag: 'e2' },
    ]);
  });

  test('by default one PUBLISH per Request-URI, else one per record', async () => {
    for (const [onePublishPerUri, atOnce] of [
      [true, 1],
      [false, 2],
    ] as const) {
      const { pua, sip } = await start({ onePublishPerUri });
      for (const id of ['a', 'b']) pua.sendPublish({ ...publication, id });
      expect(sip.sent).toHaveLength(atOnce);
    }
  });

  test('id, event and source make the record', async () => {
    const { pua } = await start();
    const key = (more: object) => pua.sendPublish({ ...publication, ...more }).key;
    const keys = [{}, { id: 'a' }, { sourceFlag: 'UL_PUBLISH' }, { event: 4 }, { presUri: BOB }].map(key);
    expect(new Set(keys).size).toBe(5);
    expect(key({ id: '' })).toBe(keys[0]);
  });
});

describe('sendSubscribe', () => {
  test('the wire form', async () => {
    const running = await start();
    const { pua, sip } = running;
    const { localTag } = establish(running, { extraHeaders: [['X-A', '1']], expires: 600 });
    expect(sip.last.request).toMatchObject({
      method: 'SUBSCRIBE',
      uri: ALICE,
      from: { uri: BOB },
      to: { uri: ALICE },
      contact: `sip:${localTag}@10.0.0.1`,
      headers: [
        ['Event', 'presence'],
        ['Expires', '600'],
        ['Accept', 'application/pidf+xml, application/xpidf+xml'],
        ['X-A', '1'],
      ],
    });
    expect(sip.last.request.to.tag).toBeUndefined();
    const first = sip.last.request;
    pua.sendSubscribe({ ...subscription, expires: 300 });
    expect(sip.last.request).toMatchObject({
      uri: 'sip:notifier@10.0.0.9',
      callId: first.callId,
      cseq: 2,
      from: first.from,
      to: { uri: ALICE, tag: 'remote' },
      contact: first.contact!,
      hop: { host: '10.0.0.9' },
    });
  });

  test('Contact, target, To and Route of its own', async () => {
    const { pua, sip } = await start();
    pua.sendSubscribe({
      ...subscription,
      contact: 'sip:own@h',
      remoteTarget: 'sip:target@t',
      toUri: 'sip:to@t',
      routeSet: ['<sip:r1;lr>', '<sip:r2;lr>'],
    });
    expect(sip.last.request).toMatchObject({
      uri: 'sip:target@t',
      to: { uri: 'sip:to@t' },
      contact: 'sip:own@h',
      routes: ['<sip:r1;lr>', '<sip:r2;lr>'],
      hop: { host: 'r1' },
    });
  });

  test('a strict router takes the place of the Request-URI', async () => {
    const { pua, sip } = await start();
    pua.sendSubscribe({ ...subscription, routeSet: ['<sip:strict>', '<sip:r2;lr>'] });
    expect(sip.last.request).toMatchObject({ uri: 'sip:strict', routes: ['<sip:r2;lr>', `<${ALICE}>`] });
  });

  const BAD: [field: string, more: Partial<Record<keyof SubsInfo, unknown>>][] = [
    ['presUri', { presUri: CRLF }],
    ['watcherUri', { watcherUri: `${BOB}>` }],
    ['watcherUri', { watcherUri: undefined }],
    ['contact', { contact: `sip:c${CRLF}` }],
    ['remoteTarget', { remoteTarget: '<sip:a@b>' }],
    ['toUri', { toUri: 'x' }],
    ['routeSet', { routeSet: [`<sip:r${CRLF}>`] }],
    ['routeSet', { routeSet: ['r;lr'] }],
    ['routeSet', { routeSet: 'sip:r' }],
    ['outboundProxy', { outboundProxy: 'tel:+49' }],
    ['extra header', { extraHeaders: 'Contact: <sip:x>' }],
    ['key', { key: CRLF }],
    ['id', { id: CRLF }],
    ['expires', { expires: Number.NaN }],
    ['sourceFlag', { sourceFlag: 0 }],
    ['forks', { forks: 'some' }],
    ['flag', { flag: 'INSERT' }],
  ];
  test.each(BAD)('%s: %j is refused before anything happens', async (field, more) => {
    const { pua, sip } = await start();
    expect(() => pua.sendSubscribe({ ...subscription, ...more } as SubsInfo)).toThrow(argument(field));
    expect([sip.sent.length, [...pua.list()]]).toEqual([0, []]);
  });

  test('XMPP_INITIAL_SUBS is stored as XMPP_SUBSCRIBE', async () => {
    const { pua } = await start();
    const one = pua.sendSubscribe({ ...subscription, sourceFlag: 'XMPP_INITIAL_SUBS' });
    expect(pua.show(one.key)?.sourceFlag).toBe(16);
    expect(pua.sendSubscribe({ ...subscription, sourceFlag: 'XMPP_SUBSCRIBE' }).key).toBe(one.key);
  });

  test('internalUpdateFlag: nothing when a record exists, and that is told', async () => {
    const running = await start();
    establish(running);
    const told: PuaResult[] = [];
    const handle = running.pua.sendSubscribe({
      ...subscription,
      internalUpdateFlag: true,
      callback: (result) => void told.push(result),
    });
    expect([await handle.result, told]).toEqual([{ outcome: 'nothing-to-do' }, [{ outcome: 'nothing-to-do' }]]);
    expect(running.sip.sent).toHaveLength(1);
  });

  test('internalUpdateFlag without a record subscribes', async () => {
    const { pua, sip } = await start();
    pua.sendSubscribe({ ...subscription, internalUpdateFlag: true });
    expect(sip.sent).toHaveLength(1);
  });

  test('fetch: the store never hears of it', async () => {
    const store = new FakeStore();
    const changed = jest.spyOn(store, 'changed');
    const running = await start({ store });
    running.pua.sendSubscribe({ ...subscription, fetch: true });
    const { callId, from } = running.sip.last.request;
    running.sip.last.reply(200, [['Expires', '0']]);
    notify(running, { callId, localTag: from.tag }, { 'Subscription-State': 'terminated;reason=timeout' });
    expect([running.pua.stats().records.subscriptions, changed.mock.calls.length]).toEqual([0, 0]);
  });

  test('fetch: a record of its own every time', async () => {
    const { pua, sip } = await start();
    const keys = [1, 2].map(() => pua.sendSubscribe({ ...subscription, fetch: true, expires: 0 }).key);
    expect(new Set(keys).size).toBe(2);
    expect(sip.sent.map((sent) => sent.header('Expires'))).toEqual(['0', '0']);
    for (const sent of sip.sent) sent.reply(403);
    await settled();
    expect([...pua.list()]).toEqual([]);
  });

  describe('check_remote_contact', () => {
    const target = (n: number) => ({ remoteTarget: `sip:t${n}@example.com` });

    test('another remote target is another subscription; none given is any', async () => {
      const { pua } = await start();
      const one = pua.sendSubscribe({ ...subscription, ...target(1) });
      expect(pua.sendSubscribe({ ...subscription, ...target(2) }).key).not.toBe(one.key);
      expect(pua.sendSubscribe({ ...subscription, ...target(1) }).key).toBe(one.key);
      expect(pua.sendSubscribe(subscription).key).toBe(one.key);
    });

    test('the second stays itself when the first has ended', async () => {
      const { pua, sip } = await start();
      const one = pua.sendSubscribe({ ...subscription, ...target(1), fetch: false });
      const two = pua.sendSubscribe({ ...subscription, ...target(2) });
      const [first, second] = sip.sent;
      second!.reply(200, [
        ['Expires', '3600'],
        ['To', `<${ALICE}>;tag=r2`],
        ['Contact', '<sip:n@10.0.0.9>'],
      ]);
      first!.reply(403);
      pua.sendSubscribe({ ...subscription, ...target(1), expires: 0 });
      expect(pua.show(one.key)).toBeUndefined();
      const end = pua.sendSubscribe({ ...subscription, ...target(2), expires: 0 });
      expect(end.key).toBe(two.key);
      expect(sip.last.request).toMatchObject({ callId: second!.request.callId });
      expect(sip.last.header('Expires')).toBe('0');
    });

    test('0: not compared', async () => {
      const { pua } = await start({ checkRemoteContact: 0 });
      const one = pua.sendSubscribe({ ...subscription, ...target(1) });
      expect(pua.sendSubscribe({ ...subscription, ...target(2) }).key).toBe(one.key);
    });

    test('a key of the caller’s own is of one subscription', async () => {
      const { pua } = await start();
      pua.sendSubscribe({ ...subscription, key: 'mine' });
      for (const other of [{ presUri: BOB }, { watcherUri: ALICE }, { event: 'dialog;sla' }])
        expect(() => pua.sendSubscribe({ ...subscription, key: 'mine', ...other })).toThrow(argument('key'));
    });

    test('a key of the caller’s own is never compared', async () => {
      const { pua } = await start();
      const one = pua.sendSubscribe({ ...subscription, ...target(1), key: 'mine' });
      expect(pua.sendSubscribe({ ...subscription, ...target(2), key: 'mine' }).key).toBe(one.key);
    });
  });
});

test('a result is told to handle, callback and nobody twice', async () => {
  const { pua, sip } = await start();
  const told: PuaResult[] = [];
  const handle = pua.sendPublish({ ...publication, callback: (result) => void told.push(result) });
  expect(await outcome(handle)).toBeUndefined();
  sip.last.reply(480, [['Retry-After', '30']]);
  const expected = { outcome: 'rejected', status: 480, reason: 'reason 480', retrying: true, retryAfter: 30 };
  expect([await handle.result, told]).toEqual([expected, [expected]]);
  sip.clock.advance(33_000);
  sip.last.reply(200, granted('e'));
  expect(told).toHaveLength(1);
});

test('a 2xx without SIP-ETag is told of, and published anew in full when its refresh is due', async () => {
  const { pua, sip } = await start();
  const { messages } = listen('pua:publication');
  pua.sendPublish(publication);
  sip.last.reply(200, [['Expires', '3600']]);
  expect(messages.map(({ type }) => type)).toContain('without-etag');
  sip.clock.advance(3_300_000);
  expect(sip.sent).toHaveLength(2);
  expect(sip.last.header('SIP-If-Match')).toBeUndefined();
  expect(sip.last.request.body?.content).toMatch(/^doc/);
});

test('at another hop another Contact: the socket that serves it', async () => {
  const { pua, sip } = await start({ outboundProxy: ['sip:udp', 'sip:tcp'] });
  sip.contact = (user, hop) => `sip:${user}@${hop.host}.local`;
  const handle = pua.sendSubscribe(subscription);
  await settled();
  sip.last.unreachable();
  const [first, second] = sip.sent.map(({ request }) => request);
  expect(first!.contact).toBe(`sip:${first!.from.tag}@udp.local`);
  expect(second!.contact).toBe(`sip:${first!.from.tag}@tcp.local`);
  expect(pua.show(handle.key)?.contact).toBe(second!.contact);
});

/*
 *   PUBLISH -> one     (dead)     PUBLISH -> two     200 <-     (one is back)     PUBLISH Expires: 0 -> two     200 <-
 */
test('after a failover a publication is refreshed and removed where it is; a new one goes to the first again', async () => {
  const { pua, sip } = await start({ outboundProxy: ['sip:one', 'sip:two'] });
  const hosts = () => sip.sent.map(({ request }) => request.hop.host);
  pua.sendPublish(publication);
  sip.last.unreachable();
  sip.last.reply(200, granted('e'));
  sip.clock.advance(40_000);
  pua.sendPublish({ ...publication, presUri: BOB });
  sip.last.reply(200, granted('f'));
  pua.sendPublish({ presUri: ALICE, event: 'presence', sourceFlag: 'RPC_PUBLISH', expires: 0 });
  expect(hosts()).toEqual(['one', 'two', 'one', 'two']);
  expect(sip.last.header('SIP-If-Match')).toBe('e');
});
