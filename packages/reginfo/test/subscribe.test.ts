/** `reginfo_subscribe` and the NOTIFYs of its subscriptions (spec: 4.3, 6 and what is done better). */
import { type Notification, type PuaApi, SourceFlag } from '@pua/core';
import { Consumer } from '../dist/consumer.js';
import { checkOptions } from '../dist/options.js';
import { Subscriber } from '../dist/subscriber.js';
import { contact, document, registration } from './support/documents';
import { binding, FakeRegistrar, HOUR } from './support/registrar';
import { type Node, type NodeOptions, SERVER_ADDRESS, World } from './support/world';

const URI = 'sip:alice@example.com';

let world: World;
let sink: FakeRegistrar;
let node: Node;

beforeEach(async () => {
  world = await World.start();
  sink = new FakeRegistrar();
});
afterEach(async () => {
  await world.stop();
  expect(world.faults).toEqual([]);
});

async function start(options: NodeOptions = {}) {
  node = await world.node({ sink, serverAddress: SERVER_ADDRESS, ...options });
  return node.module;
}

/** Waits for the network. */
async function outcome<T>(result: Promise<T>, ms = 1_000): Promise<T> {
  await world.advance(ms);
  return result;
}

const subscribes = () =>
  world.server.requests
    .filter(({ method }) => method === 'SUBSCRIBE')
    .map(({ uri, headers }) => ({
      uri,
      expires: headers.get('Expires'),
      inDialog: /;\s*tag=/.test(headers.get('To')!),
    }));
const learned = () => sink.learned.map(({ contact: uri }) => uri).sort();

describe('SUBSCRIBE', () => {
  test('4.3: fields; the Contact is the address of the engine, where NOTIFYs reach us', async () => {
    const module = await start();
    expect(await outcome(module.reginfoSubscribe(URI))).toMatchObject({ outcome: 'accepted', status: 200 });
    const { uri, headers } = world.server.requests[0]!;
    expect(uri).toBe(URI);
    expect(headers.get('To')).toBe(`<${URI}>`);
    expect(headers.get('From')).toMatch(`<${SERVER_ADDRESS}>;tag=`);
    expect(headers.get('Contact')).toMatch(/^<sip:\w+@10\.0\.0\.1:5060/);
    expect(headers.get('Event')).toBe('reg');
    expect(headers.get('Accept')).toBe('application/reginfo+xml');
    expect(headers.get('Expires')).toBe('3600');
    expect([...node.pua.list()][0]).toMatchObject({
      presUri: URI,
      watcherUri: SERVER_ADDRESS,
      sourceFlag: 8192,
      id: '',
    });
  });

  test('server_contact: the Contact is server_address', async () => {
    const module = await start({ serverContact: 1, serverAddress: 'sip:reg@10.0.0.1' });
    await outcome(module.reginfoSubscribe(URI));
    expect(world.server.requests[0]!.headers.get('Contact')).toBe('<sip:reg@10.0.0.1>');
    expect(await world.notify(document(0, 'full', [contact('c1')]))).toBe(200);
  });

  test('outbound_proxy', async () => {
    const module = await start({ outboundProxy: 'sip:10.0.0.9:5060', pua: { outboundProxy: 'sip:10.0.0.66' } });
    expect(await outcome(module.reginfoSubscribe(URI))).toMatchObject({ outcome: 'accepted' });
  });

  test('BETTER: again refreshes, 0 ends, 0 once more has nothing to do', async () => {
    const module = await start();
    await outcome(module.reginfoSubscribe(URI));
    await outcome(module.reginfoSubscribe(URI, 600));
    expect(await outcome(module.reginfoSubscribe(URI, 0))).toMatchObject({ outcome: 'accepted', expires: 0 });
    expect(await outcome(module.reginfoSubscribe(URI, 0))).toEqual({ outcome: 'nothing-to-do' });
    expect(subscribes()).toEqual([
      { uri: URI, expires: '3600', inDialog: false },
      { uri: expect.stringContaining('@10.0.0.9'), expires: '600', inDialog: true },
      { uri: expect.stringContaining('@10.0.0.9'), expires: '0', inDialog: true },
    ]);
    expect(world.server.subscriptions).toEqual([]);
    expect(module.subscriptions()).toEqual([]);
  });

  test("BETTER: the caller's id makes it another one", async () => {
    const module = await start();
    await outcome(module.reginfoSubscribe(URI));
    await outcome(module.reginfoSubscribe(URI, 3600, 'second'));
    expect(world.server.subscriptions).toHaveLength(2);
    await outcome(module.reginfoSubscribe(URI, 0, 'second'));
    expect(module.subscriptions().map(({ uri, id }) => [uri, id])).toEqual([[URI, '']]);
  });

  test('BETTER: the real outcome: a rejection', async () => {
    world.server.answerNext({ method: 'SUBSCRIBE', status: 403 });
    const module = await start();
    expect(await outcome(module.reginfoSubscribe(URI))).toMatchObject({ outcome: 'rejected', status: 403 });
  });

  test('BETTER: the real outcome: silence', async () => {
    world.server.away();
    const module = await start();
    expect(await outcome(module.reginfoSubscribe(URI), 40_000)).toMatchObject({ outcome: 'unreachable' });
  });

  test('server_address is mandatory', async () => {
    const { module } = await world.node({ sink });
    await expect(module.reginfoSubscribe(URI)).rejects.toMatchObject({
      code: 'PUA_ERR_OPTION',
      message: 'reginfo serverAddress (server_address): must be set to subscribe',
    });
  });

  test('what is no URI', async () => {
    const module = await start();
    await expect(module.reginfoSubscribe('alice')).rejects.toMatchObject({ code: 'PUA_ERR_ARGUMENT' });
  });

  test('it lives as long as it was asked for', async () => {
    const module = await start();
    world.server.subscribeLimits.max = 600;
    await outcome(module.reginfoSubscribe(URI));
    await world.advance(HOUR - 60_000);
    expect(world.server.subscriptions).toHaveLength(1);
    await world.advance(120_000);
    expect(world.server.subscriptions).toEqual([]);
  });
});

