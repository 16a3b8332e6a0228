/**
 * Write-behind without a database: which records wait, when a group starts, how far the durable mark is.
 *
 *   changed(a) changed(b) changed(a)      numbers 1 2 3; a and b wait, a once
 *        |---- delayMs ----|
 *                          write([a, b])  the mark of this group is 3: nothing waits behind it
 *   changed(b)             |              number 4, b waits again
 *                          v
 *                      committed          durable = 3
 *
 * One group is on its way at a time. A group that failed is kept and packed again, with the newest state, after a
 * pause that doubles. Each record waits at most once (plus once in the group on its way), so memory is bounded by the
 * number of records, not of changes.
 */
import type { Clock, RowSource, StoreStatus, Timer } from '@pua/core';

export interface WriteBehindSettings {
  readonly clock: Clock;
  /** Milliseconds from the first change until its group starts, unless another group is on its way. */
  readonly delayMs: number;
  /** A group starts at once when so many records wait. */
  readonly startAt: number;
  /** Records in a group at most; bounds how long packing holds up the caller's thread. */
  readonly groupMax: number;
  /** Pause after the first failure, doubled up to the second value, in milliseconds. */
  readonly retryMs: readonly [first: number, most: number];
  /**
   * Asks the sources for their rows before it returns, resolves when they are on disk; with an error when single
   * records can never be written and were left out: the others must not wait for them for ever.
   */
  readonly write: (sources: readonly RowSource[]) => Promise<Error | null>;
  readonly onCommitted: (durable: number, records: number, ms: number) => void;
  readonly onFailed: (error: Error, retryMs: number) => void;
}

interface Waiting {
  source: RowSource;
  /** Number and time of the first change that is not written. */
  readonly first: number;
  readonly since: number;
}

interface Waiter {
  readonly mark: number;
  resolve(): void;
  reject(error: Error): void;
}

export class WriteBehind {
  /** In the order of `first`, because a record that waits keeps its place. */
  private dirty = new Map<string, Waiting>();
  /** On its way, or failed and to be packed again. */
  private group: Waiting[] = [];
  private state: 'idle' | 'writing' | 'pausing' | 'unstarted' | 'stopped' = 'unstarted';
  private last = 0;
  private durable = 0;
  /** Groups start without delay until this number is on disk. */
  private urgent = 0;
  private failures = 0;
  private error: Error | null = null;
  private timer: Timer | null = null;
  private prompt = false;
  private waiters: Waiter[] = [];

  constructor(private readonly settings: WriteBehindSettings) {}

  changed(source: RowSource): number {
    const number = ++this.last;
    const known = this.dirty.get(source.key);
    if (known !== undefined) known.source = source;
    else if (this.state !== 'stopped') {
      this.dirty.set(source.key, { source, first: number, since: this.settings.clock.now() });
      this.schedule();
    }
    return number;
  }

  /** Until now changes are only kept. */
  start(): void {
    this.state = 'idle';
    this.schedule();
  }

  status(): StoreStatus {
    const pending = this.dirty.size + this.group.length;
    return { durable: this.durable, last: this.last, pending, error: this.error };
  }

  flush(): Promise<void> {
    if (this.durable >= this.last) return Promise.resolve();
    if (this.state === 'stopped') return Promise.reject(this.error);
    return new Promise((resolve, reject) => {
      this.waiters.push({ mark: this.last, resolve, reject });
      this.urgent = this.last;
      this.schedule();
    });
  }

  /** Nothing is written any more; whoever waits is told why. */
  stop(reason: Error): void {
    if (this.state === 'stopped') return;
    this.state = 'stopped';
    this.error = reason;
    this.cancelTimer();
    for (const waiter of this.waiters.splice(0)) waiter.reject(reason);
  }

  private schedule(): void {
    if (this.state !== 'idle' || this.prompt || this.dirty.size === 0) return;
    const { clock, delayMs, startAt } = this.settings;
    if (this.dirty.size >= startAt || this.urgent > this.durable) {
      // Not in the caller's own turn: the state of the record that calls may be half way.
      this.cancelTimer();
      this.prompt = true;
      this.timer = clock.after(0, () => this.launch());
    } else if (this.timer === null) {
      const { since } = this.dirty.values().next().value!;
      this.timer = clock.after(Math.max(0, since + delayMs - clock.now()), () => this.launch());
    }
  }

  private launch(): void {
    this.cancelTimer();
    this.state = 'writing';
    // The mark is taken before the rows are asked for: it may claim too little, never too much.
    const group = this.pack();
    const first = this.dirty.values().next();
    const mark = first.done === true ? this.last : first.value.first - 1;
    const began = this.settings.clock.now();
    let written: Promise<Error | null>;
    try {
      written = this.settings.write(group.map((waiting) => waiting.source));
    } catch (error) {
      written = Promise.reject(error);
    }
    written.then(
      (left) => this.committed(mark, began, left),
      (error: unknown) => this.failed(error instanceof Error ? error : new Error(String(error))),
    );
  }

  /** What failed before goes first, in its newest state; then the records that wait longest. */
  private pack(): Waiting[] {
    const { dirty, group } = this;
    for (const waiting of group) {
      const newer = dirty.get(waiting.source.key);
      if (newer !== undefined) {
        waiting.source = newer.source;
        dirty.delete(waiting.source.key);
      }
    }
    for (const [key, waiting] of dirty) {
      if (group.length >= this.settings.groupMax) break;
      group.push(waiting);
      dirty.delete(key);
    }
    return group;
  }

  private committed(mark: number, began: number, left: Error | null): void {
    const records = this.group.length;
    this.group = [];
    this.durable = mark;
    if (this.state !== 'stopped') {
      this.state = 'idle';
      this.failures = 0;
      this.error = left;
      this.schedule();
    }
    if (this.waiters.length > 0) {
      const done = this.waiters.filter((waiter) => waiter.mark <= mark);
      this.waiters = this.waiters.filter((waiter) => waiter.mark > mark);
      for (const waiter of done) waiter.resolve();
    }
    this.settings.onCommitted(mark, records, this.settings.clock.now() - began);
  }

  private failed(error: Error): void {
    if (this.state === 'stopped') return;
    const [first, most] = this.settings.retryMs;
    const pause = Math.min(most, first * 2 ** this.failures++);
    this.error = error;
    this.state = 'pausing';
    this.timer = this.settings.clock.after(pause, () => this.launch());
    this.settings.onFailed(error, pause);
  }

  private cancelTimer(): void {
    this.timer?.cancel();
    this.timer = null;
    this.prompt = false;
  }
}
