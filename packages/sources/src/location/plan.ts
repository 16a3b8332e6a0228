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
const MAX_TEXT = 255;
const MAX_URI = 512;
const MAX_PATH = 2_048;

export const isFault = (planned: readonly Change[] | Fault): planned is Fault => 'fault' in planned;

export function plan(registration: Registration, known: AorBindings | undefined): readonly Change[] | Fault {
  const { contacts, callId, cseq } = registration;
  const long = longText(registration);
  if (long !== undefined) return malformed(long);
  const isLate = ({ binding }: Entry) => binding.callId === callId && cseq <= (binding.cseq ?? -1);
  if (contacts === '*') {
    const entries = known?.entries ?? [];
    return entries.some(isLate) ? OUT_OF_ORDER : entries.map((entry) => ({ entry, update: undefined }));
  }
  if (contacts.length > MAX_VALUES) return { fault: 'too-many-contacts', reason: 'Too Many Contacts' };
  const changes: Asked[] = [];
  for (const contact of contacts) {
    const longHere = longTextOf(contact);
    if (longHere !== undefined) return malformed(longHere);
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

const isLong = (text: string | undefined, limit: number): boolean => text !== undefined && text.length > limit;

/** Name of the first text that is too long. */
function longText({ callId, path, received, userAgent }: Registration): string | undefined {
  if (isLong(callId, MAX_TEXT)) return 'Call-ID';
  if (isLong(path, MAX_PATH)) return 'Path';
  if (isLong(received, MAX_URI)) return 'received';
  return isLong(userAgent, MAX_URI) ? 'User-Agent' : undefined;
}

function longTextOf({ contact, instance, pubGruu, tempGruu, bindingId }: ContactUpdate): string | undefined {
  if (isLong(contact, MAX_URI)) return 'Contact';
  if (isLong(instance, MAX_TEXT)) return 'instance';
  if (isLong(pubGruu, MAX_URI) || isLong(tempGruu, MAX_URI)) return 'GRUU';
  return isLong(bindingId, MAX_TEXT) ? 'bindingId' : undefined;
}