describe('pua.reginfo_subscribe', () => {
  test.each([
    [{ uri: URI }, '3600'],
    [{ uri: URI, expires: 60 }, '60'],
    [{ uri: URI, expires: '60' }, '60'],
  ])('%j', async (params, expires) => {
    await start();
    const command = node.pua.command('pua.reginfo_subscribe')!;
    expect(command.positional).toEqual(['uri', 'expires']);
    expect(await outcome(Promise.resolve(command.run(params, {})))).toMatchObject({ outcome: 'accepted' });
    expect(subscribes().map((one) => one.expires)).toEqual([expires]);
  });

  test.each([
    [{}, /uri|presUri/i],
    [{ uri: URI, expires: 'soon' }, /expires: must be a whole number of seconds, not "soon"/],
  ])('%j is refused', async (params, message) => {
    await start();
    const run = async () => node.pua.command('pua.reginfo_subscribe')!.run(params, {});
    await expect(run()).rejects.toMatchObject({ code: 'PUA_ERR_ARGUMENT', message: expect.stringMatching(message) });
  });
});

test('subscribe: opened at start, and for ever', async () => {
  await start({ subscribe: [URI, 'sip:bob@example.com'] });
  await world.advance(10 * HOUR);
  expect(world.server.subscriptions.map(({ presentity }) => presentity).sort()).toEqual([
    'alice@example.com',
    'bob@example.com',
  ]);
});

