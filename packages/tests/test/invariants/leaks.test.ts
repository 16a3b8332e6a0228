/** Invariant 9: counters return to their baseline when a load has ended, whatever happened during it. */
import { createPua } from '@pua/core';
import * as fc from 'fast-check';
import { type CreatePua, World } from '../../dist/world/world.js';
import { type Mutant, mutant } from '../world/mutant';
import { calm, deeds, endAll, GRANT, leftovers, POLICY, report, TIME_MS, tell } from '../world/story';

const USERS = ['u0', 'u1', 'u2', 'u3'];
/** 64*T1, and the answers that are kept for retransmissions as long. */
const TRANSACTION_MS = 40_000;

const nothingIsLeft = (create: CreatePua, tries?: number) =>
  fc.assert(
    fc.asyncProperty(fc.nat(), deeds(), async (seed, story) => {
      const ceiling = { perSecond: 20, inFlight: 3 };
      const world = await World.start({
        seed,
        createPua: create,
        servers: 2,
        grant: GRANT,
        pua: { policy: POLICY, ceiling },
      });
      const before = leftovers(world);
      await tell(world, story);
      endAll(world);
      await calm(world);
      expect(leftovers(world)).toEqual(before);
      // Nobody stands in the way of those who come later: gates, slots and rates are free again.
      const handles = USERS.flatMap((user) => [world.publish(user, 'later'), world.subscribe(user)]);
      await world.advance(2_000);
      const results = await Promise.all(handles.map(({ result }) => Promise.race([result, 'nothing'])));
      expect(results).toEqual(handles.map(() => expect.objectContaining({ outcome: 'accepted' })));
      // When the last transaction is over nothing is left of them: long before a deadline of theirs would have come.
      endAll(world);
      await world.advance(TRANSACTION_MS);
      expect(leftovers(world)).toEqual(before);
      // Nor of a process that stops in the middle of its work.
      world.publish('u0', 'last');
      await world.advance(1_000);
      await world.stop();
      expect([world.clock.pending, world.network.sockets]).toEqual([0, 0]);
    }),
    report(tries),
  );

describe('9: counters return to their baseline', () => {
  test('random owners, answers, losses, NOTIFYs; then everybody ends', () => nothingIsLeft(createPua), TIME_MS);

  const mutants: Mutant[] = [
    [
      'a gate stays closed',
      /queued/,
      mutant<typeof import('../../../core/src/sending/gate.js')>('sending/gate.js', ({ Gate }) => ({
        Gate: class extends Gate<object> {
          override leave(key: string): object | undefined {
            const next = super.leave(key);
            if (!next) this.enter(key, {});
            return next;
          }
        },
      })),
    ],
    [
      'a slot of a hop is not given back',
      /busyHops|queued/,
      mutant<typeof import('../../../core/src/sending/pacer.js')>('sending/pacer.js', ({ Pacer }) => ({
        Pacer: class extends Pacer<{ priority: number }> {
          override release(): void {
            if (this.inFlight > 1) super.release();
          }
        },
      })),
    ],
    [
      'a deadline stays in the schedule',
      /scheduled/,
      mutant<typeof import('../../../core/src/schedule.js')>('schedule.js', ({ Schedule }) => ({
        Schedule: class extends Schedule<never> {
          override remove(): void {}
        },
      })),
    ],
    [
      'the timer of the schedule is not stopped',
      /\[1, 0\]|Array/,
      mutant<typeof import('../../../core/src/schedule.js')>('schedule.js', ({ Schedule }) => ({
        Schedule: class extends Schedule<never> {
          override stop(): void {}
        },
      })),
    ],
    [
      'a dialog stays in the index of NOTIFYs',
      /dialogs/,
      mutant<typeof import('../../../core/src/records.js')>('records.js', ({ Records }) => ({
        Records: class extends Records {
          constructor() {
            super();
            const { indexed } = this;
            const kept: typeof indexed = (record, callId) => void (callId !== '' && indexed(record, callId, ''));
            Object.assign(this, { indexed: kept });
          }
        },
      })),
    ],
  ];
  test.each(mutants)(
    'caught: %s',
    async (_name, says, create) => {
      await expect(nothingIsLeft(create, 200)).rejects.toThrow(says);
    },
    120_000,
  );
});
