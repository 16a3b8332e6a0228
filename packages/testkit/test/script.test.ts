import type { Outcome } from '@pua/core';
import { embeddedSip } from '@pua/sip';
import { answerChallenge, PresenceServer, Watcher } from '@pua/testkit';
import { ALICE, createWorld, pidf, type World } from './helpers';

let world: World;

beforeEach(async () => {
  world = await createWorld();
});
afterEach(() => world.close());

const publish = (options: Parameters<World['client']['publish']>[1] = {}, presentity = ALICE) =>
  world.settled(world.client.publish(presentity, { body: pidf('open'), expires: 600, ...options }));

describe('answerNext', () => {
  test('answers so many matching requests, stores nothing, then the server works as before', async () => {
    world.server.answerNext({
      method: 'PUBLISH',
      times: 2,
      status: 503,
      reason: 'Busy',
      headers: [['Retry-After', '7']],
    });
    for (let i = 0; i < 2; i++) {
      const answer = await publish();
      expect([answer.status, answer.reason, answer.headers.get('Retry-After')]).toEqual([503, 'Busy', '7']);
    }
    expect(world.server.publications).toEqual([]);
    expect((await publish()).status).toBe(200);
    expect(world.server.count('PUBLISH', 503)).toBe(2);
  });

  test('picks by method, presentity, event, initial, or any condition; rules are used in their order', async () => {
    const { server } = world;
    server.answerNext({ method: 'SUBSCRIBE', status: 481 });
    server.answerNext({ status: 412, where: { initial: false } });
    server.answerNext({ status: 403, where: { uri: 'sip:BOB@example.com' } });
    server.answerNext({ status: 404, where: { uri: 'sip:bob@EXAMPLE.com' } });
    server.answerNext({ status: 489, where: { event: 'dialog' } });
    server.answerNext({ status: 600, where: (request) => request.headers.get('X-Test') === 'yes' });
    expect((await publish()).status).toBe(200);
    expect((await publish({ etag: 'x' })).status).toBe(412);
    expect((await publish({}, 'sip:bob@example.com')).status).toBe(404);
    expect((await publish({ event: 'dialog' })).status).toBe(489);
    expect((await publish({ headers: [['X-Test', 'yes']] })).status).toBe(600);
    expect((await world.settled(world.watcher.subscribe(ALICE, 'presence'))).answer!.status).toBe(481);
  });

  test('a rule can be for ever, be cancelled, or be cleared with all others', async () => {
    const rule = world.server.answerNext({ status: 500, times: Number.POSITIVE_INFINITY });
    for (let i = 0; i < 3; i++) expect((await publish()).status).toBe(500);
    rule.cancel();
    expect((await publish()).status).toBe(200);
    const other = world.server.answerNext({ status: 500 });
    expect(other.remaining).toBe(1);
    world.server.clearScript();
    expect((await publish()).status).toBe(200);
  });

  test('what makes no sense is refused', () => {
    expect(() => world.server.answerNext({ status: 100 })).toThrow('200..699');
    expect(() => world.server.answerNext({ status: 200, times: 0 })).toThrow('times must be 1 or more');
  });
});

test('ignoreNext: no answer to the request and its retransmissions, the next one is answered', async () => {
  world.server.ignoreNext({ method: 'PUBLISH' });
  const outcome = await world.settled(
    world.client.send({ method: 'PUBLISH', uri: ALICE, headers: [['Event', 'presence']], timeoutMs: 8000 }),
  );
  expect(outcome.kind).toBe('timeout');
  expect(world.ladder.datagrams.filter(({ from }) => from.startsWith('10.0.0.9'))).toEqual([]);
  expect(world.ladder.datagrams.length).toBeGreaterThan(3);
  expect(world.server.requests).toMatchObject([{ status: 0, note: 'ignored on purpose' }]);
  expect((await publish()).status).toBe(200);
});

describe('shapeNext', () => {
  test('an answer without Expires and SIP-ETag, though the publication is stored', async () => {
    world.server.shapeNext({
      method: 'PUBLISH',
      omit: ['expires', 'sip-etag'],
      headers: [['X-Test', 'yes']],
      status: 202,
    });
    const { status, headers } = await publish();
    expect([status, headers.get('Expires'), headers.get('SIP-ETag'), headers.get('X-Test')]).toEqual([
      202,
      undefined,
      undefined,
      'yes',
    ]);
    expect(world.server.publications).toHaveLength(1);
    expect((await publish()).headers.get('SIP-ETag')).toBeDefined();
  });

  test('a lifetime of its own; refusals do not use it up', async () => {
    world.server.shapeNext({ grant: 30 });
    expect((await publish({ etag: 'unknown' })).status).toBe(412);
    expect((await publish()).headers.get('Expires')).toBe('30');
    await world.clock.advanceAsync(30_100);
    expect(world.server.publications).toEqual([]);
  });
});

