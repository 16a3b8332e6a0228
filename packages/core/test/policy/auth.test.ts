import { Authenticator } from '../../dist/policy/auth.js';
import { type Challenge, DIGEST_ALGORITHMS } from '../../dist/policy/digest.js';
import { FakeRandom } from '../support/clock';

const alice = { realm: 'example.com', username: 'alice', password: 'one' };
const anyone = { realm: '*', username: 'anyone', password: 'two' };
const PUBLISH = { method: 'PUBLISH', uri: 'sip:alice@example.com', to: 'sip:alice@example.com', body: '' };

const make = (credentials = [anyone, alice]) => new Authenticator(credentials, DIGEST_ALGORITHMS, new FakeRandom());

function challenge(more: Partial<Challenge> = {}): Challenge {
  const given = {
    proxy: false,
    realm: 'example.com',
    nonce: 'n',
    opaque: undefined,
    algorithm: 'MD5',
    stale: false,
    qop: [],
  };
  return { ...given, qop: ['auth'], ...more };
}

const part = (line: readonly [string, string] | undefined, name: string) =>
  new RegExp(`${name}="?([^",]*)`).exec(line?.[1] ?? '')?.[1];

test('nothing is signed for a hop that never asked', () => {
  const auth = make();
  auth.challenged('hop', PUBLISH.to, [challenge()], new Set());
  expect(auth.sign('other', PUBLISH)).toEqual([]);
});

/*
 *   PUBLISH ->   401 nonce=N <-   PUBLISH nc=1 ->   200 <-   PUBLISH nc=2 ->   PUBLISH nc=3 ->
 */
test('a nonce is used again, counted', () => {
  const auth = make();
  expect(auth.challenged('hop', PUBLISH.to, [challenge()], new Set())).toEqual({ kind: 'answer' });
  const lines = [1, 2, 3].map(() => auth.sign('hop', PUBLISH)[0]);
  expect(lines.map((line) => part(line, 'nc'))).toEqual(['00000001', '00000002', '00000003']);
  expect(new Set(lines.map((line) => part(line, 'cnonce'))).size).toBe(3);
  expect(lines.map((line) => line?.[0])).toEqual(['Authorization', 'Authorization', 'Authorization']);
});

test('a new nonce starts at 1 again', () => {
  const auth = make();
  auth.challenged('hop', PUBLISH.to, [challenge()], new Set());
  auth.sign('hop', PUBLISH);
  auth.challenged('hop', PUBLISH.to, [challenge({ nonce: 'n2' })], new Set());
  const [line] = auth.sign('hop', PUBLISH);
  expect([part(line, 'nonce'), part(line, 'nc')]).toEqual(['n2', '00000001']);
});

test('stale=true is answered again in the same operation', () => {
  const auth = make();
  const answered = new Set<string>();
  auth.challenged('hop', PUBLISH.to, [challenge()], answered);
  const again = challenge({ nonce: 'n2', stale: true });
  expect(auth.challenged('hop', PUBLISH.to, [again], answered)).toEqual({ kind: 'answer' });
});

test('the same realm once more without stale means wrong credentials, and the nonce is forgotten', () => {
  const auth = make();
  const answered = new Set<string>();
  auth.challenged('hop', PUBLISH.to, [challenge()], answered);
  expect(auth.challenged('hop', PUBLISH.to, [challenge({ nonce: 'n2' })], answered)).toEqual({
    kind: 'wrong',
    realm: 'example.com',
  });
  expect(auth.sign('hop', PUBLISH)).toEqual([]);
});

test('a nonce of an earlier operation that is refused is no wrong password', () => {
  const auth = make();
  auth.challenged('hop', PUBLISH.to, [challenge()], new Set());
  auth.sign('hop', PUBLISH);
  expect(auth.challenged('hop', PUBLISH.to, [challenge({ nonce: 'n2' })], new Set())).toEqual({ kind: 'answer' });
});

test('401 and 407 of one request are both answered', () => {
  const auth = make();
  const answered = new Set<string>();
  expect(auth.challenged('hop', PUBLISH.to, [challenge()], answered).kind).toBe('answer');
  expect(auth.challenged('hop', PUBLISH.to, [challenge({ proxy: true })], answered).kind).toBe('answer');
  expect(auth.sign('hop', PUBLISH).map(([name]) => name)).toEqual(['Authorization', 'Proxy-Authorization']);
});

test('an entry of its own goes before *', () => {
  const auth = make();
  auth.challenged('hop', PUBLISH.to, [challenge(), challenge({ realm: 'elsewhere' })], new Set());
  expect(auth.sign('hop', PUBLISH).map((line) => part(line, 'username'))).toEqual(['alice', 'anyone']);
});

test('no credentials for the realm', () => {
  expect(make([alice]).challenged('hop', PUBLISH.to, [challenge({ realm: 'x' })], new Set())).toEqual({
    kind: 'missing',
    realm: 'x',
  });
});

test('nothing on offer that is supported', () => {
  const auth = make();
  expect(auth.challenged('hop', PUBLISH.to, [challenge({ algorithm: 'x' })], new Set())).toEqual({
    kind: 'missing',
    realm: 'example.com',
  });
  expect(auth.challenged('hop', PUBLISH.to, [], new Set())).toEqual({ kind: 'missing', realm: '' });
});

// A proxy of a thousand domains asks with a thousand realms: a request carries only those of its own domain.
describe('many domains behind one hop', () => {
  const uri = (n: number) => `sip:u@d${n}.example.com`;

  test('a request carries the credentials its own domain was asked for', () => {
    const auth = make();
    for (let n = 0; n < 1000; n++)
      auth.challenged('hop', uri(n), [challenge({ realm: `d${n}`, nonce: `n${n}` })], new Set());
    const signed = auth.sign('hop', { ...PUBLISH, to: uri(7) });
    expect(signed.map((line) => part(line, 'realm'))).toEqual(['d7']);
    expect(auth.sign('hop', { ...PUBLISH, to: 'sip:u@other.example.com' })).toEqual([]);
  });

  test('they share the nonce of a realm, and its count', () => {
    const auth = make();
    auth.challenged('hop', uri(1), [challenge()], new Set());
    auth.sign('hop', { ...PUBLISH, to: uri(1) });
    auth.challenged('hop', uri(2), [challenge({ nonce: 'n2' })], new Set());
    expect(part(auth.sign('hop', { ...PUBLISH, to: uri(2) })[0], 'nc')).toBe('00000001');
    const [line] = auth.sign('hop', { ...PUBLISH, to: uri(1) });
    expect([part(line, 'nonce'), part(line, 'nc')]).toEqual(['n2', '00000002']);
  });

  test('a domain is the host, whatever user, port and parameters stand around it', () => {
    const auth = make();
    auth.challenged('hop', 'sip:a@example.com', [challenge()], new Set());
    for (const same of ['sip:b@EXAMPLE.com:5080', 'sip:example.com;transport=tcp', 'sips:x:pw@example.com?a=b'])
      expect(auth.sign('hop', { ...PUBLISH, to: same })).toHaveLength(1);
    expect(auth.sign('hop', { ...PUBLISH, to: 'sip:a@[2001:db8::1]:5060' })).toEqual([]);
  });

  test('a server that asks with a new realm every time does not fill the memory', () => {
    const auth = make();
    for (let n = 0; n < 5_000; n++)
      auth.challenged('hop', PUBLISH.to, [challenge({ realm: `r${n}`, nonce: `n${n}` })], new Set());
    expect(auth.sign('hop', PUBLISH).length).toBeLessThanOrEqual(8);
  });
});
