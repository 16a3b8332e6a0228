/**
 * Ceiling of one next hop: requests per second and requests in flight. Who finds no room waits in order of deadline,
 * so a storm of refreshes never burns a lifetime that could have been kept.
 */
import { MinHeap } from '../heap.js';
import type { Clock, Timer } from '../ports/runtime.js';

export interface Ceiling {
  /** Requests in any window of one second; 0: no limit. */
  readonly perSecond: number;
  readonly inFlight: number;
}

/** So many leave the queue in one go; then the event loop has its turn. */
const BATCH = 500;

export class Pacer<J extends { readonly priority: number }> {
  readonly #queue = new MinHeap<J>();
  readonly #burst: number;
  readonly #perMs: number;
  #tokens: number;
  #filledAt: number;
  #inFlight = 0;
  #timer: Timer | undefined;
  #draining = false;

  constructor(
    readonly ceiling: Ceiling,
    readonly clock: Clock,
    readonly go: (job: J) => void,
  ) {
    // A bucket of b refilled with r - b per second never lets more than r through in one second.
    const r = ceiling.perSecond;
    this.#burst = Math.max(1, Math.floor(r / 20));
    this.#perMs = Math.max(r - this.#burst, r / 2) / 1000;
    this.#tokens = this.#burst;
    this.#filledAt = clock.now();
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  get queued(): number {
    return this.#queue.size;
  }

  get idle(): boolean {
    return this.#inFlight === 0 && this.#queue.size === 0;
  }

  /** Calls `go(job)` now or when there is room; each go() is answered by one release(). */
  ask(job: J): void {
    if (this.#queue.size === 0 && this.#room()) {
      this.#take();
      this.go(job);
      return;
    }
    this.#queue.push(job, job.priority);
    this.#drain();
  }

  /** The same job sends once more in its slot (a challenge was answered). False: the rate does not allow it now. */
  again(): boolean {
    if (this.ceiling.perSecond === 0) return true;
    this.#fill();
    if (this.#tokens < 1) return false;
    this.#tokens--;
    return true;
  }

  release(): void {
    this.#inFlight--;
    if (this.#queue.size > 0) this.#drain();
  }

  /** In place of release(): nothing was sent in that slot. */
  unused(): void {
    if (this.ceiling.perSecond > 0) this.#tokens++;
    this.release();
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #room(): boolean {
    if (this.#inFlight >= this.ceiling.inFlight) return false;
    if (this.ceiling.perSecond === 0) return true;
    this.#fill();
    return this.#tokens >= 1;
  }

  #fill(): void {
    const now = this.clock.now();
    this.#tokens = Math.min(this.#burst, this.#tokens + (now - this.#filledAt) * this.#perMs);
    this.#filledAt = now;
  }

  #take(): void {
    this.#inFlight++;
    if (this.ceiling.perSecond > 0) this.#tokens--;
  }

  #drain(): void {
    // A job that gives its slot back at once must not start the next one from within: the queue may be long.
    if (this.#draining) return;
    this.#draining = true;
    let left = BATCH;
    try {
      for (; left > 0 && this.#queue.size > 0 && this.#room(); left--) {
        this.#take();
        this.go(this.#queue.pop()!);
      }
    } finally {
      this.#draining = left === 0;
    }
    if (left === 0) this.#drainIn(0);
    // In flight is full: release() goes on. Else it's the bucket: wait for the next drop.
    else if (this.#queue.size > 0 && this.#inFlight < this.ceiling.inFlight && !this.#timer)
      this.#drainIn(Math.max(1, Math.ceil((1 - this.#tokens) / this.#perMs)));
  }

  #drainIn(ms: number): void {
    this.#timer?.cancel();
    this.#timer = this.clock.after(ms, () => {
      this.#timer = undefined;
      this.#draining = false;
      this.#drain();
    });
  }
}
