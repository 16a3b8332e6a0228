/** Invariant 1: at most one PUBLISH per Request-URI (RFC 3903 section 4). */
import { createPua } from '@pua/core';
import * as fc from 'fast-check';
import { type CreatePua, World } from '../../dist/world/world.js';
import { mutant } from '../world/mutant';
import { GRANT, report, TIME_MS } from '../world/story';

/** 1: several publications of one presentity take turns. */
const turnsAreTaken = (create: CreatePua, tries?: number) =>
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
    report(tries),
  );

describe('1: one PUBLISH per Request-URI', () => {
  test('random publications of one presentity', () => turnsAreTaken(createPua), TIME_MS);

  test('caught: a gate that lets everybody in', async () => {
    const create = mutant<typeof import('../../../core/src/sending/gate.js')>('sending/gate.js', ({ Gate }) => ({
      Gate: class extends Gate<never> {
        override enter(): boolean {
          return true;
        }
      },
    }));
    await expect(turnsAreTaken(create, 200)).rejects.toThrow(/1: two requests in flight/);
  }, 60_000);
});
