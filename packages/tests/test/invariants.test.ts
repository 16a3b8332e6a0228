/**
 * The invariants of a PUA (numbered as in docs/invariants.md) as properties of random stories under the simulated
 * clock. Each has mutants, deliberately broken machines, that its property must catch. fast-check prints seed and path
 * of a failure; PUA_RUNS sets the number of stories.
 */
import { createPua } from '@pua/core';
import * as fc from 'fast-check';
import { killsAreHarmless } from './world/kills';
import { mutant } from './world/mutant';
import { calm, deeds, faultsOf, GRANT, POLICY, tell } from './world/story';
import { type CreatePua, World } from './world/world';

const RUNS = Number(process.env['PUA_RUNS'] ?? 60);

/** 1, 2, 5, 6: whatever happens, the wire keeps the rules; when it is calm, the server holds just what is wanted. */
const wishesComeTrue = (create: CreatePua, numRuns = RUNS) =>
  fc.assert(
    fc.asyncProperty(fc.nat(), deeds(), async (seed, story) => {
      const world = await World.start({ seed, createPua: create, grant: GRANT, pua: { policy: POLICY } });
      const wish = await tell(world, story);
      await calm(world);
      expect(faultsOf(world, wish)).toEqual([]);
      await world.stop();
    }),
    { numRuns, endOnFailure: true },
  );

/** 1: several publications of one presentity take turns. */
const turnsAreTaken = (create: CreatePua, numRuns = RUNS) =>
  fc.assert(
    fc.asyncProperty(
      fc.nat(),
      fc.array(fc.record({ id: fc.constantFrom('a', 'b', 'c'), wait: fc.constantFrom(0, 0, 5, 200), end: fc.nat(4) }), {
        minLength: 2,
        maxLength: 15,
      }),
      async (seed, story) => {
        const world = await World.start({
          seed,
          createPua: create,
          grant: GRANT,
          etagsByUri: false,
          faults: { delay: [5, 50] },
        });
        const wanted = new Map<string, string>();
        for (const [n, { id, wait, end }] of story.entries()) {
          if (end === 0) {
            wanted.delete(id);
            world.unpublish('u', id);
          } else {
            wanted.set(id, `${id}${n}`);
            world.publish('u', `${id}${n}`, { id });
          }
          await world.advance(wait);
        }
        await world.advance(5_000);
        expect(world.wire.violations).toEqual([]);
        expect(world.published().get('u') ?? []).toEqual([...wanted.values()].sort());
        await world.stop();
      },
    ),
    { numRuns, endOnFailure: true },
  );

/** 4: a server that never has enough is not flooded. */
async function repetitionsAreBounded(create: CreatePua): Promise<void> {
  const nonce = (n: number) => `Digest realm="x", nonce="n${n}", qop="auth"`;
  const answers: [name: string, answer: (n: number) => { status: number; headers: [string, string][] }][] = [
    ['412', () => ({ status: 412, headers: [] })],
    ['423 rising', (n) => ({ status: 423, headers: [['Min-Expires', String(3600 + n)]] })],
    ['423 without reason', () => ({ status: 423, headers: [['Min-Expires', '1']] })],
    ['401', (n) => ({ status: 401, headers: [['WWW-Authenticate', nonce(n)]] })],
    ['401 stale', (n) => ({ status: 401, headers: [['WWW-Authenticate', `${nonce(n)}, stale=true`]] })],
    ['407', (n) => ({ status: 407, headers: [['Proxy-Authenticate', nonce(n)]] })],
    ['500', () => ({ status: 500, headers: [] })],
    ['481', () => ({ status: 481, headers: [] })],
    [
      '2xx without lifetime',
      () => ({
        status: 200,
        headers: [
          ['Expires', '0'],
          ['SIP-ETag', 'e'],
          ['Contact', '<sip:s@10.0.0.9>'],
        ],
      }),
    ],
  ];
  for (const [name, answer] of answers) {
    const credentials = [{ realm: '*', username: 'alice', password: 'secret' }];
    const world = await World.start({
      seed: 3,
      createPua: create,
      grant: GRANT,
      pua: { credentials },
      faults: { delay: [10, 20] },
    });
    world.publish('alice', 1);
    world.subscribe('alice');
    await world.advance(1_000);
    let n = 0;
    // Each request gets its own answer, so that nonces and limits are new every time.
    const refuse = () => {
      world.server.clearScript();
      world.server.answerNext({ times: 1, ...answer(n++) });
    };
    world.network.tap((d) => d.fate === 'delivered' && d.to.startsWith('10.0.0.9') && refuse());
    refuse();
    for (let second = 0; second < GRANT + 60; second++) {
      await world.advance(1_000);
      const sent = world.wire.requests.filter(({ at }) => at > world.clock.now() - 60_000).length;
      if (sent > 60) throw new Error(`${name}: ${sent} requests in one minute for two records`);
    }
    await world.stop();
  }
}

