import { performance } from 'node:perf_hooks';
import {
  authorization,
  type Challenge,
  chooseChallenges,
  chooseQop,
  parseChallenges,
} from '../../dist/policy/digest.js';

function challenge(more: Partial<Challenge> = {}): Challenge {
  return { proxy: false, realm: 'r', nonce: 'n', opaque: undefined, algorithm: '', qop: [], stale: false, ...more };
}

const field = (value: string, name: string) => new RegExp(`(?:^|[ ,])${name}="?([^",]*)"?`).exec(value)?.[1];

describe('published examples', () => {
  const rfc7616 = {
    realm: 'http-auth@example.org',
    nonce: '7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v',
    opaque: 'FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS',
    qop: ['auth', 'auth-int'],
  };
  const mufasa = {
    credentials: { realm: '*', username: 'Mufasa', password: 'Circle of Life' },
    method: 'GET',
    uri: '/dir/index.html',
    body: '',
    cnonce: 'f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ',
    nc: 1,
  };

  test.each([
    ['MD5', '8ca523f5e9506fed4657c9700eebdbec'],
    ['SHA-256', '753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1'],
  ])('RFC 7616 3.9.1, %s', (algorithm, expected) => {
    const value = authorization({ ...mufasa, challenge: challenge({ ...rfc7616, algorithm }) });
    expect(field(value, 'response')).toBe(expected);
    expect(field(value, 'nc')).toBe('00000001');
    expect(field(value, 'qop')).toBe('auth');
    expect(field(value, 'algorithm')).toBe(algorithm);
    expect(field(value, 'opaque')).toBe(rfc7616.opaque);
  });

  test('RFC 7616 3.9.2, SHA-512-256 (with the response of erratum 4897)', () => {
    const value = authorization({
      challenge: challenge({
        realm: 'api@example.org',
        nonce: '5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK',
        opaque: 'HRPCssKJSGjCrkzDg8OhwpzCiGPChXYjwrI2QmXDnsOS',
        algorithm: 'SHA-512-256',
        qop: ['auth'],
      }),
      credentials: { realm: '*', username: 'Jäsøn Doe', password: 'Secret, or not?' },
      method: 'GET',
      uri: '/doe.json',
      body: '',
      cnonce: 'NTg6RKcb9boFIAS3KrFK9BGeh+iDa/sm6jUMp2wds69v',
      nc: 1,
    });
    expect(field(value, 'response')).toBe('3798d4131c277846293534c3edc11bd8a5e4cdcbff78b05db9d95eeb1cec68a5');
  });

  // RFC 2617 3.5 with the qop left out: the form of RFC 2069.
  test('without qop', () => {
    const value = authorization({
      ...mufasa,
      credentials: { ...mufasa.credentials, password: 'CircleOfLife' },
      challenge: challenge({
        realm: 'testrealm@host.com',
        nonce: 'dcd98b7102dd2f0e8b11d0f600bfb0c093',
        opaque: '5ccc069c403ebaf9f0171e9517f40e41',
      }),
    });
    expect(field(value, 'response')).toBe('1949323746fe6a43ef61f9606e7febea');
    for (const name of ['qop', 'nc', 'cnonce', 'algorithm']) expect(field(value, name)).toBeUndefined();
  });

  test('RFC 2617 3.5, qop=auth', () => {
    const value = authorization({
      ...mufasa,
      cnonce: '0a4f113b',
      challenge: challenge({
        realm: 'testrealm@host.com',
        nonce: 'dcd98b7102dd2f0e8b11d0f600bfb0c093',
        qop: ['auth', 'auth-int'],
      }),
      credentials: { ...mufasa.credentials, password: 'Circle Of Life' },
    });
    expect(field(value, 'response')).toBe('6629fae49393a05397450978507c4ef1');
  });
});

describe('variants (hashes computed with openssl)', () => {
  const input = {
    credentials: { realm: '*', username: 'alice', password: 'secret' },
    method: 'PUBLISH',
    uri: 'sip:alice@example.com',
    body: '',
    cnonce: 'c',
    nc: 10,
  };

  test('-sess mixes nonce and cnonce into the secret', () => {
    const plain = authorization({ ...input, challenge: challenge({ algorithm: 'MD5', qop: ['auth'] }) });
    const sess = authorization({ ...input, challenge: challenge({ algorithm: 'MD5-sess', qop: ['auth'] }) });
    expect(field(plain, 'response')).toBe('ebb4a6842a5276af9372c1fdf3d360fe');
    expect(field(sess, 'response')).toBe('2ba9c9c2056399e2e13c072a0a550ead');
    expect(field(sess, 'algorithm')).toBe('MD5-sess');
    expect(field(sess, 'nc')).toBe('0000000a');
  });

  test('-sess without qop still needs the cnonce', () => {
    const value = authorization({ ...input, challenge: challenge({ algorithm: 'MD5-sess' }) });
    expect(field(value, 'cnonce')).toBe('c');
    expect(field(value, 'nc')).toBeUndefined();
  });

  test('auth-int covers the body, the empty one too', () => {
    const of = (body: string | Uint8Array) =>
      field(
        authorization({ ...input, body, challenge: challenge({ algorithm: 'MD5', qop: ['auth-int'] }) }),
        'response',
      );
    expect(of('')).toBe('f6549f100d57c742034419b03edc8472');
    expect(of('body')).toBe('75a19491079b1bd8cf99aa76f8019b83');
    expect(of(new TextEncoder().encode('body'))).toBe('75a19491079b1bd8cf99aa76f8019b83');
  });

  test('quotes and backslashes are escaped on the wire and hashed as they are', () => {
    const value = authorization({
      ...input,
      credentials: { realm: '*', username: 'a"b\\c', password: 's' },
      challenge: challenge({ realm: 'q"r', opaque: 'o"' }),
    });
    expect(value).toContain('username="a\\"b\\\\c"');
    expect(value).toContain('realm="q\\"r"');
    expect(value).toContain('opaque="o\\""');
    expect(field(value, 'response')).toBe('ae01f3b09a5b5ce63d0790e7162eb8b1');
  });

  test('the spelling of the algorithm is given back as it came', () => {
    expect(authorization({ ...input, challenge: challenge({ algorithm: 'sha-256' }) })).toContain('algorithm=sha-256');
  });
});

