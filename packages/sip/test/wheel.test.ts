import { TimerWheel, WheelNode } from '../dist/wheel.js';
import { ManualClock } from './support';

class Node extends WheelNode {
  constructor(private readonly run: (now: number) => void) {
    super();
  }
  override expire(now: number): void {
    this.run(now);
  }
}

it('expires each node at its tick, never early, whatever came before and between', () => {
  const clock = new ManualClock();
  const wheel = new TimerWheel(clock, 10);
  const late: number[] = [];
  let state = 7;
  const below = (n: number) => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return (state >>> 8) % n;
  };
  let expected = 0;
  for (let i = 0; i < 3000; i++) {
    clock.advance(below(25));
    // Up to three times around the wheel.
    const due = clock.now() + below(i % 10 === 0 ? 120_000 : 3000);
    const node = new Node((now) => late.push(now - due));
    wheel.schedule(node, due, clock.now());
    if (below(3) === 0) wheel.cancel(node);
    else expected++;
  }
  clock.advance(200_000);
  expect(late).toHaveLength(expected);
  expect(Math.min(...late)).toBeGreaterThanOrEqual(0);
  expect(Math.max(...late)).toBeLessThanOrEqual(10);
  expect(wheel.size).toBe(0);
  expect(clock.pending).toBe(0);
});

it('has one clock timer for all and none when empty', () => {
  const clock = new ManualClock();
  const wheel = new TimerWheel(clock, 10);
  expect(clock.pending).toBe(0);
  const nodes = Array.from({ length: 1000 }, () => new Node(() => undefined));
  for (const [i, node] of nodes.entries()) wheel.schedule(node, 500 + i, 0);
  expect([clock.pending, wheel.size]).toEqual([1, 1000]);
  clock.advance(2000);
  expect([clock.pending, wheel.size]).toEqual([0, 0]);
});

it('lets an expiring node cancel, move and schedule others of the same tick', () => {
  const clock = new ManualClock();
  const wheel = new TimerWheel(clock, 10);
  const ran: string[] = [];
  const cancelled = new Node(() => ran.push('cancelled'));
  const moved = new Node((now) => ran.push(`moved ${now}`));
  const again = new Node((now) => {
    ran.push(`again ${now}`);
    if (now < 150) wheel.schedule(again, now + 50, now);
  });
  const first = new Node((now) => {
    ran.push('first');
    wheel.cancel(cancelled);
    wheel.schedule(moved, now + 20, now);
  });
  for (const node of [first, cancelled, moved, again]) wheel.schedule(node, 100, 0);
  clock.advance(1000);
  expect(ran).toEqual(['first', 'again 100', 'moved 120', 'again 150']);
});

it('catches up although what has expired is scheduled again meanwhile', () => {
  const clock = new ManualClock();
  const wheel = new TimerWheel(clock, 10);
  const ran: [due: number, at: number][] = [];
  for (const due of [10, 20, 30]) {
    const node = new Node((now) => {
      ran.push([due, now]);
      if (now === 100) wheel.schedule(node, now + 500, now);
    });
    wheel.schedule(node, due, 0);
  }
  // The timer is late: three ticks are due at once, and each node puts itself in again.
  clock.time = 100;
  clock.advance(0);
  expect(ran).toEqual([
    [10, 100],
    [20, 100],
    [30, 100],
  ]);
  clock.advance(1_000);
  expect(ran.slice(3)).toEqual([
    [10, 600],
    [20, 600],
    [30, 600],
  ]);
  expect([wheel.size, clock.pending]).toEqual([0, 0]);
});

it('catches up after a pause of the process', () => {
  const clock = new ManualClock();
  const wheel = new TimerWheel(clock, 10);
  const ran: number[] = [];
  for (const due of [10, 20, 90_000, 30]) wheel.schedule(new Node(() => ran.push(due)), due, 0);
  clock.time = 50_000;
  clock.advance(0);
  expect(ran).toEqual([10, 20, 30]);
  clock.advance(40_000);
  expect(ran).toEqual([10, 20, 30, 90_000]);
});
