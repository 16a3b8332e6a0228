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
  #after = 0;

  /** @param isKnown false: the id has gone meanwhile */
  constructor(readonly isKnown: (id: number) => boolean) {}

  add(id: number): void {
    const { length } = this.#ids;
    // Most come in order; others were written before those that came to sight earlier.
    const at = length === 0 || this.#ids[length - 1]! < id ? length : this.#place(id);
    if (this.#ids[at] !== id) this.#ids.splice(at, 0, id);
  }

  /** The next range with `count` known ids, less at the end; the same one until it has been passed. */
  next(count: number): IdRange {
    let at = this.#place(this.#after + 1);
    if (at === this.#ids.length) {
      this.#ids = this.#ids.filter(this.isKnown);
      this.#after = 0;
      at = 0;
    }
    const after = this.#after;
    const ids: number[] = [];
    let upTo = after;
    for (; ids.length < count && at < this.#ids.length; at++) {
      upTo = this.#ids[at]!;
      if (this.isKnown(upTo)) ids.push(upTo);
    }
    return { after, upTo, isLast: at === this.#ids.length, ids };
  }

  /** It has been looked at. */
  passed({ upTo }: IdRange): void {
    this.#after = upTo;
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
