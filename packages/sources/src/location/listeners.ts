/** Hands events to listeners one after another: what a listener causes is told after what it is being told. */
import { channels } from '@pua/core';

export class Listeners<E> {
  readonly #listeners = new Set<(event: E) => void | Promise<void>>();
  readonly #queue: E[] = [];
  #telling = false;

  /** @param where names the source in faults */
  constructor(readonly where: string) {}

  get size(): number {
    return this.#listeners.size;
  }

  /** Returns a function that takes the listener back. */
  add(listener: (event: E) => void | Promise<void>): () => void {
    // Its own function: the same listener may be added twice.
    const own = (event: E) => listener(event);
    this.#listeners.add(own);
    return () => void this.#listeners.delete(own);
  }

  tell(event: E): void {
    this.#queue.push(event);
    if (this.#telling) return;
    this.#telling = true;
    for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) {
      for (const listener of this.#listeners) void this.#call(listener, next);
    }
    this.#telling = false;
  }

  /** At once; resolves when all are done with it, and never rejects. */
  async tellAndWait(event: E): Promise<void> {
    await Promise.all(Array.from(this.#listeners, (listener) => this.#call(listener, event)));
  }

  #call(listener: (event: E) => void | Promise<void>, event: E): Promise<void> | undefined {
    try {
      const done = listener(event);
      // What is written in JavaScript may give back anything.
      if (typeof done === 'object') return Promise.resolve(done).catch((error: unknown) => this.#fault(error));
    } catch (error) {
      this.#fault(error);
    }
    return undefined;
  }

  #fault(error: unknown): void {
    channels.fault.publish({ type: 'fault', where: `a listener of ${this.where}`, error });
  }
}
