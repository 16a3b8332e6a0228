/** From where to read changes on, in the order of (modified, id). */
import { HighWater } from './high-water.js';

export interface ChangePlace {
  readonly modified: string;
  readonly id: number;
}

/** Milliseconds after which nothing more is written with the time of the last change. */
const QUIET = 5_000;

/**
 * Times have seconds only, so that rows of the last one are read again and again: others of it may follow. When it has been the
 * last one for a while, and was read once more since, it is done with: else many rows that were changed in one second would be
 * read with every poll until something else changes.
 */
export class ChangeMark {
  readonly #water: HighWater<string>;
  #last = '';
  /** When `#last` was first read. */
  #since = 0;
  #done: ChangePlace | undefined;

  constructor(start: string) {
    this.#water = new HighWater(start);
  }

  /** Exclusive. */
  get place(): ChangePlace {
    return this.#done ?? { modified: this.#water.mark, id: 0 };
  }

  /**
   * Everything beyond `place` has been read.
   * @param last the last of it
   * @param began milliseconds, before it was read
   */
  turn(last: ChangePlace, began: number): void {
    this.#water.seen(last.modified);
    this.#water.turn();
    if (last.modified !== this.#last) {
      this.#last = last.modified;
      this.#since = began;
      this.#done = undefined;
    } else if (began - this.#since >= QUIET) this.#done = last;
  }
}
