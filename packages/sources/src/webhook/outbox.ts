/** Hands events to listeners: of one key one after another, each when the listeners are done with the one before. */
import { channels } from '@pua/core';

export class Outbox<E> {
  readonly #listeners = new Set<(event: E) => void | Promise<void>>();
  /** The last event of each key that somebody is still busy with. */
  readonly #last = new Map<string, Promise<void>>();

  /** @param where names the source in faults */
  constructor(readonly where: string) {}

  get hasListeners(): boolean {
    return this.#listeners.size > 0;
  }

  /** Returns a function that takes the listener back. */
  add(listener: (event: E) => void | Promise<void>): () => void {
    // Its own function: the same listener may be added twice.
    const own = (event: E) => listener(event);
    this.#listeners.add(own);
    return () => void this.#listeners.delete(own);
  }

  /** Resolves when all listeners are done with it; never rejects. */
  send(key: string, event: E): Promise<void> {
    const before = this.#last.get(key);
    const done = before ? before.then(() => this.#tell(event)) : this.#tell(event);
    this.#last.set(key, done);
    return done.then(() => {
      if (this.#last.get(key) === done) this.#last.delete(key);
    });
  }

  async #tell(event: E): Promise<void> {
    await Promise.all([...this.#listeners].map((listener) => this.#call(listener, event)));
  }

  async #call(listener: (event: E) => void | Promise<void>, event: E): Promise<void> {
    try {
      await listener(event);
    } catch (error) {
      channels.fault.publish({ type: 'fault', where: `a listener of ${this.where}`, error });
    }
  }
}
