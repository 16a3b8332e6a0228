import { ALICE, CLIENT_HOST, createWorld, pidf, type World } from './helpers';

let world: World;

beforeEach(async () => {
  world = await createWorld({ limits: { min: 60, max: 3600, default: 1800 } });
});
afterEach(() => world.close());

const publish = (options: Parameters<World['client']['publish']>[1]) =>
  world.settled(world.client.publish(ALICE, options));
const subscribe = (options?: Parameters<World['watcher']['subscribe']>[2], event = 'presence') =>
  world.settled(world.watcher.subscribe(ALICE, event, options));
/** Lets everything that is on its way arrive. */
const quiet = () => world.clock.advanceAsync(100);

describe('RFC 6665 section 4.2', () => {
  test('a subscription: 2xx with To tag, Contact and Expires, a NOTIFY at once and at each change', async () => {
    const watching = await subscribe({ expires: 600 });
    const { headers, status } = watching.answer!;
    expect([status, headers.get('Expires')]).toEqual([200, '600']);
    expect(headers.get('To')).toMatch(/;tag=\w+$/);
    expect(headers.all('To')).toHaveLength(1);
    expect(headers.get('Contact')).toMatch(/^<sip:.*10\.0\.0\.9:5060.*>$/);
    await quiet();
    expect(watching.notifications).toMatchObject([{ state: 'active', expires: 600, type: '', body: '', cseq: 1 }]);

    const first = await publish({ body: pidf('open'), expires: 600 });
    const etag = first.headers.get('SIP-ETag')!;
    await quiet();
    const refreshed = await publish({ etag, expires: 600 });
    await quiet();
    await publish({ etag: refreshed.headers.get('SIP-ETag')!, expires: 0 });
    await quiet();
    // The refresh changes no document.
    expect(watching.notifications.map(({ cseq, body }) => [cseq, body])).toEqual([
      [1, ''],
      [2, pidf('open')],
      [3, ''],
    ]);
    expect(watching.notifications[1]).toMatchObject({ type: 'application/pidf+xml', expires: 600 });
  });

  test('watchers see the newest document, and the one before it when that goes', async () => {
    const watching = await subscribe();
    await publish({ body: pidf('first'), expires: 600 });
    await quiet();
    const second = await publish({ body: pidf('second'), expires: 100 });
    await quiet();
    const third = await publish({ body: pidf('third'), expires: 600 });
    await quiet();
    // Not the one that is seen: nothing changes.
    await publish({ etag: second.headers.get('SIP-ETag')!, expires: 0 });
    await quiet();
    await publish({ etag: third.headers.get('SIP-ETag')!, expires: 0 });
    await quiet();
    expect(watching.documents).toEqual(['first', 'second', 'third', 'first'].map(pidf));
    // And its expiry by the clock is a change as well.
    await world.clock.advanceAsync(600_000);
    expect(watching.last).toMatchObject({ body: '', state: 'active' });
  });

  test('events are kept apart, an id is given back', async () => {
    const watching = await subscribe({}, 'dialog;id=7');
    await publish({ body: pidf('open'), expires: 600 });
    await publish({ event: 'dialog', body: { type: 'application/dialog-info+xml', content: '<d/>' }, expires: 600 });
    await quiet();
    expect(watching.documents).toEqual(['<d/>']);
    expect(watching.last!.request.headers.get('Event')).toBe('dialog;id=7');
  });

  test('a refresh prolongs and notifies, at the end a NOTIFY says timeout', async () => {
    const watching = await subscribe({ expires: 100 });
    await world.clock.advanceAsync(90_000);
    await world.settled(watching.refresh());
    await quiet();
    expect(watching.last).toMatchObject({ state: 'active', expires: 100, cseq: 2 });
    await world.clock.advanceAsync(99_000);
    expect(world.server.subscriptions).toHaveLength(1);
    await world.clock.advanceAsync(1_100);
    expect(watching.last).toMatchObject({ state: 'terminated', reason: 'timeout', cseq: 3 });
    expect(world.server.subscriptions).toEqual([]);
    expect((await world.settled(watching.refresh())).status).toBe(481);
  });

  test('Expires 0 ends it with a NOTIFY terminated;reason=timeout', async () => {
    const watching = await subscribe();
    await publish({ body: pidf('open'), expires: 600 });
    const answer = await world.settled(watching.unsubscribe());
    expect([answer.status, answer.headers.get('Expires')]).toEqual([200, '0']);
    await quiet();
    expect(watching.last).toMatchObject({ state: 'terminated', reason: 'timeout', body: pidf('open') });
    expect(world.server.subscriptions).toEqual([]);
  });

  test('a fetch gets one NOTIFY and leaves nothing (4.4.3)', async () => {
    await publish({ body: pidf('open'), expires: 600 });
    const watching = await subscribe({ expires: 0 });
    await quiet();
    expect(watching.notifications).toMatchObject([{ state: 'terminated', reason: 'timeout', body: pidf('open') }]);
    expect(world.server.subscriptions).toEqual([]);
  });

  test.each([
    ['unknown event', 'weather', { expires: 600 }, 489, undefined],
    ['too brief', 'presence', { expires: 59 }, 423, ['Min-Expires', '60']],
    ['more than the maximum', 'presence', { expires: 9999 }, 200, ['Expires', '3600']],
  ] as const)('%s', async (_name, event, options, status, header) => {
    const { answer } = await subscribe(options, event);
    expect(answer!.status).toBe(status);
    if (header) expect(answer!.headers.get(header[0])).toBe(header[1]);
  });

  test('only lifetimes below an hour can be too brief (4.2.1.1)', async () => {
    Object.assign(world.server.subscribeLimits, { min: 7200, max: 7200 });
    expect((await subscribe({ expires: 3599 })).answer!.status).toBe(423);
    expect((await subscribe({ expires: 3600 })).answer!.status).toBe(200);
  });
});