describe('NOTIFY', () => {
  beforeEach(async () => {
    await start({ subscribe: [URI] });
    await world.advance(100);
  });

  test('its document is applied; the lifetime of a contact without expires is that of the subscription', async () => {
    const { expires: _, ...bare } = contact('c1');
    expect(await world.notify(document(0, 'full', [bare]), { state: 'active;expires=120' })).toBe(200);
    expect(sink.learned[0]!.expiresAt - world.clock.wall()).toBeGreaterThan(119_000 - 100);
    expect(sink.learned[0]!.expiresAt - world.clock.wall()).toBeLessThanOrEqual(120_000);
    await world.notify(document(1, 'full', [bare]), { state: 'active' });
    // As the 2xx granted, when the NOTIFY does not say.
    expect(Math.round((sink.learned[0]!.expiresAt - world.clock.wall()) / 1000)).toBeGreaterThan(100);
  });

  test('no body', async () => {
    expect(await world.notify(null)).toBe(200);
  });

  test.each([
    [415, 'another type', document(0, 'full', [contact('c1')]), { type: 'text/plain' }],
    [400, 'not well-formed', '<reginfo', {}],
  ] as const)('%i: %s, and the subscription goes on', async (status, _name, body, more) => {
    expect(await world.notify(body, more)).toBe(status);
    expect(world.faults.splice(0)).toMatchObject([{ where: 'NOTIFY handler of reg' }]);
    expect(await world.notify(document(1, 'full', [contact('c1')]))).toBe(200);
    expect(learned()).toEqual(['sip:c1@192.0.2.1']);
  });

  test('BETTER: of no dialog of ours: 481', async () => {
    const { subscription } = world;
    await outcome(node.module.reginfoSubscribe(URI, 0));
    const sent = await outcome(world.server.notify(subscription, { state: 'active' }));
    expect(sent).toMatchObject({ status: 481 });
  });

  test("NOTIFYs of others' subscriptions to reg are theirs", async () => {
    const own = { event: 'reg', watcherUri: 'sip:x@example.com', sourceFlag: 'RPC_SUBSCRIBE' } as const;
    node.pua.sendSubscribe({ ...own, presUri: URI });
    await world.advance(100);
    expect(world.subscription.watcher).toBe('sip:x@example.com');
    expect(await world.notify(document(0, 'full', [contact('c1')]))).toBe(200);
    expect(learned()).toEqual([]);
  });

  test('BETTER: a version is missing: SUBSCRIBE in the dialog for full state', async () => {
    await world.notify(document(0, 'full', [contact('c1')]));
    await world.notify(document(2, 'partial', [contact('c3')]));
    expect(subscribes()).toEqual([
      { uri: URI, expires: '3600', inDialog: false },
      { uri: expect.any(String), expires: '3600', inDialog: true },
    ]);
    await world.notify(document(3, 'full', [contact('c1'), contact('c2'), contact('c3')]));
    expect(learned()).toHaveLength(3);
    expect(subscribes()).toHaveLength(2);
  });

  test('a notifier that cannot count is asked once in 5 s', async () => {
    for (let version = 0; version < 40; version += 2) {
      await world.notify(document(version, 'full', [contact('c1')]));
      await world.advance(450);
    }
    // 20 documents in 10 s.
    expect(subscribes().length - 1).toBeLessThanOrEqual(3);
    expect(subscribes().length - 1).toBeGreaterThanOrEqual(2);
  });

  test('full state is not asked for when the owner has ended it', async () => {
    await world.notify(document(0, 'full', [contact('c1')]));
    const { subscription } = world;
    const ended = node.module.reginfoSubscribe(URI, 0);
    const crossing = document(5, 'partial', [contact('c5')]);
    const sent = world.server.notify(subscription, {
      state: 'active',
      body: { type: 'application/reginfo+xml', content: crossing },
    });
    await world.advance(20_000);
    await Promise.all([ended, sent]);
    expect(subscribes().map(({ expires }) => expires)).toEqual(['3600', '0']);
    expect(world.server.subscriptions).toEqual([]);
  });

  test('full state is asked for until the time that the owner has asked for', async () => {
    await outcome(node.module.reginfoSubscribe('sip:bob@example.com', 100));
    await world.advance(29_000);
    const bob = registration([contact('b1')], { aor: 'sip:bob@example.com' });
    await world.notify(document(7, 'partial', [bob]));
    expect(subscribes().at(-1)).toMatchObject({ expires: '70', inDialog: true });
  });
});

