/**
 * Whatever phones do, whatever the network loses, whenever the process dies: in the end the server holds exactly what is
 * bound. (Also number 11 of what hurts users of the C modules: an end by the registrar's timer is an end.)
 */
import type { Binding } from '@pua/core';
import { readPidf } from '@pua/documents';
import type { UsrlocOptions } from '@pua/usrloc';
import * as fc from 'fast-check';
import { tupleId } from '../dist/identity.js';
import { binding, HOUR } from './support/registrar';
import { World } from './support/world';

const USERS = ['alice', 'bob'];
const PHONES = ['desk', 'mobile'];

const step = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      do: fc.constant('phone' as const),
      user: fc.constantFrom(...USERS),
      phone: fc.constantFrom(...PHONES),
      seconds: fc.constantFrom(0, 40, 90, 600, 3600),
      anew: fc.boolean(),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('gone' as const),
      user: fc.constantFrom(...USERS),
      phone: fc.constantFrom(...PHONES),
    }),
  },
  {
    weight: 8,
    arbitrary: fc.record({ do: fc.constant('time' as const), ms: fc.constantFrom(0, 5, 300, 5_000, 45_000, 400_000) }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('kill' as const), stop: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('forget' as const) }) },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** A registrar's day: phones by user and name, their bindings with a stable id as long as they live. */
class Day {
  readonly #bound = new Map<string, Binding>();

  constructor(readonly world: World) {}

  async take(one: Step): Promise<void> {
    const { world } = this;
    this.expire();
    if (one.do === 'time') await this.pass(one.ms);
    else if (one.do === 'forget') world.server.restart({ forget: true });
    else if (one.do === 'kill') {
      await (one.stop ? world.stopPua() : world.kill());
      await world.startPua();
    } else if (one.do === 'gone') {
      const found = this.#bound.get(`${one.user} ${one.phone}`);
      if (!found) return;
      this.#bound.delete(`${one.user} ${one.phone}`);
      world.registrar.delete(found);
    } else this.#register(one);
  }

  #register({ user, phone, seconds, anew }: Extract<Step, { do: 'phone' }>): void {
    const { registrar, clock } = this.world;
    const name = `${user} ${phone}`;
    const expiresAt = seconds === 0 ? 0 : clock.wall() + seconds * 1000;
    const found = this.#bound.get(name);
    const bound = found
      ? registrar.update(found, { expiresAt, ...(anew ? { bindingId: binding().bindingId! } : {}) })
      : registrar.insert(
          binding({ aor: `${user}@example.com`, bindingId: anew ? binding().bindingId! : name, expiresAt }),
        );
    this.#bound.set(name, bound);
  }

  /** The registrar's timer. */
  expire(): void {
    for (const [name, bound] of this.#bound) {
      if (bound.expiresAt === 0 || bound.expiresAt > this.world.clock.wall()) continue;
      this.#bound.delete(name);
      this.world.registrar.expire(bound);
    }
  }

  async pass(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= 10_000) {
      await this.world.advance(Math.min(left, 10_000));
      this.expire();
    }
  }

  /** `user tuple-id` of all that is bound. */
  get bound(): string[] {
    return [...this.#bound.values()].map((bound) => `${bound.aor} ${tupleId(bound)}`).sort();
  }
}

const published = (world: World): string[] =>
  world.server.publications
    .flatMap(({ presentity, body }) =>
      readPidf(body.text())
        .tuples!.filter(({ basic }) => basic === 'open')
        .map(({ id }) => `${presentity} ${id}`),
    )
    .sort();

const modes: [string, UsrlocOptions][] = [
  ['per binding', {}],
  ['per binding, contacts shown, explicit offline', { contact: 1, explicitOffline: 20 }],
  ['aggregate', { aggregate: 1 }],
];

test.each(modes)(
  'the server holds what is bound: %s',
  async (_name, usrloc) => {
    const property = fc.asyncProperty(
      fc.nat(),
      fc.array(step, { minLength: 5, maxLength: 40 }),
      async (seed, steps) => {
        const faults = { loss: 0.2, delay: [1, 200] as const, duplicate: 0.1 };
        const world = await World.start({ seed, usrloc, faults, grant: 300 });
        const day = new Day(world);
        for (const one of steps) await day.take(one);
        world.network.setFaults({});
        // What was lost is tried again, what the server holds of a process that died lapses.
        await day.pass(10 * 60_000);
        await world.advance(500);
        await world.advance(500);
        const [is, should] = [published(world), day.bound];
        await world.stop();
        expect(is).toEqual(should);
        expect(world.faults).toEqual([]);
        expect(world.clock.pending).toBe(0);
      },
    );
    await fc.assert(property, { numRuns: 30, endOnFailure: true, includeErrorInReport: true, seed: 4 });
  },
  60_000,
);

test('11: an end by the timer of the registrar is an end (kamailio#3273, OpenSIPS#16, #3608)', async () => {
  const world = await World.start({ usrloc: { branchFlag: 7, grace: 600 } });
  const bound = world.registrar.insert(binding({ flags: 1 << 7 }));
  await world.advance(HOUR);
  expect(world.server.publications).toHaveLength(1);
  // No REGISTER, no mark, not even the flag.
  world.registrar.expire({ ...bound, flags: 0 });
  await world.advance(100);
  expect(world.server.publications).toHaveLength(0);
  await world.stop();
});
