/** What a REGISTER changes, decided before anything is changed (RFC 3261 10.3, steps 6 and 7). */
import { type AorBindings, type Entry, isSameIdentity, isSamePlace } from './entry.js';
import type { ContactUpdate, Registration, RegistrationFault } from './registration.js';

/** A binding that comes (no `entry`), is refreshed, or ends (no `update`). */
export interface Change {
  readonly entry: Entry | undefined;
  readonly update: ContactUpdate | undefined;
}

interface Asked extends Change {
  readonly contact: ContactUpdate;
}

export interface Fault {
  readonly fault: RegistrationFault;
  readonly reason: string;
}

/** Values of one Contact header field that are looked at; each is compared with the others. */
export const MAX_VALUES = 100;
/** Longest texts that are kept, characters. */
const LIMITS = { callId: 255, path: 2_048, received: 255, userAgent: 512 } as const;
const CONTACT_LIMITS = { contact: 512, instance: 255, pubGruu: 512, tempGruu: 512, bindingId: 255 } as const;

export const isFault = (planned: readonly Change[] | Fault): planned is Fault => 'fault' in planned;

export function plan(registration: Registration, known: AorBindings | undefined): readonly Change[] | Fault {
  const { contacts, callId, cseq } = registration;
  const long = tooLong(registration, LIMITS);
  if (long !== undefined) return malformed(long);
  const isLate = ({ binding }: Entry) => binding.callId === callId && cseq <= (binding.cseq ?? -1);
  if (contacts === '*') {
    const entries = known?.entries ?? [];
    return entries.some(isLate) ? OUT_OF_ORDER : entries.map((entry) => ({ entry, update: undefined }));
  }
  if (contacts.length > MAX_VALUES) return { fault: 'too-many-contacts', reason: 'Too Many Contacts' };
  const changes: Asked[] = [];
  for (const contact of contacts) {
    const tooLongHere = tooLong(contact, CONTACT_LIMITS);
    if (tooLongHere !== undefined) return malformed(tooLongHere);
    const entry = known?.find(contact);
    if (entry && isLate(entry)) return OUT_OF_ORDER;
    const change = { entry, contact, update: contact.expires > 0 ? contact : undefined };
    const twice = changes.findIndex((earlier) => isTwice(earlier, change));
    // Who says the same contact twice means what he says last.
    if (twice < 0) changes.push(change);
    else changes[twice] = change;
  }
  return changes.filter(({ entry, update }) => entry ?? update);
}

const isTwice = (one: Asked, other: Asked): boolean =>
  other.entry
    ? one.entry === other.entry
    : !one.entry && (isSameIdentity(one.contact, other.contact) || isSamePlace(one.contact, other.contact));

const OUT_OF_ORDER: Fault = { fault: 'out-of-order', reason: 'CSeq Out Of Order' };

const malformed = (field: string): Fault => ({ fault: 'malformed', reason: `Too Long: ${field}` });

/** Name of the first text that is longer than its limit. */
function tooLong(texts: object, limits: Readonly<Record<string, number>>): string | undefined {
  for (const name in limits) {
    const text = (texts as Readonly<Record<string, string | undefined>>)[name];
    if (text !== undefined && text.length > limits[name]!) return name;
  }
  return undefined;
}
