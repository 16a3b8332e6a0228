import type { Clock, Timer } from '@pua/core';
import { Heap, type HeapItem } from '../sim/heap.js';

export interface Expiring extends HeapItem {
  /** On the clock's scale, milliseconds. */
  expiresAt: number;
}

/** Deadlines of many items on one timer of the clock: O(log n) per change, nothing per item that waits. */
export class Deadlines<T extends Expiring> {
  readonly #heap = new Heap<T>((a, b) => a.expiresAt < b.expiresAt);
  readonly #clock: Clock;
  readonly #onDue: (item: T) => void;
  #timer: Timer | undefined;
  #armedFor = 0;

  constructor(clock: Clock, onDue: (item: T) => void) {
    this.#clock = clock;
    this.#onDue = onDue;
  }

  /** Adds an item or moves it to its new deadline. */
  set(item: T, expiresAt: number): void {
    item.expiresAt = expiresAt;
    if (item.heapIndex < 0) this.#heap.push(item);
    else this.#heap.update(item);
    this.#arm();
  }

  remove(item: T): void {
    this.#heap.remove(item);
    if (this.#heap.size === 0) this.#disarm();
  }

  clear(): void {
    this.#heap.clear();
    this.#disarm();
  }

  #arm(): void {
    const first = this.#heap.peek();
    // A timer that fires too early costs less than one change per refresh.
    if (!first || (this.#timer && this.#armedFor <= first.expiresAt)) return;
    this.#disarm();
    this.#armedFor = first.expiresAt;
    this.#timer = this.#clock.after(first.expiresAt - this.#clock.now(), () => {
      this.#timer = undefined;
      this.#runDue();
      this.#arm();
    });
  }

  #runDue(): void {
    const now = this.#clock.now();
    for (let first = this.#heap.peek(); first && first.expiresAt <= now; first = this.#heap.peek()) {
      this.#heap.remove(first);
      this.#onDue(first);
    }
  }

  #disarm(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }
}
