/** Time and chance that only move when told. */
import type { Clock, Random, Timer } from '../../dist/ports/runtime.js';
import { seeded } from './random';

interface Entry {
  readonly at: number;
  readonly order: number;
  readonly run: () => void;
}

export class FakeClock implements Clock {
  #now: number;
  #timers = new Set<Entry>();
  #order = 0;
  /** Longest wait that was ever asked for, milliseconds. */
  longest = 0;

  constructor(
    now = 5_000,
    readonly offset = Date.UTC(2024, 0, 1),
  ) {
    this.#now = now;
  }

  now(): number {
    return this.#now;
  }

  wall(): number {
    return this.#now + this.offset;
  }

  after(ms: number, run: () => void): Timer {
    const entry = { at: this.#now + ms, order: this.#order++, run };
    this.longest = Math.max(this.longest, ms);
    this.#timers.add(entry);
    return { cancel: () => void this.#timers.delete(entry) };
  }

  get pending(): number {
    return this.#timers.size;
  }

  /** Runs what is due on the way, in order of time, then of setting. */
  advance(ms: number): void {
    const until = this.#now + ms;
    for (;;) {
      let next: Entry | undefined;
      for (const entry of this.#timers) {
        if (entry.at <= until && (!next || entry.at < next.at || (entry.at === next.at && entry.order < next.order)))
          next = entry;
      }
      if (!next) break;
      this.#timers.delete(next);
      this.#now = Math.max(this.#now, next.at);
      next.run();
    }
    this.#now = until;
  }
}

export class FakeRandom implements Random {
  readonly #uniform: () => number;
  #tokens = 0;

  constructor(seed = 1) {
    this.#uniform = seeded(seed);
  }

  uniform(): number {
    return this.#uniform();
  }

  token(): string {
    return `token${++this.#tokens}`;
  }
}

/** Lets everything run that is ready to. */
export const settled = (): Promise<void> => new Promise((done) => setImmediate(done));