describe('BETTER: the subscription is lost', () => {
  const states = () => node.module.subscriptions().map(({ state }) => state);

  beforeEach(async () => {
    await start({ subscribe: [URI] });
    await world.advance(100);
    await world.notify(document(4, 'full', [contact('c1'), contact('c2')]));
  });

  test('it is shown, with what it has told', () => {
    expect(node.module.subscriptions()).toEqual([
      { uri: URI, id: '', subscriptionId: expect.any(String), state: 'active', version: 4, contacts: 2 },
    ]);
  });

  test.each(['deactivated', 'timeout'])(
    '%s: subscribed again at once; the bindings stay, versions begin anew',
    async (reason) => {
      world.server.terminate(world.subscription, { reason });
      await world.advance(1_000);
      expect(world.server.subscriptions).toHaveLength(1);
      expect(learned()).toHaveLength(2);
      await world.notify(document(0, 'full', [contact('c2')]));
      expect(learned()).toEqual(['sip:c2@192.0.2.1']);
    },
  );

  test.each([
    ['probation', 60],
    ['giveup', 60],
    [undefined, 60],
  ])('%s: later; until then stale, and nothing is deleted', async (reason, retryAfter) => {
    world.server.terminate(world.subscription, { ...(reason ? { reason } : {}), retryAfter });
    await world.advance(50_000);
    expect(world.server.subscriptions).toEqual([]);
    expect(states()).toEqual(['stale']);
    expect(learned()).toHaveLength(2);
    await world.advance(60_000);
    expect(world.server.subscriptions).toHaveLength(1);
    expect(states()).toEqual(['active']);
  });

  test.each(['rejected', 'noresource', 'invariant'])(
    '%s: for good; the bindings run out by themselves',
    async (reason) => {
      world.server.terminate(world.subscription, { reason });
      await world.advance(HOUR);
      expect(world.server.subscriptions).toEqual([]);
      expect(node.module.subscriptions()).toEqual([]);
      expect(learned()).toHaveLength(2);
    },
  );

  test('the notifier has forgotten it: stale until there is a new one', async () => {
    world.server.restart({ forget: true });
    world.server.away();
    await world.advance(2 * HOUR);
    expect(states()).toEqual(['stale']);
    world.server.back();
    await world.advance(10 * 60_000);
    expect(states()).toEqual(['active']);
    expect(learned()).toHaveLength(2);
  });

  test('pending is told as pending', async () => {
    world.server.initialState = 'pending';
    await outcome(node.module.reginfoSubscribe('sip:bob@example.com'));
    expect(states()).toEqual(['active', 'pending']);
  });

  test('the last NOTIFY may still tell something', async () => {
    await world.notify(
      document(5, 'partial', [registration([contact('c1', { state: 'terminated' })], { state: 'active' })]),
      {
        state: 'terminated;reason=noresource',
      },
    );
    expect(learned()).toEqual(['sip:c2@192.0.2.1']);
    expect(node.module.subscriptions()).toEqual([]);
  });
});

describe('stop', () => {
  test('a document that is incomplete asks for nothing any more', async () => {
    await start({ subscribe: [URI], pua: { onStop: 'unpublish' } });
    await world.advance(100);
    // Nobody answers the end of the subscription: the process waits, and still takes NOTIFYs.
    world.server.ignoreNext({ method: 'SUBSCRIBE', times: 99 });
    const stopped = node.pua.stop(5_000);
    world.nodes.length = 0;
    await world.advance(20);
    expect(await world.notify(document(9, 'partial', [contact('c1')]))).toBe(200);
    await world.advance(10_000);
    await stopped;
    expect(learned()).toEqual(['sip:c1@192.0.2.1']);
  });
});

