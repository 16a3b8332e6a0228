import type { Clock, Timer } from '@pua/core';

interface Planned {
  readonly at: number;
  readonly run: () => void;
}

/** Lets what is already resolved happen. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 12; i++) await null;
}

/** Time that stands still until it is moved. */
export class SimClock implements Clock {
  private time = 0;
  private readonly planned = new Set<Planned>();

  now(): number {
    return this.time;
  }

  wall(): number {
    return this.time;
  }

  after(ms: number, run: () => void): Timer {
    const plan = { at: this.time + ms, run };
    this.planned.add(plan);
    return { cancel: () => this.planned.delete(plan) };
  }

  get idle(): boolean {
    return this.planned.size === 0;
  }

  /** Runs what falls due on the way, with all that follows from it. */
  async advance(ms: number): Promise<void> {
    const end = this.time + ms;
    await settle();
    for (;;) {
      let next: Planned | null = null;
      for (const plan of this.planned) if (plan.at <= end && (next === null || plan.at < next.at)) next = plan;
      if (next === null) break;
      this.planned.delete(next);
      this.time = next.at;
      next.run();
      await settle();
    }
    this.time = end;
  }
}
