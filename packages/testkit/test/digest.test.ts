import { answerChallenge, digestAlgorithm, digestResponse, parseDigest } from '@pua/testkit';

// RFC 7616 3.9.1
const MUFASA = {
  username: 'Mufasa',
  realm: 'http-auth@example.org',
  password: 'Circle of Life',
  method: 'GET',
  uri: '/dir/index.html',
  nonce: '7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v',
  nc: '00000001',
  cnonce: 'f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ',
  qop: 'auth',
} as const;

test.each([
  ['MD5', '8ca523f5e9506fed4657c9700eebdbec'],
  ['SHA-256', '753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1'],
] as const)('RFC 7616 3.9.1: %s', (algorithm, response) => {
  expect(digestResponse({ ...MUFASA, algorithm })).toBe(response);
});

test('RFC 7616 3.9.2: SHA-512/256, not SHA-512 cut to 256 bits', () => {
  const input = {
    username: 'J\u00e4s\u00f8n Doe',
    realm: 'api@example.org',
    password: 'Secret, or not?',
    method: 'GET',
    uri: '/doe.json',
    nonce: '5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK',
    nc: '00000001',
    cnonce: 'NTg6RKcb9boFIAS3KrFK9BGeh+iDa/sm6jUMp2wds69v',
    qop: 'auth',
  } as const;
  // What the RFC prints (ae66e67d...) was made with the latter, against its own definition of the algorithm.
  expect(digestResponse({ ...input, algorithm: 'SHA-512-256' })).toBe(
    '3798d4131c277846293534c3edc11bd8a5e4cdcbff78b05db9d95eeb1cec68a5',
  );
});

test('RFC 2617 3.5 with and RFC 2069 without qop', () => {
  const input = {
    algorithm: 'MD5',
    username: 'Mufasa',
    realm: 'testrealm@host.com',
    method: 'GET',
    uri: '/dir/index.html',
    nonce: 'dcd98b7102dd2f0e8b11d0f600bfb0c093',
  } as const;
  const withQop = { ...input, password: 'Circle Of Life', qop: 'auth', nc: '00000001', cnonce: '0a4f113b' } as const;
  expect(digestResponse(withQop)).toBe('6629fae49393a05397450978507c4ef1');
  // With the erratum to RFC 2069.
  expect(digestResponse({ ...input, password: 'CircleOfLife' })).toBe('1949323746fe6a43ef61f9606e7febea');
});

test('auth-int covers the body, -sess the nonces', () => {
  const base = { ...MUFASA, algorithm: 'MD5' } as const;
  const integrity = { ...base, qop: 'auth-int' } as const;
  expect(digestResponse({ ...integrity, body: 'a' })).not.toBe(digestResponse({ ...integrity, body: 'b' }));
  expect(digestResponse(integrity)).toBe(digestResponse({ ...integrity, body: new Uint8Array() }));
  expect(digestResponse({ ...base, algorithm: 'MD5-sess' })).not.toBe(digestResponse(base));
});

test('algorithm names are read in any case; the unknown is unknown', () => {
  expect(['md5', 'sha-256-SESS', undefined, 'SHA-1', ''].map((name) => digestAlgorithm(name))).toEqual([
    'MD5',
    'SHA-256-sess',
    'MD5',
    undefined,
    undefined,
  ]);
});

test('values are read with and without quotes, other schemes not at all', () => {
  const params = parseDigest('digest Realm="a \\"b\\", c" ,qop="auth,auth-int",stale=TRUE , nonce=""');
  expect([...params!]).toEqual([
    ['realm', 'a "b", c'],
    ['qop', 'auth,auth-int'],
    ['stale', 'TRUE'],
    ['nonce', ''],
  ]);
  expect(parseDigest('Bearer realm="a"')).toBeUndefined();
});

test('a challenge is answered with the values of the RFC, an unknown algorithm or qop is not', () => {
  const challenge = `Digest realm="${MUFASA.realm}", qop="auth, auth-int", algorithm=SHA-256, nonce="${MUFASA.nonce}", opaque="o"`;
  const request = { method: 'GET', uri: MUFASA.uri };
  const given = parseDigest(answerChallenge(challenge, MUFASA, request, 1, MUFASA.cnonce)!)!;
  expect(Object.fromEntries(given)).toEqual({
    username: 'Mufasa',
    realm: MUFASA.realm,
    nonce: MUFASA.nonce,
    uri: MUFASA.uri,
    response: '753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1',
    algorithm: 'SHA-256',
    cnonce: MUFASA.cnonce,
    qop: 'auth',
    nc: '00000001',
    opaque: 'o',
  });
  expect(answerChallenge(challenge.replace('SHA-256', 'SHA-1'), MUFASA, request)).toBeUndefined();
  expect(answerChallenge(challenge.replace('auth, auth-int', 'auth-conf'), MUFASA, request)).toBeUndefined();
});
