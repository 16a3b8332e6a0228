/**
 * Invariant 4: consecutive 412s, 423s, challenges, redirects, and answers that grant nothing, are bounded. A server that
 * never has enough gets a few requests at once, and then ever fewer.
 */
import { createPua, type Headers } from '@pua/core';
import * as fc from 'fast-check';
import { type CreatePua, World } from '../../dist/world/world.js';
import { mutant } from '../world/mutant';
import { GRANT, report, TIME_MS } from '../world/story';

interface Refusal {
  readonly status: number;
  readonly headers: Headers;
}

const nonce = (n: number) => `Digest realm="x", nonce="n${n}", qop="auth"`;
/** By name; `n` counts requests, so that nonces, limits and targets are new every time. */
const REFUSALS: Readonly<Record<string, (n: number) => Refusal>> = {
  '302 onwards': (n) => ({ status: 302, headers: [['Contact', `<sip:t${n}@10.0.0.9>`]] }),
  '302 to many': (n) => ({
    status: 302,
    headers: [['Contact', Array.from({ length: 20 }, (_, i) => `<sip:t${n}-${i}@10.0.0.9>;q=0.${i % 10}`).join(', ')]],
  }),
  '302 in circles': (n) => ({ status: 302, headers: [['Contact', `<sip:${n % 2}@10.0.0.9>`]] }),
  '305': (n) => ({ status: 305, headers: [['Contact', `<sip:10.0.0.9;n=${n}>`]] }),
  401: (n) => ({ status: 401, headers: [['WWW-Authenticate', nonce(n)]] }),
  '401 stale': (n) => ({ status: 401, headers: [['WWW-Authenticate', `${nonce(n)}, stale=true`]] }),
  407: (n) => ({ status: 407, headers: [['Proxy-Authenticate', nonce(n)]] }),
  412: () => ({ status: 412, headers: [] }),
  '423 rising': (n) => ({ status: 423, headers: [['Min-Expires', String(3600 + n)]] }),
  '423 without reason': () => ({ status: 423, headers: [['Min-Expires', '1']] }),
  481: () => ({ status: 481, headers: [] }),
  491: () => ({ status: 491, headers: [] }),
  500: () => ({ status: 500, headers: [] }),
  '500 come back now': () => ({ status: 500, headers: [['Retry-After', '0']] }),
  '503 come back now': () => ({ status: 503, headers: [['Retry-After', '0']] }),
  '2xx without lifetime': () => ({
    status: 200,
    headers: [
      ['Expires', '0'],
      ['SIP-ETag', 'e'],
      ['Contact', '<sip:s@10.0.0.9>'],
    ],
  }),
};

const RECORDS = 2;
/**
 * One operation sends at most 1 + 3 challenges + 5 redirects; after at most 1 + 3 more of them (412, 423) a record backs
 * off, by 1 s at least, and longer each time.
 */
const AT_ONCE = RECORDS * (1 + 3 + 5) * (1 + 1 + 3);
const PER_MINUTE = AT_ONCE + RECORDS * 30;

/** Answers every request by the next name of the list, round and round. */
async function isSpared(create: CreatePua, names: readonly string[]): Promise<void> {
  const credentials = [{ realm: '*', username: 'alice', password: 'secret' }];
  const faults = { delay: [10, 20] } as const;
  const world = await World.start({ seed: 3, createPua: create, grant: GRANT, pua: { credentials }, faults });
  world.publish('alice', 1);
  world.subscribe('alice');
  await world.advance(1_000);
  let n = 0;
  const refuse = () => {
    world.server.clearScript();
    world.server.answerNext(REFUSALS[names[n % names.length]!]!(n));
    n++;
  };
  world.network.tap((d) => d.fate === 'delivered' && d.to.startsWith('10.0.0.9') && refuse());
  refuse();
  const sent = (ms: number) => world.wire.requests.filter(({ at }) => at > world.clock.now() - ms).length;
  for (let second = 0; second < GRANT + 60; second++) {
    await world.advance(1_000);
    if (sent(1_000) > AT_ONCE) throw new Error(`${sent(1_000)} requests in one second for ${RECORDS} records`);
    if (sent(60_000) > PER_MINUTE) throw new Error(`${sent(60_000)} requests in one minute for ${RECORDS} records`);
  }
  await world.stop();
}

const allAreSpared = async (create: CreatePua) => {
  for (const name of Object.keys(REFUSALS)) await isSpared(create, [name]);
};

describe('4: repetitions are bounded', () => {
  test.each(Object.keys(REFUSALS))('a server that answers everything alike: %s', (name) => isSpared(createPua, [name]));

  test(
    'a server that answers at random',
    () =>
      fc.assert(
        fc.asyncProperty(
          fc.array(fc.constantFrom(...Object.keys(REFUSALS)), { minLength: 2, maxLength: 12 }),
          (names) => isSpared(createPua, names),
        ),
        report(),
      ),
    TIME_MS,
  );

  const policyOf = (policy: object) =>
    mutant<typeof import('../../../core/src/policy/policy.js')>('policy/policy.js', ({ DEFAULT_POLICY }) => ({
      DEFAULT_POLICY: { ...DEFAULT_POLICY, ...policy },
    }));
  const mutants: [string, CreatePua][] = [
    ['423s are always retried at once', policyOf({ maxBriefs: 1e9, maxMinExpires: 1e9 })],
    ['no back-off', policyOf({ backoffBase: 1, backoffCap: 1 })],
    [
      'a 412 is always repaired at once',
      mutant<typeof import('../../../core/src/policy/verdict.js')>('policy/verdict.js', (actual) => ({
        judge: (...[answer, ...rest]: Parameters<typeof actual.judge>) => {
          const verdict = actual.judge(answer, ...rest);
          return verdict.row === 'lost' ? { ...verdict, retryAt: rest[1].now } : verdict;
        },
      })),
    ],
    [
      'challenges are answered without end',
      mutant<typeof import('../../../core/src/policy/timing.js')>('policy/timing.js', () => ({
        credentialsDelay: () => 0,
      })),
    ],
    [
      'redirects are followed without end',
      mutant<typeof import('../../../core/src/sending/redirects.js')>('sending/redirects.js', ({ Redirects }) => ({
        Redirects: class extends Redirects {
          #fresh = new Redirects('sip:nobody');
          override offered(status: number, contacts: readonly string[]): void {
            this.#fresh = new Redirects('sip:nobody');
            this.#fresh.offered(status, contacts);
          }
          override next() {
            return this.#fresh.next();
          }
        },
      })),
    ],
    [
      'a lost dialog is always replaced at once',
      mutant<typeof import('../../../core/src/subscription/parts.js')>('subscription/parts.js', (actual) => ({
        backOff: (...[s, c, out]: Parameters<typeof actual.backOff>) => actual.enqueue(s, c, out),
      })),
    ],
  ];
  test.each(mutants)(
    'caught: %s',
    async (_name, create) => {
      await expect(allAreSpared(create)).rejects.toThrow(/requests in one (second|minute)/);
    },
    60_000,
  );
});