describe('away, back, restart', () => {
  test('away is silent, back goes on with everything it knew', async () => {
    const etag = (await publish()).headers.get('SIP-ETag')!;
    world.server.away();
    const lost = await world.settled(
      world.client.send({ method: 'PUBLISH', uri: ALICE, headers: [['Event', 'presence']], timeoutMs: 5000 }),
    );
    expect(lost.kind).toBe('timeout');
    expect(world.server.requests).toHaveLength(1);
    world.server.back();
    expect((await publish({ etag, expires: 60 })).status).toBe(200);
  });

  test('lifetimes run on while it is away', async () => {
    await publish({ expires: 10 });
    world.server.away();
    await world.clock.advanceAsync(10_100);
    expect(world.server.publications).toEqual([]);
  });

  test('a restart that forgets: 412 for old entity-tags, 481 for old dialogs, no NOTIFY', async () => {
    const etag = (await publish()).headers.get('SIP-ETag')!;
    const watching = await world.settled(world.watcher.subscribe(ALICE, 'presence'));
    await world.clock.advanceAsync(100);
    world.server.away();
    world.server.restart({ forget: true });
    expect((await publish({ etag })).status).toBe(412);
    expect((await world.settled(watching.refresh())).status).toBe(481);
    await world.clock.advanceAsync(10_000);
    expect(watching.notifications).toHaveLength(1);
    expect(world.server.stats()).toMatchObject({ publications: 0, subscriptions: 0 });
  });

  test('without a gate, silence is refused with the remedy; all else goes', async () => {
    const { clock, random } = world;
    const { bind } = world.network;
    const sip = embeddedSip({ listen: ['udp:10.0.0.5:5060'], clock, random, bindDatagram: bind });
    const server = new PresenceServer({ sip });
    expect(() => server.away()).toThrow('needs a DatagramGate');
    expect(() => server.ignoreNext()).toThrow('startPresenceServer()');
    await server.start();
    const watcher = new Watcher({
      sip: embeddedSip({ listen: ['udp:10.0.0.6:5060'], clock, random, bindDatagram: bind }),
      server: 'sip:10.0.0.5:5060',
    });
    await watcher.start();
    const published = await world.settled(watcher.client.publish(ALICE, { body: pidf('open'), expires: 60 }));
    expect(published.status).toBe(200);
    const watching = await world.settled(watcher.subscribe(ALICE, 'presence'));
    expect(watching.answer!.status).toBe(200);
    await world.settled(watching.waitFor(({ body }) => body === pidf('open'), 1000));
    await watcher.stop();
    await server.stop();
  });
});

