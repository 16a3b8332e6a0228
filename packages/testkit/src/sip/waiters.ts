import type { Clock } from '@pua/core';

interface Waiter<T> {
  readonly matches: (item: T) => boolean;
  readonly done: (item: T) => void;
}

/** Promises for the next item that meets a condition, with a deadline on a Clock. */
export class Waiters<T> {
  readonly #waiting = new Set<Waiter<T>>();
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Hands an item to all who wait for it. */
  offer(item: T): void {
    for (const waiter of this.#waiting) if (waiter.matches(item)) waiter.done(item);
  }

  /**
   * @param describe says what did come, for the error
   * @throws Error (by rejection) after `ms`
   */
  wait(matches: (item: T) => boolean, ms: number, describe: () => string): Promise<T> {
    return new Promise((resolve, reject) => {
      const waiter: Waiter<T> = {
        matches,
        done: (item) => {
          this.#waiting.delete(waiter);
          timer.cancel();
          resolve(item);
        },
      };
      const timer = this.#clock.after(ms, () => {
        this.#waiting.delete(waiter);
        reject(new Error(`not seen within ${ms} ms; ${describe()}`));
      });
      this.#waiting.add(waiter);
    });
  }
}
