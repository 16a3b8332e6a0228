import { createHash } from 'node:crypto';
import { SimClock, SimRandom } from '@pua/testkit';
import { Nonces } from '../../dist/registrar/nonces.js';
import { type Answer, PHONE, Scene, settle, USERS } from './scene';

let scene: Scene | undefined;
const start = async (options = {}) => {
  scene = await Scene.start({ users: USERS, domains: ['example.com'], ...options });
  return scene;
};
afterEach(async () => {
  await scene?.stop();
  scene = undefined;
});

const parameter = (challenge: string, name: string) => new RegExp(`${name}="?([^",]*)`).exec(challenge)?.[1] ?? '';

interface Given {
  username?: string;
  password?: string;
  uri?: string;
  nc?: string;
  cnonce?: string;
  qop?: string;
  algorithm?: string;
  realm?: string;
  nonce?: string;
}

const HASHES: Readonly<Record<string, string>> = { MD5: 'md5', 'SHA-256': 'sha256', 'SHA-512-256': 'sha512-256' };

/** Written out here, so that it owes nothing to what it tests. */
function authorization(challenge: string, given: Given = {}): string {
  const { username = 'alice', password = 'secret', uri = 'sip:example.com', nc = '00000001', cnonce = 'c' } = given;
  const { qop = 'auth', algorithm = parameter(challenge, 'algorithm') } = given;
  const { realm = parameter(challenge, 'realm'), nonce = parameter(challenge, 'nonce') } = given;
  const h = (text: string) => createHash(HASHES[algorithm]!).update(text).digest('hex');
  const middle = qop === '' ? nonce : `${nonce}:${nc}:${cnonce}:${qop}`;
  const response = h(`${h(`${username}:${realm}:${password}`)}:${middle}:${h(`REGISTER:${uri}`)}`);
  const more = qop === '' ? '' : `, qop=${qop}, nc=${nc}, cnonce="${cnonce}"`;
  return `Digest username="${username}", realm="${realm}", nonce="${nonce}", uri="${uri}", response="${response}", algorithm=${algorithm}${more}`;
}

const challengesOf = (answer: Answer) => answer.all('WWW-Authenticate');
/** The challenge of that algorithm in a fresh 401. */
async function challenged(algorithm = 'MD5'): Promise<string> {
  const found = challengesOf(await scene!.send()).find((challenge) => parameter(challenge, 'algorithm') === algorithm);
  if (found === undefined) throw new Error(`${algorithm} was not offered`);
  return found;
}

describe('digest (RFC 3261 22, RFC 7616, RFC 8760)', () => {
  test('the challenge: algorithms in the order of preference, qop, realm of the address', async () => {
    await start();
    const answer = await scene!.send();
    expect(answer.status).toBe(401);
    expect(challengesOf(answer)).toEqual([
      expect.stringMatching(/^Digest realm="example\.com", nonce="[^"]+", algorithm=SHA-256, qop="auth"$/),
      expect.stringMatching(/^Digest realm="example\.com", nonce="[^"]+", algorithm=MD5, qop="auth"$/),
    ]);
  });

  test('a realm of its own', async () => {
    await start({ realm: 'My "Realm"' });
    expect(challengesOf(await scene!.send())[0]).toContain('realm="My \\"Realm\\""');
  });

  test.each(['MD5', 'SHA-256', 'SHA-512-256'])('%s', async (algorithm) => {
    await start({ algorithms: [algorithm] });
    const challenge = await challenged(algorithm);
    expect(await scene!.send({ Authorization: authorization(challenge) })).toMatchObject({ status: 200 });
    expect(scene!.told()).toHaveLength(1);
  });

  test.each<[string, Given]>([
    ['a wrong password', { password: 'guess' }],
    ['an empty password', { password: '' }],
    ['an unknown user', { username: 'mallory' }],
    ['an algorithm that was not offered', { algorithm: 'SHA-512-256' }],
    ['another realm', { realm: 'elsewhere' }],
  ])('%s: 401 with a new nonce, not stale', async (_, given) => {
    await start();
    const challenge = await challenged();
    const answer = await scene!.send({ Authorization: authorization(challenge, given) });
    expect(answer.status).toBe(401);
    expect(challengesOf(answer)[0]).not.toContain('stale');
    expect(parameter(challengesOf(answer)[0]!, 'nonce')).not.toBe(parameter(challenge, 'nonce'));
    expect(scene!.told()).toEqual([]);
  });

  test.each<[string, Given]>([
    ['a uri that is not the Request-URI', { uri: 'sip:other.example.com' }],
    ['auth-int', { qop: 'auth-int' }],
    ['no nonce count', { nc: '' }],
    ['a nonce count that can not be read', { nc: '1' }],
    ['no cnonce', { cnonce: '' }],
  ])('%s: 400', async (_, given) => {
    await start();
    expect(await scene!.send({ Authorization: authorization(await challenged(), given) })).toMatchObject({
      status: 400,
    });
    expect(scene!.told()).toEqual([]);
  });

  test.each([
    'Basic YWxpY2U6c2VjcmV0',
    'Digest',
    'Digest username="alice"',
    'Digest ,,,',
    '',
    `Digest ${' '.repeat(5_000)}`,
  ])('%j is no answer to a challenge', async (Authorization) => {
    await start();
    expect(await scene!.send({ Authorization })).toMatchObject({ status: 401 });
  });

  test('the right one of several', async () => {
    await start();
    const Authorization = [
      'Basic x',
      authorization(await challenged(), { realm: 'other' }),
      authorization(await challenged()),
    ];
    expect(await scene!.send({ Authorization })).toMatchObject({ status: 200 });
  });

  test('a nonce that is too old: stale, and its successor works', async () => {
    await start({ nonceExpire: 30 });
    const challenge = await challenged();
    scene!.clock.advance(30_000);
    const answer = await scene!.send({ Authorization: authorization(challenge) });
    expect(answer.status).toBe(401);
    expect(challengesOf(answer).every((text) => text.endsWith(', stale=true'))).toBe(true);
    const again = authorization(challengesOf(answer)[1]!);
    expect(await scene!.send({ Authorization: again })).toMatchObject({ status: 200 });
  });

  test('a nonce of another process, or made up: stale when the password is right', async () => {
    await start();
    for (const nonce of ['made-up', '1-1-ffffffffffffffffffffffffffffffff', '', 'x'.repeat(1_000)]) {
      const answer = await scene!.send({ Authorization: authorization(await challenged(), { nonce }) });
      expect(challengesOf(answer)[0]).toContain('stale=true');
    }
    expect(scene!.told()).toEqual([]);
  });

  test('a nonce serves several requests, each nonce count once', async () => {
    await start();
    const challenge = await challenged();
    const send = (nc: string) => scene!.send({ Authorization: authorization(challenge, { nc }) });
    expect(await send('00000001')).toMatchObject({ status: 200 });
    expect(await send('00000002')).toMatchObject({ status: 200 });
    for (const nc of ['00000002', '00000001', '00000000']) {
      const replayed = await send(nc);
      expect(replayed.status).toBe(401);
      expect(challengesOf(replayed)[0]).toContain('stale=true');
    }
    expect(await send('0000000a')).toMatchObject({ status: 200 });
  });

  test('without qop, as in RFC 2069, a nonce serves once', async () => {
    await start();
    const Authorization = authorization(await challenged(), { qop: '' });
    expect(await scene!.send({ Authorization })).toMatchObject({ status: 200 });
    const replayed = await scene!.send({ Authorization });
    expect(challengesOf(replayed)[0]).toContain('stale=true');
  });
});

