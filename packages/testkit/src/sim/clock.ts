import type { Clock, Timer } from '@pua/core';
import { Heap, type HeapItem } from './heap.js';

class Entry implements HeapItem, Timer {
  heapIndex = -1;

  constructor(
    readonly heap: Heap<Entry>,
    readonly at: number,
    readonly order: number,
    readonly run: () => void,
  ) {}

  cancel(): void {
    this.heap.remove(this);
  }
}

export interface SimClockOptions {
  /** Monotonic time at the start, milliseconds. Default 0. */
  readonly now?: number;
  /** Wall time at the start, milliseconds since 1970. Default 2024-01-01T00:00:00Z. */
  readonly wall?: number;
}

/** Lets every microtask that is ready run, and those it leads to. */
export function settle(): Promise<void> {
  return new Promise((done) => setImmediate(done));
}

/**
 * A clock that only moves when it is told to. Timers run in the order of their deadlines, those of one deadline in
 * the order in which they were set; `now()` is the deadline while they run.
 */
export class SimClock implements Clock {
  readonly #heap = new Heap<Entry>((a, b) => a.at < b.at || (a.at === b.at && a.order < b.order));
  #now: number;
  #wallOffset: number;
  #order = 0;
  #running = false;

  constructor(options: SimClockOptions = {}) {
    this.#now = options.now ?? 0;
    this.#wallOffset = (options.wall ?? Date.UTC(2024, 0, 1)) - this.#now;
  }

  now(): number {
    return this.#now;
  }

  wall(): number {
    return this.#now + this.#wallOffset;
  }

  after(ms: number, run: () => void): Timer {
    const entry = new Entry(this.#heap, this.#now + Math.max(ms || 0, 0), this.#order++, run);
    this.#heap.push(entry);
    return entry;
  }

  /** Timers that are set and neither run nor cancelled; 0 after a clean stop. */
  get pending(): number {
    return this.#heap.size;
  }

  /** Deadline of the next timer on now()'s scale; undefined when none is set. */
  get nextAt(): number | undefined {
    return this.#heap.peek()?.at;
  }

  /** Moves wall time only, as an administrator or NTP does; no timer notices. */
  jumpWall(ms: number): void {
    this.#wallOffset += ms;
  }

  /** Moves both times by `ms` and runs what is due on the way, in one go: promises settle afterwards. */
  advance(ms: number): void {
    this.advanceTo(this.#now + ms);
  }

  /** As advance(), up to a point of now()'s scale; a point that has passed changes nothing. */
  advanceTo(at: number): void {
    this.#exclusive();
    try {
      while (this.#due(at)) this.#runNext();
      this.#reach(at);
    } finally {
      this.#running = false;
    }
  }

  /** As advance(), but promises settle before, between and after the points of time at which timers run. */
  advanceAsync(ms: number): Promise<void> {
    return this.advanceToAsync(this.#now + ms);
  }

  async advanceToAsync(at: number): Promise<void> {
    await this.#run(at, () => false);
    this.#reach(at);
    await settle();
  }

  /**
   * Runs timer by timer until `done` says true, at most `limitMs`; promises settle in between. Returns the
   * milliseconds that have passed.
   * @throws Error when the limit is reached first
   */
  async runUntil(done: () => boolean, limitMs: number): Promise<number> {
    const start = this.#now;
    if (!(await this.#run(start + limitMs, done))) {
      this.#reach(start + limitMs);
      throw new Error(`runUntil: not true within ${limitMs} ms of simulated time (${this.pending} timers pending)`);
    }
    return this.#now - start;
  }

  async #run(at: number, done: () => boolean): Promise<boolean> {
    this.#exclusive();
    try {
      for (;;) {
        await settle();
        if (done()) return true;
        if (!this.#due(at)) return false;
        const moment = this.#heap.peek()!.at;
        while (this.#due(moment)) {
          this.#runNext();
          if (done()) return true;
        }
      }
    } finally {
      this.#running = false;
    }
  }

  #due(at: number): boolean {
    const next = this.#heap.peek();
    return next !== undefined && next.at <= at;
  }

  #runNext(): void {
    const next = this.#heap.pop()!;
    this.#reach(next.at);
    next.run();
  }

  #reach(at: number): void {
    if (at > this.#now) this.#now = at;
  }

  #exclusive(): void {
    if (this.#running)
      throw new Error('SimClock is being advanced already: await the first call, and never advance it from a timer');
    this.#running = true;
  }
}
