/**
 * Invariant 3: nothing goes to a route, or for a record, before the Retry-After that concerns it has passed; no lifetime
 * below a Min-Expires that was learned. Seen on the wire (WireMonitor), with two servers, so that another route may be
 * tried at once.
 */
import { createPua } from '@pua/core';
import * as fc from 'fast-check';
import { type CreatePua, World, type WorldOptions } from '../../dist/world/world.js';
import { type Mutant, mutant } from '../world/mutant';
import {
  type AnswerDeed,
  calm,
  deeds,
  faultsOf,
  GRANT,
  method,
  POLICY,
  report,
  server,
  type TerminateDeed,
  TIME_MS,
  tell,
} from '../world/story';

const seconds = fc.constantFrom(0, 3, 20, 55, 600);

const answers: fc.Arbitrary<AnswerDeed> = fc.oneof(
  fc
    .record({
      method,
      status: fc.constantFrom(404, 413, 480, 486, 500, 503, 503, 600, 603),
      times: fc.integer({ min: 1, max: 3 }),
      at: server,
      seconds,
    })
    .map(
      (deed): AnswerDeed => ({
        kind: 'answer',
        ...deed,
        headers: [['Retry-After', `${deed.seconds} (busy);duration=9`]],
      }),
    ),
  fc
    .record({
      method,
      times: fc.integer({ min: 1, max: 5 }),
      at: server,
      least: fc.constantFrom(1, 101, 110, 150, 400),
    })
    .map(
      (deed): AnswerDeed => ({ kind: 'answer', ...deed, status: 423, headers: [['Min-Expires', String(deed.least)]] }),
    ),
);

const terminations: fc.Arbitrary<TerminateDeed> = fc
  .record({ reason: fc.constantFrom('probation', 'giveup', 'timeout', ''), retryAfter: seconds, at: server })
  .map((deed) => ({ kind: 'terminate', ...deed }));

const worldOf = (seed: number, create: CreatePua): WorldOptions => ({
  seed,
  createPua: create,
  servers: 2,
  grant: GRANT,
  // Lifetimes that are raised by a Min-Expires; 400 is more than is accepted.
  pua: { policy: { ...POLICY, maxMinExpires: 300 }, defaultExpires: 100 },
});

/** They are kept, and yet all wishes come true. */
const limitsAreKept = (create: CreatePua, tries?: number) =>
  fc.assert(
    fc.asyncProperty(fc.nat(), deeds({ answers, terminations }), async (seed, story) => {
      const world = await World.start(worldOf(seed, create));
      const wish = await tell(world, story);
      await calm(world);
      expect(faultsOf(world, wish)).toEqual([]);
      await world.stop();
    }),
    report(tries),
  );

/** A process that is killed keeps those that were on its disk. */
const limitsSurvive = (create: CreatePua, tries?: number) =>
  fc.assert(
    fc.asyncProperty(fc.nat(), deeds({ answers, terminations, kills: true }), async (seed, story) => {
      const world = await World.start(worldOf(seed, create));
      await tell(world, story);
      await calm(world);
      expect(world.wire.violations).toEqual([]);
      await world.stop();
    }),
    report(tries),
  );

describe('3: Retry-After and Min-Expires are kept', () => {
  test('random answers with Retry-After and Min-Expires', () => limitsAreKept(createPua), TIME_MS);

  const mutants: Mutant[] = [
    [
      'a hop is not closed by its Retry-After',
      /3: .* goes to/,
      mutant<typeof import('../../../core/src/policy/hops.js')>('policy/hops.js', ({ HopMemory, ...rest }) => ({
        ...rest,
        HopMemory: class extends HopMemory {
          override bar(): void {}
        },
      })),
    ],
    [
      'a Retry-After for the record is not read',
      /3: .* goes out/,
      mutant('policy/responses.js', () => ({ honoursRetryAfter: () => false })),
    ],
    [
      'a newer document does not wait for the Retry-After',
      /3: .* goes out/,
      mutant<typeof import('../../../core/src/lifecycle.js')>('lifecycle.js', (actual) => ({
        askForSlot: (...[s, ...rest]: Parameters<typeof actual.askForSlot>) => {
          s.notBefore = 0;
          actual.askForSlot(s, ...rest);
        },
      })),
    ],
    [
      'the retry-after of a NOTIFY is not read',
      /3: SUBSCRIBE .* goes out/,
      mutant<typeof import('../../../core/src/subscription/parts.js')>('subscription/parts.js', () => ({
        heedTermination: () => {},
      })),
    ],
    [
      'a Min-Expires is met once and forgotten',
      /3: Expires/,
      mutant<typeof import('../../../core/src/publication/parts.js')>('publication/parts.js', (actual) => ({
        granted: (...[s, ...rest]: Parameters<typeof actual.granted>) => {
          actual.granted(s, ...rest);
          s.minExpires = 0;
        },
      })),
    ],
  ];
  test.each(mutants)(
    'caught: %s',
    async (_name, says, create) => {
      await expect(limitsAreKept(create, 400)).rejects.toThrow(says);
    },
    120_000,
  );
});

describe('3: a kill does not make it impatient', () => {
  test('random answers, and kills', () => limitsSurvive(createPua), TIME_MS);

  const mutants: Mutant[] = (
    [
      ['not_before', /3: .* goes out/],
      ['min_expires', /3: Expires/],
    ] as const
  ).map(([column, says]) => [
    `the column ${column} is not read`,
    says,
    mutant<typeof import('../../../core/src/publication/row.js')>('publication/row.js', (actual) => ({
      publicationFromRow: (...[row, ...rest]: Parameters<typeof actual.publicationFromRow>) =>
        actual.publicationFromRow({ ...row, [column]: 0 }, ...rest),
    })),
  ]);
  test.each(mutants)(
    'caught: %s',
    async (_name, says, create) => {
      await expect(limitsSurvive(create, 400)).rejects.toThrow(says);
    },
    120_000,
  );
});
