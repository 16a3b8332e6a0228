/** Hands events to listeners: of one key one after another, each when the listeners are done with the one before. */
import { Listeners } from '../location/index.js';

export class Outbox<E> {
  readonly listeners: Listeners<E>;
  /** The last event of each key that somebody is still busy with. */
  readonly #last = new Map<string, Promise<void>>();

  /** @param where names the source in faults */
  constructor(where: string) {
    this.listeners = new Listeners(where);
  }

  /** How many keys there are. */
  get busy(): number {
    return this.#last.size;
  }

  /** Resolves when all listeners are done with it; never rejects. */
  send(key: string, event: E): Promise<void> {
    const { listeners } = this;
    const before = this.#last.get(key);
    const done = before ? before.then(() => listeners.tellAndWait(event)) : listeners.tellAndWait(event);
    this.#last.set(key, done);
    return done.then(() => {
      if (this.#last.get(key) === done) this.#last.delete(key);
    });
  }
}
