/** All records of a Pua: by key, by Call-ID, and counted by state. */
import { Forks } from './forks.js';
import type { AnyRecord } from './record.js';
import type { SubscriptionRecord } from './subscription/record.js';

export class Records {
  readonly #byKey = new Map<string, AnyRecord>();
  /** Call-ID -> subscription: ours are unique. */
  readonly #dialogs = new Map<string, SubscriptionRecord>();
  readonly forks = new Forks();
  readonly #census = { publication: new Map<string, number>(), subscription: new Map<string, number>() };

  get size(): number {
    return this.#byKey.size;
  }

  get dialogs(): number {
    return this.#dialogs.size + this.forks.size;
  }

  get(key: string): AnyRecord | undefined {
    return this.#byKey.get(key);
  }

  add(record: AnyRecord): void {
    this.#byKey.set(record.key, record);
  }

  remove(record: AnyRecord): void {
    if (this.#byKey.get(record.key) === record) this.#byKey.delete(record.key);
  }

  all(): IterableIterator<AnyRecord> {
    return this.#byKey.values();
  }

  /** A subscription has opened a dialog, or dropped the one it had. */
  readonly indexed = (record: SubscriptionRecord, callId: string, before: string): void => {
    if (record.settings.fork) {
      if (before !== '') this.forks.remove(record, before);
      if (callId !== '') this.forks.add(record, callId);
      return;
    }
    if (before !== '' && this.#dialogs.get(before) === record) this.#dialogs.delete(before);
    if (callId === '') return;
    this.#dialogs.set(callId, record);
    // The SUBSCRIBE that opens the new dialog is forked anew: what the old one has left would be there twice.
    for (const fork of this.forks.of(record.key)) if (fork.state.callId !== callId) fork.end();
  };

  /**
   * A dialog is found by Call-ID and our tag (RFC 6665 4.4.1); the remote one tells forks apart, and whoever has no fork
   * of that tag is the record itself.
   */
  dialog(callId: string, localTag: string, remoteTag: string): SubscriptionRecord | undefined {
    const record = this.forks.find(callId, remoteTag) ?? this.#dialogs.get(callId);
    return record?.state.localTag === localTag ? record : undefined;
  }

  /** The engine has lost what the NOTIFYs of these dialogs depend on: rare, so it may look at every record. */
  unbound(binding: string): void {
    const lost = [...this.#dialogs.values(), ...this.forks.all()].filter(({ state }) => state.binding === binding);
    for (const record of lost) record.receive({ kind: 'unbound' });
  }

  /** A record is counted from its first turn until it has ended. */
  moved(kind: AnyRecord['kind'], from: string, to: string): void {
    const counts = this.#census[kind];
    if (from !== 'absent' && from !== 'ended') counts.set(from, counts.get(from)! - 1);
    if (to !== 'ended') counts.set(to, (counts.get(to) ?? 0) + 1);
  }

  census(kind: AnyRecord['kind']): ReadonlyMap<string, number> {
    return this.#census[kind];
  }
}
