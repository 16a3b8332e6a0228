/** What was seen within the last hour, the oldest forgotten first. */
import type { Clock } from '@pua/core';

/** How long a repeated request is known as such, milliseconds. */
export const REMEMBERED_MS = 3_600_000;
const MOST = 100_000;

export class Memory<V> {
  /** In order of time. */
  readonly #entries = new Map<string, { readonly value: V; readonly until: number }>();

  constructor(
    private readonly clock: Clock,
    private readonly most = MOST,
  ) {}

  get size(): number {
    return this.#entries.size;
  }

  get(key: string): V | undefined {
    this.#forget(this.most);
    return this.#entries.get(key)?.value;
  }

  set(key: string, value: V): void {
    this.#forget(this.most - 1);
    this.#entries.delete(key);
    this.#entries.set(key, { value, until: this.clock.now() + REMEMBERED_MS });
  }

  delete(key: string): void {
    this.#entries.delete(key);
  }

  #forget(most: number): void {
    const now = this.clock.now();
    for (const [key, { until }] of this.#entries) {
      if (until > now && this.#entries.size <= most) return;
      this.#entries.delete(key);
    }
  }
}
