import { ALICE, createWorld, pidf, type World } from './helpers';

let world: World;

beforeEach(async () => {
  world = await createWorld({ limits: { min: 60, max: 3600, default: 1800 } });
});
afterEach(() => world.close());

const publish = (options: Parameters<World['client']['publish']>[1], presentity = ALICE) =>
  world.settled(world.client.publish(presentity, options));

const etagOf = (answer: { headers: { get(name: string): string | undefined } }) => answer.headers.get('SIP-ETag')!;

describe('RFC 3903 section 6', () => {
  test('initial, refresh, modify, remove: each 2xx has Expires and a new entity-tag, the old one is void', async () => {
    const etags: string[] = [];
    const step = async (options: Parameters<typeof publish>[0], expires: string) => {
      const answer = await publish({ ...options, ...(etags.length > 0 ? { etag: etags.at(-1)! } : {}) });
      expect([answer.status, answer.headers.get('Expires')]).toEqual([200, expires]);
      etags.push(etagOf(answer));
    };
    await step({ body: pidf('open'), expires: 600 }, '600');
    expect(world.server.publications).toMatchObject([
      { presentity: 'alice@example.com', event: 'presence', etag: etags[0], generation: 1 },
    ]);
    await step({ expires: 100 }, '100');
    expect(world.server.publications[0]!.body.text()).toBe(pidf('open'));
    await step({ body: pidf('closed'), expires: 600 }, '600');
    expect(world.server.publications[0]!.body.text()).toBe(pidf('closed'));
    await step({ expires: 0 }, '0');
    expect(world.server.publications).toEqual([]);
    expect(new Set(etags).size).toBe(4);
    for (const etag of etags) expect((await publish({ etag, expires: 600 })).status).toBe(412);
  });

  test.each<[string, Parameters<World['client']['publish']>[1], number, [string, string] | undefined]>([
    [
      'unknown event',
      { event: 'weather', body: 'x' },
      489,
      ['Allow-Events', expect.stringContaining('presence, ') as unknown as string],
    ],
    ['unknown entity-tag', { etag: 'never-given', expires: 600 }, 412, undefined],
    ['412 comes before 423', { etag: 'never-given', expires: 10 }, 412, undefined],
    ['two entity-tags', { etag: 'a, b', expires: 600 }, 400, undefined],
    ['too brief', { body: 'x', expires: 59 }, 423, ['Min-Expires', '60']],
    ['initial without body', { expires: 600 }, 400, undefined],
    [
      'wrong content type',
      { body: { type: 'text/plain', content: 'x' }, expires: 600 },
      415,
      ['Accept', 'application/pidf+xml'],
    ],
    ['more than the maximum', { body: 'x', expires: 7200 }, 200, ['Expires', '3600']],
    ['no Expires: the default', { body: 'x' }, 200, ['Expires', '1800']],
    ['initial with Expires 0 stores nothing', { body: 'x', expires: 0 }, 200, ['Expires', '0']],
  ])('%s', async (_name, options, status, header) => {
    const answer = await publish(options);
    expect(answer.status).toBe(status);
    if (header) expect(answer.headers.get(header[0])).toEqual(header[1]);
    const stored = status === 200 && options?.expires !== 0;
    expect(world.server.publications).toHaveLength(stored ? 1 : 0);
  });

  test('a request without Event gets 489', async () => {
    const answer = await world.settled(
      world.client.ask({ method: 'PUBLISH', uri: ALICE, headers: [['Expires', '600']] }),
    );
    expect(answer.status).toBe(489);
  });

  test('an entity-tag is good for its presentity and event only', async () => {
    const etag = etagOf(await publish({ body: pidf('open'), expires: 600 }));
    expect((await publish({ etag, expires: 600 }, 'sip:bob@example.com')).status).toBe(412);
    expect((await publish({ etag, expires: 600, event: 'dialog' })).status).toBe(412);
    // User and host name the resource, not the scheme's decoration.
    expect((await publish({ etag, expires: 600 }, 'sip:alice@EXAMPLE.com;transport=udp')).status).toBe(200);
  });

  test('a refused modify changes nothing', async () => {
    const etag = etagOf(await publish({ body: pidf('open'), expires: 600 }));
    expect((await publish({ etag, body: { type: 'text/plain', content: 'x' }, expires: 600 })).status).toBe(415);
    expect((await publish({ etag, body: pidf('closed'), expires: 1 })).status).toBe(423);
    expect(world.server.publications).toMatchObject([{ etag, generation: 1 }]);
    expect(world.server.publications[0]!.body.text()).toBe(pidf('open'));
  });

  test('a publication that is not refreshed runs out by the clock', async () => {
    const etag = etagOf(await publish({ body: pidf('open'), expires: 60 }));
    await world.clock.advanceAsync(50_000);
    const renewed = etagOf(await publish({ etag, expires: 60 }));
    await world.clock.advanceAsync(59_000);
    expect(world.server.publications).toHaveLength(1);
    await world.clock.advanceAsync(1_100);
    expect(world.server.publications).toEqual([]);
    expect((await publish({ etag: renewed, expires: 60 })).status).toBe(412);
  });

  test('a server that is not responsible answers 404', async () => {
    const other = await createWorld({ responsibleFor: (address) => address.endsWith('@example.com') });
    const ask = (uri: string) => other.settled(other.client.publish(uri, { body: 'x', expires: 60 }));
    expect((await ask('sip:alice@example.net')).status).toBe(404);
    expect((await ask(ALICE)).status).toBe(200);
    await other.close();
  });
});

test('what happened is on record: requests with answers, counters, peak rate', async () => {
  const soon = [1, 2, 3].map(() => world.client.publish(ALICE, { body: pidf('open'), expires: 600 }));
  await world.settled(Promise.all(soon));
  await world.clock.advanceAsync(5000);
  await publish({ expires: 600 });
  const { server } = world;
  expect(server.requests.map(({ number, method, uri, status }) => [number, method, uri, status])).toEqual([
    [1, 'PUBLISH', ALICE, 200],
    [2, 'PUBLISH', ALICE, 200],
    [3, 'PUBLISH', ALICE, 200],
    [4, 'PUBLISH', ALICE, 400],
  ]);
  expect(server.requests[0]!.body?.text()).toBe(pidf('open'));
  expect(server.requests[0]!.headers.get('event')).toBe('presence');
  expect(server.stats()).toEqual({
    received: { PUBLISH: 4 },
    answered: { PUBLISH: { 200: 3, 400: 1 } },
    peakPerSecond: 3,
    publications: 3,
    subscriptions: 0,
  });
  server.clearLog();
  expect([server.requests, server.stats().peakPerSecond]).toEqual([[], 0]);
});

test('nextRequest waits for what is to come and fails at its deadline', async () => {
  const next = world.server.nextRequest(({ status }) => status === 412, 10_000);
  await publish({ body: 'x', expires: 600 });
  await publish({ etag: 'x', expires: 600 });
  await expect(next).resolves.toMatchObject({ number: 2, status: 412 });
  const never = world.server.nextRequest(() => true, 1000);
  const failed = expect(never).rejects.toThrow('not seen within 1000 ms; received: {"PUBLISH":2}');
  await world.clock.advanceAsync(1000);
  await failed;
});

test('a stopped world leaves no timer and no socket', async () => {
  await publish({ body: 'x', expires: 600 });
  await world.close();
  expect([world.clock.pending, world.network.sockets]).toEqual([0, 0]);
});