describe('1, 2, 5, 6: the wish comes true', () => {
  test('random owners, answers, losses, NOTIFYs', () => wishesComeTrue(createPua), 120_000);

  const mutants: [string, CreatePua][] = [
    [
      'a newer document is dropped while a request is on the wire',
      mutant('publication/step.js', () => ({ wishMeanwhile: () => {} })),
    ],
    [
      'an end is dropped while a request is on the wire',
      mutant('publication/step.js', () => ({ endMeanwhile: () => {} })),
    ],
    [
      'the first entity-tag is kept',
      mutant<typeof import('../../core/src/publication/parts.js')>('publication/parts.js', (actual) => ({
        granted: (...[s, etag, ...rest]: Parameters<typeof actual.granted>) =>
          actual.granted(s, s.etag || etag, ...rest),
      })),
    ],
    [
      'a CSeq is used twice',
      mutant<typeof import('../../core/src/subscription/step.js')>('subscription/step.js', (actual) => ({
        slot: (...[s, ...rest]: Parameters<typeof actual.slot>) => {
          const before = s.callId;
          actual.slot(s, ...rest);
          if (s.callId === before) s.cseq--;
        },
      })),
    ],
    [
      'an ended record stays in memory',
      mutant<typeof import('../../core/src/records.js')>('records.js', ({ Records }) => ({
        Records: class extends Records {
          override remove(): void {}
        },
      })),
    ],
    [
      'an ended record keeps its row',
      mutant<typeof import('../../core/src/publication/parts.js')>('publication/parts.js', (actual) => ({
        finish: (...[s, c, out]: Parameters<typeof actual.finish>) => {
          const own: typeof out = [];
          actual.finish(s, c, own);
          out.push(...own.filter((effect) => effect.kind !== 'persist'));
        },
      })),
    ],
  ];
  test.each(mutants)(
    'caught: %s',
    async (_name, create) => {
      await expect(wishesComeTrue(create, 400)).rejects.toThrow(/Property failed/);
    },
    120_000,
  );
});

describe('1: one PUBLISH per Request-URI', () => {
  test('random publications of one presentity', () => turnsAreTaken(createPua), 60_000);

  test('caught: a gate that lets everybody in', async () => {
    const create = mutant<typeof import('../../core/src/sending/gate.js')>('sending/gate.js', ({ Gate }) => ({
      Gate: class extends Gate<never> {
        override enter(): boolean {
          return true;
        }
      },
    }));
    await expect(turnsAreTaken(create, 200)).rejects.toThrow(/Property failed/);
  }, 60_000);
});

describe('4: repetitions are bounded', () => {
  test('a server that answers everything alike', () => repetitionsAreBounded(createPua), 60_000);

  const policyOf = (policy: object) =>
    mutant<typeof import('../../core/src/policy/policy.js')>('policy/policy.js', ({ DEFAULT_POLICY }) => ({
      DEFAULT_POLICY: { ...DEFAULT_POLICY, ...policy },
    }));
  const mutants: [string, CreatePua][] = [
    ['423s are always retried at once', policyOf({ maxBriefs: 1e9, maxMinExpires: 1e9 })],
    ['no back-off', policyOf({ backoffBase: 1, backoffCap: 1 })],
    [
      'a 412 is always repaired at once',
      mutant<typeof import('../../core/src/policy/verdict.js')>('policy/verdict.js', (actual) => ({
        judge: (...[answer, ...rest]: Parameters<typeof actual.judge>) => {
          const verdict = actual.judge(answer, ...rest);
          return verdict.row === 'lost' ? { ...verdict, retryAt: rest[1].now } : verdict;
        },
      })),
    ],
    [
      'challenges are answered without end',
      mutant<typeof import('../../core/src/policy/timing.js')>('policy/timing.js', () => ({
        credentialsDelay: () => 0,
      })),
    ],
    [
      'a lost dialog is always replaced at once',
      mutant<typeof import('../../core/src/subscription/parts.js')>('subscription/parts.js', (actual) => ({
        backOff: (...[s, c, out]: Parameters<typeof actual.backOff>) => actual.enqueue(s, c, out),
      })),
    ],
  ];
  test.each(mutants)(
    'caught: %s',
    async (_name, create) => {
      await expect(repetitionsAreBounded(create)).rejects.toThrow(/requests in one minute/);
    },
    60_000,
  );
});

describe('7: kill -9 at any step', () => {
  test('nothing durable is forgotten, at most one orphan per kill', () => killsAreHarmless(createPua, RUNS), 120_000);

  const mutants: [string, CreatePua][] = [
    [
      'entity-tags are not read back',
      mutant<typeof import('../../core/src/publication/row.js')>('publication/row.js', (actual) => ({
        publicationFromRow: (...[row, ...rest]: Parameters<typeof actual.publicationFromRow>) =>
          actual.publicationFromRow({ ...row, etag: '' }, ...rest),
      })),
    ],
    ['rows are not read at all', mutant('restore.js', () => ({ restore: async () => {} }))],
  ];
  test.each(mutants)(
    'caught: %s',
    async (_name, create) => {
      await expect(killsAreHarmless(create, 200)).rejects.toThrow(/Property failed/);
    },
    120_000,
  );
});