describe('dialogs', () => {
  const raw = (options: {
    cseq?: number;
    callId?: string;
    toTag?: string;
    fromTag?: string;
    event?: string;
    contact?: boolean;
    routes?: [string, string][];
  }) =>
    world.settled(
      world.client.ask({
        method: 'SUBSCRIBE',
        uri: ALICE,
        from: { uri: 'sip:raw@example.com', tag: options.fromTag ?? 'mine' },
        to: { uri: ALICE, ...(options.toTag ? { tag: options.toTag } : {}) },
        callId: options.callId ?? 'call-1',
        cseq: options.cseq ?? 1,
        ...(options.contact === false ? {} : { contact: true as const }),
        headers: [['Event', options.event ?? 'presence'], ['Expires', '600'], ...(options.routes ?? [])],
      }),
    );
  const tagOf = (answer: Awaited<ReturnType<typeof raw>>) => /tag=(\w+)/.exec(answer.headers.get('To')!)![1]!;

  test('an unknown dialog gets 481: Call-ID, To tag or From tag differ', async () => {
    const toTag = tagOf(await raw({}));
    expect((await raw({ toTag: 'other', cseq: 2 })).status).toBe(481);
    expect((await raw({ toTag, callId: 'call-2', cseq: 2 })).status).toBe(481);
    expect((await raw({ toTag, fromTag: 'yours', cseq: 2 })).status).toBe(481);
    expect((await raw({ toTag, cseq: 2 })).status).toBe(200);
  });

  test('a CSeq that does not rise gets 500, a gap is fine (RFC 3261 12.2.2)', async () => {
    const toTag = tagOf(await raw({ cseq: 5 }));
    expect((await raw({ toTag, cseq: 4 })).status).toBe(500);
    expect((await raw({ toTag, cseq: 5 })).status).toBe(500);
    expect((await raw({ toTag, cseq: 1005 })).status).toBe(200);
    expect(world.server.subscriptions[0]!.remoteCseq).toBe(1005);
  });

  test('a second usage of the dialog is refused, a missing Contact too', async () => {
    const toTag = tagOf(await raw({}));
    expect((await raw({ toTag, cseq: 2, event: 'presence;id=2' })).status).toBe(403);
    expect((await raw({ toTag, cseq: 3, event: 'dialog' })).status).toBe(403);
    expect((await raw({ callId: 'call-3', contact: false })).status).toBe(400);
  });

  test('NOTIFYs follow the Record-Route of the SUBSCRIBE and go to its Contact', async () => {
    const routes: [string, string][] = [
      ['Record-Route', `<sip:${CLIENT_HOST}:5060;lr>, <sip:p2.example.com;lr>`],
      ['Record-Route', '<sip:p3.example.com;lr>'],
    ];
    await raw({ routes });
    await quiet();
    const [notify] = world.client.received;
    expect(notify!.headers.all('Route').join(', ')).toBe(
      `<sip:${CLIENT_HOST}:5060;lr>, <sip:p2.example.com;lr>, <sip:p3.example.com;lr>`,
    );
    expect(notify!.uri).toBe(world.client.sip.contact('client', world.client.hop));
    expect(notify!.headers.get('From')).toContain(ALICE);
    expect(notify!.headers.get('To')).toContain('tag=mine');
  });

  test('a proxy on the way can be pretended: the subscriber learns one route set from 2xx and NOTIFY', async () => {
    const proxies = ['<sip:10.0.0.9:5060;lr>', '<sip:p2.example.com;lr>'];
    const other = await createWorld({ recordRoute: proxies });
    const watching = await other.settled(other.watcher.subscribe(ALICE, 'presence'));
    expect(watching.answer!.headers.all('Record-Route')).toEqual([...proxies].reverse());
    await other.settled(watching.refresh());
    await other.clock.advanceAsync(100);
    expect(watching.last!.request.headers.all('Record-Route')).toEqual(proxies);
    expect(other.server.requests.at(-1)!.headers.all('Route').join(', ')).toBe(proxies.join(', '));
    await other.close();
  });

  test.each([
    [481, 0],
    [405, 0],
    [500, 1],
    [200, 1],
  ])('a NOTIFY answered %i leaves %i subscriptions (4.2.2)', async (status, left) => {
    world.client.onRequest = (request) => request.reply(status);
    await raw({});
    await quiet();
    expect(world.server.subscriptions).toHaveLength(left);
    expect(world.server.notifies).toMatchObject([{ cseq: 1, state: 'active;expires=600', outcome: status }]);
  });

  test('a NOTIFY that nobody answers ends the subscription after 64*T1', async () => {
    world.network.setFaults({ loss: 1 }, { from: '10.0.0.9', to: '10.0.0.2' });
    void world.watcher.subscribe(ALICE, 'presence').catch(() => undefined);
    await world.clock.advanceAsync(30_000);
    expect(world.server.subscriptions).toHaveLength(1);
    await world.clock.advanceAsync(5_000);
    expect(world.server.subscriptions).toEqual([]);
    expect(world.server.notifies[0]!.outcome).toBe('timeout');
  });

  test('one NOTIFY at a time: what changes meanwhile goes with the next one', async () => {
    world.network.setFaults({ delay: [1000, 1000] }, { from: '10.0.0.2', to: '10.0.0.9' });
    const watching = await subscribe();
    for (const note of ['a', 'b', 'c']) await publish({ body: pidf(note), expires: 600 });
    await world.clock.advanceAsync(10_000);
    expect(watching.documents).toEqual([pidf('c')]);
    expect(watching.notifications.map(({ cseq }) => cseq)).toEqual([1, 2]);
  });
});

