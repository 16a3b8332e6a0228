/** Ids in their order, gone through part by part, again and again. */
export interface IdRange {
  /** Exclusive. */
  readonly after: number;
  /** Inclusive. */
  readonly upTo: number;
  /** There is no known id beyond. */
  readonly isLast: boolean;
  /** Those of it that are known. */
  readonly ids: readonly number[];
}

export class IdRotation {
  #ids: number[] = [];
  #next = 0;
  #after = 0;

  /** @param isKnown false: the id has gone meanwhile */
  constructor(readonly isKnown: (id: number) => boolean) {}

  add(id: number): void {
    const { length } = this.#ids;
    if (length === 0 || this.#ids[length - 1]! < id) {
      this.#ids.push(id);
      return;
    }
    // It was written before others that came to sight earlier.
    const at = this.#place(id);
    if (this.#ids[at] === id) return;
    this.#ids.splice(at, 0, id);
    if (at < this.#next) this.#next++;
  }

  /** The next range with `count` known ids, less at the end. */
  next(count: number): IdRange {
    if (this.#next >= this.#ids.length) this.#startAgain();
    const after = this.#after;
    const ids: number[] = [];
    while (ids.length < count && this.#next < this.#ids.length) {
      const id = this.#ids[this.#next++]!;
      if (this.isKnown(id)) ids.push(id);
      this.#after = id;
    }
    return { after, upTo: this.#after, isLast: this.#next >= this.#ids.length, ids };
  }

  #startAgain(): void {
    this.#ids = this.#ids.filter(this.isKnown);
    this.#next = 0;
    this.#after = 0;
  }

  /** Of the first id that is not less. */
  #place(id: number): number {
    let [low, high] = [0, this.#ids.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#ids[middle]! < id) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
