/** One tick of the schedule with nothing due: look at the first deadline, set the timer for it. */
import type { Clock, Timer } from '@pua/core';
import { systemClock } from '@pua/sip';
import { FEW, idlePua, MANY, nodeOptions } from '../load/idle-pua.js';
import { medianTime } from '../load/stopwatch.js';
import { type Effort, type Row, type Sample, scaled } from '../row.js';

const BATCH = 10_000;
const NO_TIMER: Timer = { cancel: () => undefined };

/** Whose one timer runs when it is told to, and early: nothing is due then. */
class HeldClock implements Clock {
  readonly now = systemClock.now;
  readonly wall = systemClock.wall;
  private run: () => void = () => undefined;

  after(_ms: number, run: () => void): Timer {
    this.run = run;
    return NO_TIMER;
  }

  fire(): void {
    this.run();
  }
}

async function ticking(records: number, effort: Effort): Promise<Sample> {
  const clock = new HeldClock();
  const pua = await idlePua(records, clock);
  const ms = medianTime(effort, () => {
    for (let i = 0; i < BATCH; i++) clock.fire();
  });
  const { scheduled, requests } = pua.stats();
  if (scheduled !== records || Object.keys(requests).length > 0) throw new Error('something was due');
  await pua.stop();
  return { value: (ms / BATCH) * 1e6, details: { scheduled } };
}

export const tick: Row = {
  name: 'tick',
  what: 'a tick of the schedule with nothing due',
  unit: 'ns',
  n: MANY,
  goal: { atMost: 1.25 },
  nodeOptions,
  ours: (effort) => ticking(scaled(MANY, effort), effort),
  against: { name: '1000 records', measure: (effort) => ticking(scaled(FEW, effort), effort) },
};
