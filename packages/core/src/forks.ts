/**
 * Dialogs beside the first one of a SUBSCRIBE that a proxy has forked (RFC 6665 5.4.9):
 *
 *   SUBSCRIBE ->     NOTIFY From tag=A <-     the record's own dialog
 *                    NOTIFY From tag=B <-     a fork: a record of its own, refreshed and ended by itself
 */
import type { SubscriptionRecord } from './subscription/record.js';

/** More NOTIFYs of other notifiers to one SUBSCRIBE than this are answered 481. */
const MAX_FORKS = 32;

export class Forks {
  /** Call-ID -> remote tag -> fork */
  readonly #byDialog = new Map<string, Map<string, SubscriptionRecord>>();
  /** Key of the record they branched off -> forks */
  readonly #byOrigin = new Map<string, Set<SubscriptionRecord>>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  find(callId: string, remoteTag: string): SubscriptionRecord | undefined {
    return this.#byDialog.get(callId)?.get(remoteTag);
  }

  all(): SubscriptionRecord[] {
    return [...this.#byDialog.values()].flatMap((tags) => [...tags.values()]);
  }

  isFull(callId: string): boolean {
    return (this.#byDialog.get(callId)?.size ?? 0) >= MAX_FORKS;
  }

  /** Those that branched off a record. */
  of(key: string): readonly SubscriptionRecord[] {
    const found = this.#byOrigin.get(key);
    return found ? [...found] : [];
  }

  add(fork: SubscriptionRecord, callId: string): void {
    const { origin, remoteTag } = fork.settings.fork!;
    into(this.#byDialog, callId, () => new Map<string, SubscriptionRecord>()).set(remoteTag, fork);
    into(this.#byOrigin, origin, () => new Set<SubscriptionRecord>()).add(fork);
    this.#size++;
  }

  remove(fork: SubscriptionRecord, callId: string): void {
    const { origin, remoteTag } = fork.settings.fork!;
    const tags = this.#byDialog.get(callId);
    if (tags?.get(remoteTag) !== fork) return;
    tags.delete(remoteTag);
    if (tags.size === 0) this.#byDialog.delete(callId);
    const siblings = this.#byOrigin.get(origin);
    siblings?.delete(fork);
    if (siblings?.size === 0) this.#byOrigin.delete(origin);
    this.#size--;
  }
}

function into<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = make();
  map.set(key, made);
  return made;
}
