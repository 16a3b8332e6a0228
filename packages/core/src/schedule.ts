/**
 * One structure for all deadlines. A deadline that moves later is left where it is and looked at again when its old
 * time comes: a publication that is modified a thousand times before its refresh costs the heap nothing.
 */
import { MinHeap } from './heap.js';
import type { Clock, Timer } from './ports/runtime.js';

export interface Scheduled {
  /** Monotonic ms; Infinity: none. */
  readonly deadline: number;
  /** Place in the schedule, -1: not in it. Written by the schedule alone. */
  scheduleIndex: number;
}

/** So many are looked at in one go; then the event loop has its turn. */
const BATCH = 1_000;
/** Longest wait of one timer: setTimeout fires at once beyond 2^31-1 ms, and a server may grant more. */
const MAX_WAIT = 2 ** 30;

export class Schedule<T extends Scheduled> {
  readonly #heap = new MinHeap<T>((item, index) => {
    item.scheduleIndex = index;
  });
  #timer: Timer | undefined;
  #armedFor = Number.POSITIVE_INFINITY;
  #running = false;

  constructor(
    readonly clock: Clock,
    readonly run: (item: T) => void,
  ) {}

  get size(): number {
    return this.#heap.size;
  }

  /** The item's deadline has changed. */
  update(item: T): void {
    const index = item.scheduleIndex;
    if (index < 0) {
      if (item.deadline === Number.POSITIVE_INFINITY) return;
      this.#heap.push(item, item.deadline);
    } else if (item.deadline < this.#heap.keyAt(index)) {
      this.#heap.setAt(index, item.deadline);
    } else return;
    if (!this.#running) this.#arm();
  }

  remove(item: T): void {
    if (item.scheduleIndex >= 0) this.#heap.removeAt(item.scheduleIndex);
    if (this.#heap.size === 0) this.stop();
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#armedFor = Number.POSITIVE_INFINITY;
  }

  #arm(): void {
    const top = this.#heap.top;
    if (top >= this.#armedFor) return;
    this.#timer?.cancel();
    this.#armedFor = top;
    if (top === Number.POSITIVE_INFINITY) return;
    this.#timer = this.clock.after(Math.min(MAX_WAIT, Math.max(0, top - this.clock.now())), () => this.#tick());
  }

  #tick(): void {
    this.#armedFor = Number.POSITIVE_INFINITY;
    this.#timer = undefined;
    this.#running = true;
    const now = this.clock.now();
    try {
      for (let looked = 0; looked < BATCH && this.#heap.top <= now; looked++) {
        const item = this.#heap.peek()!;
        if (item.deadline > now) {
          if (item.deadline === Number.POSITIVE_INFINITY) this.#heap.pop();
          else this.#heap.setAt(0, item.deadline);
          continue;
        }
        this.#heap.pop();
        this.run(item);
      }
    } finally {
      this.#running = false;
      this.#arm();
    }
  }
}
