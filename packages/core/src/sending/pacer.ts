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

  /** Takes at most `limit` waiting jobs back out, most urgent first. */
  withdraw(limit: number): J[] {
    const jobs: J[] = [];
    while (jobs.length < limit && this.#queue.size > 0) jobs.push(this.#queue.pop()!);
    return jobs;
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
    try {
      while (this.#queue.size > 0 && this.#room()) {
        this.#take();
        this.go(this.#queue.pop()!);
      }
    } finally {
      this.#draining = false;
    }
    // In flight is full: release() goes on. Else it's the bucket: wait for the next drop.
    if (this.#queue.size > 0 && this.#inFlight < this.ceiling.inFlight && !this.#timer) {
      const wait = Math.max(1, Math.ceil((1 - this.#tokens) / this.#perMs));
      this.#timer = this.clock.after(wait, () => {
        this.#timer = undefined;
        this.#drain();
      });
    }
  }
}
