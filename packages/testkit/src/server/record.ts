import type { Headers, HeaderView, Hop, ReceivedBody } from '@pua/core';

/** One request that the server received, and what became of it. */
export interface RequestRecord {
  /** 1 for the first one. */
  readonly number: number;
  /** Clock time, milliseconds. */
  readonly at: number;
  readonly method: string;
  readonly uri: string;
  readonly headers: HeaderView;
  readonly body: ReceivedBody | undefined;
  readonly source: Hop;
  /** Status that was answered; 0: deliberately none; undefined: none yet. */
  status: number | undefined;
  /** Why, in words, where the status does not say it. */
  note: string | undefined;
}

/** What the compositor or the notifier decided about a request. */
export interface Verdict {
  readonly status: number;
  readonly headers?: Headers;
  readonly reason?: string;
  /** What follows the answer. Gets the To tag of a request that opens a dialog. */
  readonly after?: (localTag: string) => void;
  /** The answer leaves when this calls `release`, and what follows it comes before it. */
  readonly holds?: (release: () => void) => void;
}

/** The last `limit` items, oldest first. */
export class BoundedLog<T> {
  readonly #limit: number;
  #items: T[] = [];
  #start = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  push(item: T): void {
    if (this.#limit === 0) return;
    if (this.#items.length < this.#limit) this.#items.push(item);
    else {
      this.#items[this.#start] = item;
      this.#start = (this.#start + 1) % this.#limit;
    }
  }

  /** A copy in order. */
  all(): T[] {
    return [...this.#items.slice(this.#start), ...this.#items.slice(0, this.#start)];
  }

  clear(): void {
    this.#items = [];
    this.#start = 0;
  }
}
