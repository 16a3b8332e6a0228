const BUCKETS = 10;
const BUCKET_MS = 100;

/** Peak of events per second: a window of one second that moves in steps of 100 ms. O(1) per event. */
export class RateMeter {
  readonly #counts = new Array<number>(BUCKETS).fill(0);
  #current = Number.NEGATIVE_INFINITY;
  #sum = 0;
  #peak = 0;

  /** Counts one event at a clock time in milliseconds. */
  count(now: number): void {
    const bucket = Math.floor(now / BUCKET_MS);
    if (bucket > this.#current) {
      const first = Math.max(this.#current + 1, bucket - BUCKETS + 1);
      for (let i = first; i <= bucket; i++) {
        const slot = ((i % BUCKETS) + BUCKETS) % BUCKETS;
        this.#sum -= this.#counts[slot]!;
        this.#counts[slot] = 0;
      }
      this.#current = bucket;
    }
    this.#counts[((this.#current % BUCKETS) + BUCKETS) % BUCKETS]!++;
    this.#sum++;
    if (this.#sum > this.#peak) this.#peak = this.#sum;
  }

  get peak(): number {
    return this.#peak;
  }

  /** Forgets the peak, not the running second. */
  resetPeak(): void {
    this.#peak = 0;
  }
}