describe('parseChallenges', () => {
  test('one challenge with everything', () => {
    expect(
      parseChallenges(
        'Digest realm="a, b", nonce="n=1", opaque="o", algorithm=SHA-256, qop="auth, auth-int", stale=TRUE, charset=UTF-8',
        true,
      ),
    ).toEqual([
      {
        proxy: true,
        realm: 'a, b',
        nonce: 'n=1',
        opaque: 'o',
        algorithm: 'SHA-256',
        qop: ['auth', 'auth-int'],
        stale: true,
      },
    ]);
  });

  test('several in one value, other schemes skipped', () => {
    const value =
      'Basic realm="basic", Digest realm="one", nonce="1", NTLM, Negotiate YWJj==, digest REALM="two" , NONCE="2",algorithm="MD5"';
    expect(parseChallenges(value, false).map(({ realm, nonce, algorithm }) => [realm, nonce, algorithm])).toEqual([
      ['one', '1', ''],
      ['two', '2', 'MD5'],
    ]);
  });

  test('escapes in quoted strings', () => {
    expect(parseChallenges('Digest realm="say \\"hi\\" \\\\", nonce="n"', false)[0]?.realm).toBe('say "hi" \\');
  });

  test.each([
    [''],
    ['Digest'],
    ['Digest realm="r"'],
    ['Digest nonce="n"'],
    ['realm="r", nonce="n"'],
    ['Digest realm="r, nonce="n"'],
    ['<>'],
    ['Digest ,,,'],
  ])('nothing usable in %j', (value) => {
    expect(parseChallenges(value, false)).toEqual([]);
  });

  test('what follows a broken part is left out, what came before it stays', () => {
    expect(parseChallenges('Digest realm="r", nonce="n", opaque="never closed', false)).toMatchObject([
      { realm: 'r', nonce: 'n' },
    ]);
  });

  // A server, or whoever speaks for it, must not be able to stop the process with one header.
  test.each([
    ['white space', (n: number) => `Digest realm="r", nonce="n"${' '.repeat(n)}"`],
    ['white space before a token', (n: number) => `Digest${' \t'.repeat(n / 2)}\u0001`],
    ['commas', (n: number) => `Digest${' ,'.repeat(n / 2)}`],
    ['tokens', (n: number) => `${'a '.repeat(n / 2)}`],
    ['an open quote', (n: number) => `Digest realm="${'\\"'.repeat(n / 2)}`],
    ['parameters', (n: number) => `Digest ${'a="b",'.repeat(n / 6)}`],
    ['equals signs', (n: number) => `Digest ${'= '.repeat(n / 2)}`],
    ['a long token', (n: number) => `Digest ${'a'.repeat(n)} ${' '.repeat(n)}`],
  ])('linear time: %s', (_name, make) => {
    const time = (n: number) => {
      const value = make(n);
      const from = performance.now();
      parseChallenges(value, false);
      return performance.now() - from;
    };
    time(1_000);
    // 40 000 characters take milliseconds; what is quadratic takes seconds.
    expect(time(40_000)).toBeLessThan(1_000);
  });
});

describe('choice', () => {
  const all = new Set(['md5', 'md5-sess', 'sha-256', 'sha-256-sess', 'sha-512-256', 'sha-512-256-sess']);
  const algorithms = (offered: Challenge[], allowed: ReadonlySet<string> = all) =>
    chooseChallenges(offered, allowed).map((c) => c.algorithm);

  test('per realm the topmost that is supported', () => {
    const offered = [
      challenge({ algorithm: 'SHA3-256' }),
      challenge({ algorithm: 'SHA-256' }),
      challenge({ algorithm: 'MD5' }),
      challenge({ realm: 'other', algorithm: 'MD5' }),
    ];
    expect(algorithms(offered)).toEqual(['SHA-256', 'MD5']);
    expect(algorithms(offered, new Set(['md5']))).toEqual(['MD5', 'MD5']);
  });

  test('no algorithm is MD5, which can be switched off', () => {
    expect(algorithms([challenge()])).toEqual(['']);
    expect(algorithms([challenge()], new Set(['sha-256']))).toEqual([]);
  });

  test('one realm may ask as proxy and as registrar', () => {
    expect(algorithms([challenge(), challenge({ proxy: true })])).toHaveLength(2);
  });

  test.each([
    [[], ''],
    [['auth'], 'auth'],
    [['auth-int', 'auth'], 'auth'],
    [['auth-int'], 'auth-int'],
    [['auth-conf'], undefined],
  ] as const)('qop of %j', (qop, expected) => {
    expect(chooseQop(challenge({ qop }))).toBe(expected);
  });

  test('an unknown qop is skipped', () => {
    expect(algorithms([challenge({ algorithm: 'SHA-256', qop: ['x'] }), challenge({ algorithm: 'MD5' })])).toEqual([
      'MD5',
    ]);
  });
});
