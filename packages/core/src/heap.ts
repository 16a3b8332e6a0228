/** Binary min-heap on numbers; keys lie apart from the items in one typed array, so that sifting stays in the cache. */
export class MinHeap<T> {
  #keys = new Float64Array(64);
  readonly #items: T[] = [];
  readonly #placed: ((item: T, index: number) => void) | undefined;

  /** `placed` is told where an item stands (-1: gone), for heaps whose items are moved or removed by index. */
  constructor(placed?: (item: T, index: number) => void) {
    this.#placed = placed;
  }

  get size(): number {
    return this.#items.length;
  }

  /** Smallest key; Infinity when empty. */
  get top(): number {
    return this.#items.length === 0 ? Number.POSITIVE_INFINITY : this.#keys[0]!;
  }

  peek(): T | undefined {
    return this.#items[0];
  }

  keyAt(index: number): number {
    return this.#keys[index]!;
  }

  push(item: T, key: number): void {
    const index = this.#items.length;
    if (index === this.#keys.length) {
      const grown = new Float64Array(index * 2);
      grown.set(this.#keys);
      this.#keys = grown;
    }
    this.#items.push(item);
    this.#up(index, item, key);
  }

  pop(): T | undefined {
    const first = this.#items[0];
    if (first !== undefined) this.removeAt(0);
    return first;
  }

  setAt(index: number, key: number): void {
    const item = this.#items[index]!;
    if (key < this.#keys[index]!) this.#up(index, item, key);
    else this.#down(index, item, key);
  }

  removeAt(index: number): void {
    const gone = this.#items[index]!;
    const last = this.#items.pop()!;
    this.#placed?.(gone, -1);
    if (index === this.#items.length) return;
    const key = this.#keys[this.#items.length]!;
    if (index > 0 && key < this.#keys[(index - 1) >> 1]!) this.#up(index, last, key);
    else this.#down(index, last, key);
  }

  #put(index: number, item: T, key: number): void {
    this.#items[index] = item;
    this.#keys[index] = key;
    this.#placed?.(item, index);
  }

  #up(start: number, item: T, key: number): void {
    let index = start;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (this.#keys[parent]! <= key) break;
      this.#put(index, this.#items[parent]!, this.#keys[parent]!);
      index = parent;
    }
    this.#put(index, item, key);
  }

  #down(start: number, item: T, key: number): void {
    const size = this.#items.length;
    let index = start;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= size) break;
      if (child + 1 < size && this.#keys[child + 1]! < this.#keys[child]!) child++;
      if (this.#keys[child]! >= key) break;
      this.#put(index, this.#items[child]!, this.#keys[child]!);
      index = child;
    }
    this.#put(index, item, key);
  }
}