describe('requireDigest', () => {
  const USERS = { alice: 'secret' };
  const RIGHT = { username: 'alice', password: 'secret' };
  const realm = 'example.com';

  async function challenged(digest: object, credentials: { username: string; password: string } | null = RIGHT) {
    await world.close();
    world = await createWorld({ digest: { realm, users: USERS, ...digest } }, credentials ?? undefined);
  }

  test.each([
    ['MD5', false, 401],
    ['SHA-256', false, 401],
    ['SHA-512-256-sess', true, 407],
  ] as const)('%s, proxy %s: %i, then 200 for the right credentials', async (algorithm, proxy, status) => {
    await challenged({ algorithms: [algorithm], proxy });
    expect((await publish()).status).toBe(200);
    expect(world.server.requests.map((request) => request.status)).toEqual([status, 200]);
    const watching = await world.settled(world.watcher.subscribe(ALICE, 'presence'));
    expect(watching.answer!.status).toBe(200);
  });

  test('one challenge per algorithm, the preferred one first', async () => {
    await challenged({ algorithms: ['SHA-256', 'MD5'], qop: ['auth', 'auth-int'] });
    world.server.shapeNext({ method: 'PUBLISH', grant: 77 });
    // A shape is for the 2xx, not for the challenge.
    expect((await publish()).headers.get('Expires')).toBe('77');
    const used = world.server.requests.at(-1)!.headers.get('Authorization');
    expect(used).toContain('algorithm=SHA-256');
    const challenges = await rawChallenge();
    expect(challenges.map((value) => /algorithm=(\S+?),/.exec(value)![1])).toEqual(['SHA-256', 'MD5']);
    expect(challenges[0]).toContain('qop="auth,auth-int"');
  });

  test.each([
    ['password', { username: 'alice', password: 'wrong' }, 'digest: wrong response'],
    ['user', { username: 'mallory', password: 'secret' }, 'digest: unknown user mallory'],
    [
      'user named as a method of every object',
      { username: 'constructor', password: 'x' },
      'digest: unknown user constructor',
    ],
  ])('wrong %s: challenged again without stale', async (_name, credentials, note) => {
    await challenged({}, credentials);
    const answer = await publish();
    expect(answer.status).toBe(401);
    expect(answer.headers.get('WWW-Authenticate')).not.toContain('stale');
    expect(world.server.requests.map((request) => request.note)).toEqual([
      'digest: no credentials for the realm',
      note,
    ]);
    expect(world.server.publications).toEqual([]);
  });

  test('without qop, as RFC 2069', async () => {
    await challenged({ qop: [] });
    expect((await publish()).status).toBe(200);
    expect(world.server.requests.at(-1)!.headers.get('Authorization')).not.toContain('nc=');
  });

  /** The challenges that a request without credentials gets. */
  async function rawChallenge(): Promise<readonly string[]> {
    const request = {
      method: 'PUBLISH',
      uri: ALICE,
      callId: world.random.token(),
      cseq: 1,
      from: { uri: ALICE, tag: 'x' },
      to: { uri: ALICE },
      routes: [],
      headers: [['Event', 'presence'] as const],
      hop: world.client.hop,
    };
    const outcome = await world.settled(new Promise<Outcome>((done) => world.client.sip.request(request, done)));
    return outcome.kind === 'response' ? outcome.headers.all('WWW-Authenticate') : [];
  }

  describe('nonces', () => {
    let challenge: string;

    /** PUBLISH with an answer to the kept challenge. */
    const withNonce = (nc: number, change: (value: string) => string = (value) => value) =>
      publish({
        headers: [['Authorization', change(answerChallenge(challenge, RIGHT, { method: 'PUBLISH', uri: ALICE }, nc)!)]],
      });

    async function challengeWith(digest: object) {
      await challenged(digest, null);
      challenge = (await rawChallenge())[0]!;
    }

    beforeEach(() => challengeWith({}));

    test('a nonce is good for many requests with rising counts, a count is good once', async () => {
      expect((await withNonce(1)).status).toBe(200);
      expect((await withNonce(3)).status).toBe(200);
      // Overtaken on the way.
      expect((await withNonce(2)).status).toBe(200);
      const replayed = await withNonce(3);
      expect(replayed.status).toBe(401);
      expect(replayed.headers.get('WWW-Authenticate')).toContain('stale=true');
      expect(world.server.requests.at(-1)!.note).toBe('digest: nc 00000003 was used');
      expect((await withNonce(4)).status).toBe(200);
    });

    test('an unknown nonce with right credentials is stale', async () => {
      world.server.restart();
      const answer = await withNonce(1);
      expect(answer.headers.get('WWW-Authenticate')).toContain('stale=true');
    });

    test('a nonce can be used up; a server can be silent about stale', async () => {
      await challengeWith({ nonceUses: 1, stale: false });
      expect((await withNonce(1)).status).toBe(200);
      const answer = await withNonce(2);
      expect([answer.status, world.server.requests.at(-1)!.note]).toEqual([401, 'digest: nonce is used up']);
      expect(answer.headers.get('WWW-Authenticate')).not.toContain('stale');
    });

    test.each([
      [
        'another Request-URI',
        (value: string) => value.replace(/uri="[^"]*"/, 'uri="sip:eve@example.com"'),
        400,
        'is not the Request-URI',
      ],
      ['no response', (value: string) => value.replace(/response="[^"]*", /, ''), 400, 'is missing'],
      [
        'another algorithm',
        (value: string) => value.replace('algorithm=MD5', 'algorithm=SHA-256'),
        401,
        'algorithm was not offered',
      ],
      ['another qop', (value: string) => value.replace('qop=auth', 'qop=auth-int'), 401, 'qop was not offered'],
      ['another opaque', (value: string) => value.replace(/opaque="\w/, 'opaque="!'), 401, 'opaque differs'],
      ['another realm', (value: string) => value.replace(realm, 'example.net'), 401, 'no credentials for the realm'],
      [
        'another count than was hashed',
        (value: string) => value.replace('nc=00000001', 'nc=00000002'),
        401,
        'wrong response',
      ],
    ])('%s is refused', async (_name, change, status, note) => {
      expect((await withNonce(1, change)).status).toBe(status);
      expect(world.server.requests.at(-1)!.note).toContain(note);
    });
  });
});
