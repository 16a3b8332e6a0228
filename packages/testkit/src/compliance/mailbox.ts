/** Longest wait for something that has to come, milliseconds of real time. */
export const PATIENCE_MS = 3_000;

/** What has come and was not taken yet, and who waits for it. */
export class Mailbox<T> {
  readonly #items: T[] = [];
  readonly #waiting = new Set<{ matches: (item: T) => boolean; take: (item: T) => void }>();

  /** How many have come and were not taken. */
  get size(): number {
    return this.#items.length;
  }

  put(item: T): void {
    for (const waiter of this.#waiting) {
      if (!waiter.matches(item)) continue;
      this.#waiting.delete(waiter);
      waiter.take(item);
      return;
    }
    this.#items.push(item);
  }

  /** Takes the first one that matches, as soon as it is there. Rejects when it does not come. */
  take(matches: (item: T) => boolean = () => true): Promise<T> {
    const at = this.#items.findIndex(matches);
    if (at >= 0) return Promise.resolve(this.#items.splice(at, 1)[0]!);
    return new Promise((resolve, reject) => {
      const waiter = {
        matches,
        take: (item: T) => {
          clearTimeout(late);
          resolve(item);
        },
      };
      const late = setTimeout(() => {
        this.#waiting.delete(waiter);
        reject(new Error(`did not come within ${PATIENCE_MS} ms`));
      }, PATIENCE_MS);
      this.#waiting.add(waiter);
    });
  }
}
