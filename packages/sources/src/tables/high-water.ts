/**
 * From where to read on, in a column that only grows. It lags two polls behind, because rows may become visible a little
 * later than others that were written after them.
 */
export class HighWater<T extends number | string> {
  #before: T;
  #last: T;
  #top: T;

  constructor(start: T) {
    this.#before = start;
    this.#last = start;
    this.#top = start;
  }

  /** What the next poll starts with. */
  get mark(): T {
    return this.#before;
  }

  seen(value: T): void {
    if (value > this.#top) this.#top = value;
  }

  /** A poll has come to its end. */
  turn(): void {
    this.#before = this.#last;
    this.#last = this.#top;
  }
}
