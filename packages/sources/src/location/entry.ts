/** One binding in the table, and those of one AOR. */
import type { Binding, BindingHints, Scheduled } from '@pua/core';
import type { StoredBinding } from './store.js';
import { sameUri } from './uri.js';

export class Entry implements Scheduled, StoredBinding {
  deadline = Number.POSITIVE_INFINITY;
  scheduleIndex = -1;

  constructor(
    readonly of: AorBindings,
    readonly key: string,
    public binding: Binding,
    public hints: BindingHints,
    /** Subscription to `reg` that told it; undefined: by a REGISTER. */
    public owner: string | undefined,
  ) {}
}

/** What tells a contact from the other ones of its AOR. */
export type ContactIdentity = Pick<Binding, 'contact' | 'instance' | 'regId' | 'bindingId'>;

export class AorBindings {
  /** In the order in which they came. Made anew with each change: most have one, an array that grew has place for 17. */
  entries: readonly Entry[] = [];

  constructor(
    readonly key: string,
    readonly aor: string,
    readonly table: string | undefined,
  ) {}

  list(): readonly Binding[] {
    return this.entries.map((entry) => entry.binding);
  }

  find(contact: ContactIdentity): Entry | undefined {
    let there: Entry | undefined;
    for (const entry of this.entries) {
      if (isSameIdentity(entry.binding, contact)) return entry;
      if (!there && isSamePlace(entry.binding, contact)) there = entry;
    }
    return there;
  }

  add(entry: Entry): void {
    this.entries = this.entries.concat(entry);
  }

  remove(entry: Entry): void {
    this.entries = this.entries.filter((other) => other !== entry);
  }
}

/** A flow (instance and reg-id) is the same whatever its URI is (RFC 5626 section 6). */
export function isSameIdentity(known: ContactIdentity, given: ContactIdentity): boolean {
  if (given.bindingId !== undefined && given.bindingId === known.bindingId) return true;
  return isFlow(known) && isFlow(given) && known.regId === given.regId && sameUrn(known.instance!, given.instance!);
}

/** Two flows are never the same by their URI; a phone that begins or ceases to use flows keeps its binding. */
export function isSamePlace(known: ContactIdentity, given: ContactIdentity): boolean {
  return !(isFlow(known) && isFlow(given)) && sameUri(known.contact, given.contact);
}

const isFlow = (contact: ContactIdentity): boolean => contact.regId !== undefined && contact.instance !== undefined;
const sameUrn = (one: string, other: string): boolean => one === other || one.toLowerCase() === other.toLowerCase();
