import * as fc from 'fast-check';
import { Schedule } from '../dist/schedule.js';
import { FakeClock } from './support/clock';

interface Item {
  readonly id: number;
  deadline: number;
  scheduleIndex: number;
}

const NEVER = Number.POSITIVE_INFINITY;
const item = (id: number, deadline = NEVER): Item => ({ id, deadline, scheduleIndex: -1 });

function make() {
  const clock = new FakeClock(0);
  const ran: [id: number, at: number][] = [];
  const schedule = new Schedule<Item>(clock, (due) => {
    ran.push([due.id, clock.now()]);
    due.deadline = NEVER;
  });
  return { clock, ran, schedule };
}

test('runs each item once, at its deadline, in order', () => {
  const { clock, ran, schedule } = make();
  for (const [id, at] of [
    [1, 300],
    [2, 100],
    [3, 200],
  ] as const)
    schedule.update(item(id, at));
  clock.advance(1_000);
  expect(ran).toEqual([
    [2, 100],
    [3, 200],
    [1, 300],
  ]);
  expect(clock.pending).toBe(0);
});

test('a later deadline costs nothing until the old time comes', () => {
  const { clock, ran, schedule } = make();
  const moved = item(1, 100);
  schedule.update(moved);
  for (let i = 0; i < 1000; i++) {
    moved.deadline = 200 + i;
    schedule.update(moved);
  }
  expect(clock.pending).toBe(1);
  clock.advance(1_000);
  expect(ran).toEqual([]);
  clock.advance(1_000);
  expect(ran).toEqual([[1, 1199]]);
});

test('an earlier deadline counts at once', () => {
  const { clock, ran, schedule } = make();
  const moved = item(1, 1_000);
  schedule.update(moved);
  moved.deadline = 50;
  schedule.update(moved);
  clock.advance(60);
  expect(ran).toEqual([[1, 50]]);
});

test('a deadline that was taken away is forgotten, and a removed item leaves no timer', () => {
  const { clock, ran, schedule } = make();
  const [a, b] = [item(1, 100), item(2, 200)];
  schedule.update(a);
  schedule.update(b);
  a.deadline = NEVER;
  schedule.update(a);
  schedule.remove(b);
  clock.advance(1_000);
  expect([ran, schedule.size, clock.pending]).toEqual([[], 0, 0]);
  schedule.remove(b);
});

test('an item may move itself while it runs', () => {
  const clock = new FakeClock(0);
  const at: number[] = [];
  const schedule = new Schedule<Item>(clock, (due) => {
    at.push(clock.now());
    due.deadline += 100;
    schedule.update(due);
  });
  schedule.update(item(1, 100));
  clock.advance(350);
  expect(at).toEqual([100, 200, 300]);
});

test('many at once are run in portions, between which others have their turn', () => {
  const { clock, ran, schedule } = make();
  for (let i = 0; i < 5_000; i++) schedule.update(item(i, 100));
  const seen: number[] = [];
  clock.after(100, () => seen.push(ran.length));
  clock.after(100, () => clock.after(0, () => seen.push(ran.length)));
  clock.advance(100);
  expect(seen[1]! - seen[0]!).toBeLessThanOrEqual(1_000);
  expect(ran).toHaveLength(5_000);
});

test('what has only moved is looked at in portions too', () => {
  let looked = 0;
  let moved = 100;
  const portions: number[] = [];
  class CountingClock extends FakeClock {
    override after(ms: number, run: () => void) {
      return super.after(ms, () => {
        const before = looked;
        run();
        portions.push(looked - before);
      });
    }
  }
  const clock = new CountingClock(0);
  const schedule = new Schedule<Item>(clock, () => {});
  for (let i = 0; i < 5_000; i++) {
    schedule.update({
      id: i,
      scheduleIndex: -1,
      get deadline() {
        looked++;
        return moved;
      },
    });
  }
  moved = 1_000;
  clock.advance(100);
  expect(portions.length).toBeGreaterThanOrEqual(5);
  expect(Math.max(...portions)).toBeLessThanOrEqual(3 * 1_000);
});

// setTimeout takes at most 2^31-1 ms and fires at once for more: no wait may be longer, whatever a server granted.
test('a deadline in a hundred years sets no timer that long', () => {
  const { clock, ran, schedule } = make();
  schedule.update(item(1, 3e12));
  expect(clock.longest).toBeLessThan(2 ** 31);
  clock.advance(3e12);
  expect(ran).toEqual([[1, 3e12]]);
});

test('stop() leaves nothing behind', () => {
  const { clock, ran, schedule } = make();
  schedule.update(item(1, 100));
  schedule.stop();
  expect(clock.pending).toBe(0);
  clock.advance(200);
  expect(ran).toEqual([]);
});

/** Moves to earlier, later, never, and removals at random, against a plain list. */
test('agrees with a naive model', () => {
  const action = fc.record({
    what: fc.constantFrom('move', 'move', 'move', 'never', 'remove', 'pass'),
    id: fc.integer({ min: 0, max: 7 }),
    ms: fc.integer({ min: 0, max: 50 }),
  });
  fc.assert(
    fc.property(fc.array(action, { maxLength: 100 }), (actions) => {
      const { clock, ran, schedule } = make();
      const items = Array.from({ length: 8 }, (_, id) => item(id));
      const model = new Map<number, number>();
      const expected: [number, number][] = [];
      const pass = (ms: number) => {
        const until = clock.now() + ms;
        for (const [id, at] of model) {
          if (at > until) continue;
          expected.push([id, at]);
          model.delete(id);
        }
        clock.advance(ms);
      };
      for (const { what, id, ms } of actions) {
        const known = items[id]!;
        if (what === 'pass') pass(ms);
        else if (what === 'remove') {
          schedule.remove(known);
          known.deadline = NEVER;
          model.delete(id);
        } else {
          known.deadline = what === 'never' ? NEVER : clock.now() + ms;
          schedule.update(known);
          if (what === 'never') model.delete(id);
          else model.set(id, known.deadline);
        }
      }
      pass(1_000);
      const sorted = (list: [number, number][]) => [...list].sort((a, b) => a[1] - b[1] || a[0] - b[0]);
      expect(sorted(ran)).toEqual(sorted(expected));
      expect([schedule.size, clock.pending]).toEqual([0, 0]);
    }),
  );
});