describe('on command', () => {
  test('terminate with reason and retry-after', async () => {
    const watching = await subscribe();
    await quiet();
    const [subscription] = world.server.subscriptions;
    world.server.terminate(subscription!, { reason: 'probation', retryAfter: 30 });
    await quiet();
    expect(watching.last).toMatchObject({ state: 'terminated', reason: 'probation', retryAfter: 30 });
    expect(() => world.server.terminate(subscription!)).toThrow('it has ended');
  });

  test('pending shows no document until it is approved', async () => {
    await publish({ body: pidf('open'), expires: 600 });
    world.server.initialState = 'pending';
    const watching = await subscribe();
    await quiet();
    expect(watching.last).toMatchObject({ state: 'pending', expires: 3600, body: '' });
    world.server.approve(world.server.subscriptions[0]!);
    await quiet();
    expect(watching.last).toMatchObject({ state: 'active', body: pidf('open') });
  });

  test('extra NOTIFYs with any content', async () => {
    const watching = await subscribe();
    await quiet();
    const [subscription] = world.server.subscriptions;
    const sent = world.server.notify(subscription!, {
      state: 'active;expires=5',
      body: { type: 'text/plain', content: 'hello' },
      cseq: 77,
      headers: [['X-Test', 'yes']],
    });
    await expect(world.settled(sent)).resolves.toMatchObject({ kind: 'response', status: 200 });
    expect(watching.last).toMatchObject({ cseq: 77, expires: 5, type: 'text/plain', body: 'hello' });
    expect(watching.last!.request.headers.get('X-Test')).toBe('yes');
    await world.settled(world.server.notify(subscription!));
    expect(watching.last!.cseq).toBe(2);
  });

  test('lost NOTIFYs take their CSeq', async () => {
    world.server.loseNotifies({ times: 2 });
    const watching = await subscribe();
    await publish({ body: pidf('lost'), expires: 600 });
    await quiet();
    await publish({ body: pidf('seen'), expires: 600 });
    await quiet();
    expect(watching.notifications.map(({ cseq, body }) => [cseq, body])).toEqual([[3, pidf('seen')]]);
    expect(world.server.notifies.map(({ outcome }) => outcome)).toEqual(['lost', 'lost', 200]);
  });

  test('the NOTIFY may come before the 2xx', async () => {
    world.server.shapeNext({ method: 'SUBSCRIBE', notifyFirst: true });
    const lines = () =>
      world.ladder
        .text()
        .split('\n')
        .filter((line) => /NOTIFY|200 OK .*SUBSCRIBE/.test(line));
    const watching = await subscribe();
    expect(watching.answer!.status).toBe(200);
    expect(lines().at(0)).toContain('NOTIFY');
    expect(lines().at(-1)).toContain('SUBSCRIBE');
    expect(watching.notifications).toHaveLength(1);
  });

  test('a 2xx that waits for an unanswered NOTIFY goes after half a second', async () => {
    world.server.shapeNext({ method: 'SUBSCRIBE', notifyFirst: true });
    world.server.loseNotifies();
    world.network.setFaults({ delay: [0, 0] });
    const start = world.clock.now();
    // A lost NOTIFY is settled at once; one that the network loses is not.
    await subscribe();
    expect(world.clock.now() - start).toBeLessThan(100);

    world.client.onRequest = () => undefined;
    world.server.shapeNext({ method: 'SUBSCRIBE', notifyFirst: true });
    const again = world.clock.now();
    await world.settled(
      world.client.ask({
        method: 'SUBSCRIBE',
        uri: ALICE,
        contact: true,
        headers: [
          ['Event', 'presence'],
          ['Expires', '600'],
        ],
      }),
    );
    expect(world.clock.now() - again).toBe(500);
  });
});
