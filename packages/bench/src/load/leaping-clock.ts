import type { Clock, Timer } from '@pua/core';
import { systemClock } from '@pua/sip';

interface Waiting {
  readonly at: number;
  readonly run: () => void;
  timer: Timer;
}

/** The clock of the system, which can be put forward: what is due by then runs at once. */
export class LeapingClock implements Clock {
  private ahead = 0;
  private readonly waiting = new Set<Waiting>();

  now(): number {
    return systemClock.now() + this.ahead;
  }

  wall(): number {
    return systemClock.wall() + this.ahead;
  }

  after(ms: number, run: () => void): Timer {
    const entry: Waiting = { at: this.now() + ms, run, timer: { cancel: () => undefined } };
    this.waiting.add(entry);
    this.arm(entry);
    return {
      cancel: () => {
        this.waiting.delete(entry);
        entry.timer.cancel();
      },
    };
  }

  /** Milliseconds. */
  leap(ms: number): void {
    this.ahead += ms;
    for (const entry of this.waiting) {
      entry.timer.cancel();
      this.arm(entry);
    }
  }

  private arm(entry: Waiting): void {
    entry.timer = systemClock.after(Math.max(0, entry.at - this.now()), () => {
      this.waiting.delete(entry);
      entry.run();
    });
  }
}