describe('restart', () => {
  test('the subscription is that of core; its tables begin anew, its bindings are known', async () => {
    await start({ subscribe: [URI] });
    await world.advance(100);
    await world.notify(document(4, 'full', [contact('c1'), contact('c2')]));
    await world.stopNode(node);
    await start({ rows: node.rows, subscribe: [URI] });
    expect(world.server.subscriptions).toHaveLength(1);
    expect(node.module.subscriptions()).toMatchObject([{ uri: URI, version: undefined }]);
    await world.notify(document(5, 'full', [contact('c2')]));
    expect(learned()).toEqual(['sip:c2@192.0.2.1']);
  });

  test('a NOTIFY that comes before the sink has started waits for it', async () => {
    const module = await start();
    await outcome(module.reginfoSubscribe(URI));
    await world.stopNode(node);
    let early: string[] = [];
    const starting = {
      name: 'sink',
      setup() {},
      async start() {
        const body = { type: 'application/reginfo+xml', content: document(5, 'full', [contact('c1')]) };
        void world.server.notify(world.subscription, { body });
        await new Promise<void>((resolve) => void world.clock.after(10, resolve));
        early = learned();
      },
    };
    await start({ rows: node.rows, before: [starting] });
    expect(early).toEqual([]);
    expect(learned()).toEqual(['sip:c1@192.0.2.1']);
  });

  test('when the first document is partial, full state is asked for', async () => {
    const module = await start();
    await outcome(module.reginfoSubscribe(URI));
    await world.stopNode(node);
    await start({ rows: node.rows });
    const before = subscribes().length;
    await world.notify(document(5, 'partial', [contact('c2')]));
    await world.advance(20);
    expect(subscribes()).toHaveLength(before + 1);
  });
});

test('subscriptions that have ended in silence are forgotten', async () => {
  const options = checkOptions({ serverAddress: SERVER_ADDRESS });
  const consumer = new Consumer(world.clock, options);
  const lives = new Set<string>();
  const records = { show: (key: string) => (lives.has(key) ? {} : undefined), clock: world.clock } as unknown as PuaApi;
  await consumer.open();
  const subscriber = new Subscriber(records, options, consumer);
  const body = new TextEncoder().encode(document(0, 'full', []));
  const notification = (key: string) =>
    ({
      record: { key, sourceFlag: SourceFlag.REGINFO_SUBSCRIBE, presUri: URI, expires: 0 },
      state: 'active',
      contentType: 'application/reginfo+xml',
      body,
      headers: { get: () => undefined },
    }) as unknown as Notification;
  const known = () => Array.from({ length: 250 }, (_, i) => i).filter((i) => consumer.look(String(i)));
  for (let i = 0; i < 250; i++) {
    if (i % 50 === 0) lives.add(String(i));
    await subscriber.onNotify(notification(String(i)));
  }
  expect(known().length).toBeLessThan(110);
  expect(known()).toEqual(expect.arrayContaining([0, 50, 100, 150, 200, 249]));
  subscriber.stop();
});

test('two nodes that publish and subscribe learn from each other, and do not echo', async () => {
  const [a, b] = [new FakeRegistrar(), new FakeRegistrar()];
  const shared = { subscribe: [URI] };
  await world.node({ ...shared, source: a, sink: a, serverAddress: 'sip:reg@a.example.com', host: '10.0.0.1' });
  await world.node({ ...shared, source: b, sink: b, serverAddress: 'sip:reg@b.example.com', host: '10.0.0.2' });
  await world.advance(1_000);
  const one = a.insert(binding());
  await world.advance(1_000);
  expect(b.learned.map(({ contact: uri }) => uri)).toEqual([one.contact]);
  expect(a.learned).toEqual([]);
  expect(world.publishes).toHaveLength(1);
  a.delete(one);
  await world.advance(1_000);
  expect(b.learned).toEqual([]);
  // This server hands documents on as they are: those of the other node count once its versions are the higher ones.
  let other = b.insert(binding());
  for (let i = 0; i < 2; i++) {
    await world.advance(1_000);
    other = b.update(other);
  }
  await world.advance(1_000);
  expect(a.learned.map(({ contact: uri }) => uri)).toEqual([other.contact]);
  expect(b.learned).toEqual([]);
  expect(world.publishes).toHaveLength(5);
});