describe('nonces', () => {
  const make = (limit: number) => {
    const clock = new SimClock();
    return { clock, nonces: new Nonces({ clock, random: new SimRandom(1), lifetime: 60, limit }) };
  };

  test('those that nobody used cost nothing; the used ones are bounded, and no replay gets through', () => {
    const { clock, nonces } = make(3);
    const made = Array.from({ length: 10 }, () => {
      clock.advance(1);
      return nonces.make();
    });
    expect(nonces.size).toBe(0);
    for (const nonce of made) expect(nonces.use(nonce, 1)).toBe(true);
    expect(nonces.size).toBe(3);
    for (const nonce of made) expect(nonces.use(nonce, 1)).toBe(false);
    expect(nonces.use(made[0]!, 2)).toBe(false);
    expect(nonces.use(made[9]!, 2)).toBe(true);
  });

  test('are forgotten when their time is over', () => {
    const { clock, nonces } = make(100);
    nonces.use(nonces.make(), 1);
    clock.advance(60_000);
    expect(nonces.use(nonces.make(), 1)).toBe(true);
    expect(nonces.size).toBe(1);
  });

  test('no two are the same, and none can be changed', () => {
    const { nonces } = make(100);
    const [one, other] = [nonces.make(), nonces.make()];
    expect(one).not.toBe(other);
    const [time, number, seal] = one.split('-') as [string, string, string];
    for (const forged of [
      `${time}1-${number}-${seal}`,
      `${time}-${number}1-${seal}`,
      `${time}-${number}`,
      `${one}-x`.slice(1),
    ])
      expect(nonces.use(forged, 1)).toBe(false);
    expect(nonces.use(one, 1)).toBe(true);
  });
});

describe('who may register whom', () => {
  const users = [
    { username: 'alice', password: 'secret' },
    { username: 'desk', domain: 'EXAMPLE.com', password: 'secret', aors: ['sip:alice@example.com', 'bob@example.com'] },
    { username: 'admin', password: 'secret', aors: '*' as const },
  ];
  const login = (username: string, user: string) =>
    scene!.login({ To: `<sip:${user}@example.com>`, 'Call-ID': `${username}-${user}` }, { username });

  test.each([
    ['alice', 'alice', 200],
    ['alice@example.com', 'alice', 200],
    ['alice', 'bob', 403],
    ['alice', 'Alice', 403],
    ['desk', 'alice', 200],
    ['desk', 'bob', 200],
    ['desk', 'desk', 403],
    ['admin', 'anybody', 200],
  ])('%s registers %s -> %d', async (username, user, status) => {
    await start({ users });
    expect((await login(username, user)).status).toBe(status);
    expect(scene!.told()).toHaveLength(status === 200 ? 1 : 0);
  });

  test('a user of one domain is none of the other', async () => {
    await start({
      domains: ['example.com', 'example.org'],
      users: [{ username: 'alice', domain: 'example.com', password: 'secret' }],
    });
    const at = (domain: string) =>
      scene!.login({ To: `<sip:alice@${domain}>`, 'Call-ID': domain }, { uri: `sip:${domain}` });
    expect((await at('example.com')).status).toBe(200);
    expect((await at('example.org')).status).toBe(401);
  });
});

test('no secret is in what is told of faults', async () => {
  await start({
    publish: () => {
      throw new Error('x');
    },
  });
  await scene!.login({}, { source: PHONE });
  await settle();
  expect(scene!.faults).toHaveLength(1);
  expect(JSON.stringify(scene!.faults)).not.toContain('secret');
});
