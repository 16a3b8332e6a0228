import type { Clock } from '@pua/core';
import { Deadlines } from './deadlines.js';
import type { StoredSubscription } from './subscription.js';

function dialogKey(callId: string, localTag: string, remoteTag: string): string {
  return `${callId} ${localTag} ${remoteTag}`;
}

/** The notifier's subscriptions, found by dialog and by what they watch. */
export class Dialogs {
  readonly #byDialog = new Map<string, StoredSubscription>();
  readonly #byKey = new Map<string, Set<StoredSubscription>>();
  readonly #deadlines: Deadlines<StoredSubscription>;

  constructor(clock: Clock, onExpired: (subscription: StoredSubscription) => void) {
    this.#deadlines = new Deadlines(clock, onExpired);
  }

  get size(): number {
    return this.#byDialog.size;
  }

  [Symbol.iterator](): IterableIterator<StoredSubscription> {
    return this.#byDialog.values();
  }

  find(callId: string, localTag: string, remoteTag: string): StoredSubscription | undefined {
    return this.#byDialog.get(dialogKey(callId, localTag, remoteTag));
  }

  has(subscription: StoredSubscription): boolean {
    return this.find(subscription.callId, subscription.localTag, subscription.remoteTag) === subscription;
  }

  watching(key: string): Iterable<StoredSubscription> {
    return this.#byKey.get(key) ?? [];
  }

  add(subscription: StoredSubscription): void {
    this.#byDialog.set(dialogKey(subscription.callId, subscription.localTag, subscription.remoteTag), subscription);
    const watching = this.#byKey.get(subscription.key);
    if (watching) watching.add(subscription);
    else this.#byKey.set(subscription.key, new Set([subscription]));
  }

  expireAt(subscription: StoredSubscription, at: number): void {
    this.#deadlines.set(subscription, at);
  }

  remove(subscription: StoredSubscription): void {
    this.#deadlines.remove(subscription);
    if (!this.has(subscription)) return;
    this.#byDialog.delete(dialogKey(subscription.callId, subscription.localTag, subscription.remoteTag));
    const watching = this.#byKey.get(subscription.key);
    watching?.delete(subscription);
    if (watching?.size === 0) this.#byKey.delete(subscription.key);
  }

  clear(): void {
    this.#deadlines.clear();
    this.#byDialog.clear();
    this.#byKey.clear();
  }
}
