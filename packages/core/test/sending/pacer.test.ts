import * as fc from 'fast-check';
import { Pacer } from '../../dist/sending/pacer.js';
import { FakeClock } from '../support/clock';

interface Job {
  readonly id: number;
  readonly priority: number;
}
const job = (id: number, priority = 0): Job => ({ id, priority });

function make(perSecond: number, inFlight: number) {
  const clock = new FakeClock(0);
  const went: { id: number; at: number }[] = [];
  const pacer: Pacer<Job> = new Pacer(
    { perSecond, inFlight },
    clock,
    ({ id }) => void went.push({ id, at: clock.now() }),
  );
  return { clock, went, pacer };
}

test('no ceiling: at once', () => {
  const { went, pacer } = make(0, 10);
  for (let id = 0; id < 10; id++) pacer.ask(job(id));
  expect(went).toHaveLength(10);
});

test('in flight is never exceeded; a release lets the most urgent go', () => {
  const { went, pacer } = make(0, 2);
  for (const [id, priority] of [
    [1, 9],
    [2, 9],
    [3, 5],
    [4, 1],
    [5, 3],
  ] as const)
    pacer.ask(job(id, priority));
  expect(went.map(({ id }) => id)).toEqual([1, 2]);
  expect([pacer.inFlight, pacer.queued]).toEqual([2, 3]);
  for (let i = 0; i < 3; i++) pacer.release();
  expect(went.map(({ id }) => id)).toEqual([1, 2, 4, 5, 3]);
});

test('never more than the rate in any one-second window, never more than so many in flight', () => {
  const action = fc.record({
    asks: fc.integer({ min: 0, max: 30 }),
    releases: fc.integer({ min: 0, max: 30 }),
    ms: fc.integer({ min: 0, max: 700 }),
  });
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 100 }),
      fc.integer({ min: 1, max: 50 }),
      fc.array(action, { minLength: 1, maxLength: 25 }),
      (perSecond, inFlight, actions) => {
        const { clock, went, pacer } = make(perSecond, inFlight);
        let id = 0;
        for (const { asks, releases, ms } of actions) {
          for (let i = 0; i < asks; i++) pacer.ask(job(id++));
          for (let i = 0; i < releases && pacer.inFlight > 0; i++) pacer.release();
          expect(pacer.inFlight).toBeLessThanOrEqual(inFlight);
          clock.advance(ms);
        }
        for (let i = perSecond; i < went.length; i++)
          expect(went[i]!.at - went[i - perSecond]!.at).toBeGreaterThanOrEqual(1_000 - 1e-6);
      },
    ),
    { numRuns: 300 },
  );
});

test('everybody has a turn in the end, and no timer is left', () => {
  const { clock, went, pacer } = make(20, 5);
  for (let id = 0; id < 100; id++) pacer.ask(job(id));
  for (let i = 0; i < 200; i++) {
    clock.advance(100);
    while (pacer.inFlight > 0) pacer.release();
  }
  expect(went).toHaveLength(100);
  expect(clock.pending).toBe(0);
});

test('the rate is used, not just kept', () => {
  const { clock, went, pacer } = make(100, 1_000);
  for (let id = 0; id < 1_000; id++) pacer.ask(job(id));
  clock.advance(10_500);
  expect(went.length).toBeGreaterThan(950);
});

test('a job that sends once more counts, and may not when the rate is used up', () => {
  const { clock, went, pacer } = make(10, 100);
  pacer.ask(job(0));
  expect(pacer.again()).toBe(false);
  clock.advance(112);
  expect(pacer.again()).toBe(true);
  pacer.ask(job(1));
  expect(went).toHaveLength(1);
  clock.advance(112);
  expect(went).toHaveLength(2);
});

test.each([0, 1])('100 000 jobs that have nothing to send any more go in portions, no recursion (rate %i)', (rate) => {
  const clock = new FakeClock(0);
  let gone = 0;
  const pacer: Pacer<Job> = new Pacer({ perSecond: rate, inFlight: 1 }, clock, ({ id }) => {
    if (id === 0) return;
    gone++;
    pacer.unused();
  });
  for (let id = 0; id <= 100_000; id++) pacer.ask(job(id));
  expect(gone).toBe(0);
  clock.advance(5_000);
  pacer.release();
  pacer.ask(job(1));
  expect(gone).toBe(500);
  clock.advance(1);
  expect(gone).toBe(100_001);
  expect([pacer.inFlight, pacer.queued, clock.pending]).toEqual([0, 0, 0]);
});

test('a job that throws does not stop the others', () => {
  const clock = new FakeClock(0);
  const went: number[] = [];
  const pacer: Pacer<Job> = new Pacer({ perSecond: 0, inFlight: 1 }, clock, ({ id }) => {
    went.push(id);
    if (id === 1) throw new Error('broken');
  });
  pacer.ask(job(0));
  pacer.ask(job(1));
  pacer.ask(job(2));
  expect(() => pacer.release()).toThrow('broken');
  pacer.release();
  expect(went).toEqual([0, 1, 2]);
});

test('stop() leaves no timer', () => {
  const { clock, pacer } = make(1, 10);
  pacer.ask(job(1));
  pacer.ask(job(2));
  expect(clock.pending).toBe(1);
  pacer.stop();
  expect(clock.pending).toBe(0);
});
