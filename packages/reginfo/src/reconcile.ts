/** What is published from an earlier run, beside what there is now. Pure. */
import type { PuaRecord } from '@pua/core';
import { type RegInfo, type Registration, type RegistrationContact, readRegInfo } from '@pua/documents';
import { GRACE } from './record.js';

/** Seconds: stored times are whole ones. */
const ROUNDING = 2;

/** The document of a publication; undefined when it can't be known (a row taken over from Kamailio has none). */
export function readDocument(record: PuaRecord | undefined): RegInfo | undefined {
  if (!record?.body) return undefined;
  try {
    return readRegInfo(record.body);
  } catch {
    return undefined;
  }
}

/**
 * Nothing to be told: the same AORs with the same contacts, until the same time.
 * @param until milliseconds since 1970; 0: for ever; undefined: nothing is registered
 */
export function isSame(published: RegInfo, now: RegInfo, record: PuaRecord, until: number | undefined): boolean {
  if (published.state !== 'full' || outline(published) !== outline(now)) return false;
  if (until === undefined) return true;
  if (until === 0 || record.desiredExpires === 0) return until === record.desiredExpires;
  return Math.abs(record.desiredExpires - GRACE - until / 1000) <= ROUNDING;
}

const outline = ({ registrations }: RegInfo): string =>
  JSON.stringify(registrations.map(({ id, state, contacts }) => [id, state, activeIds(contacts)]).sort());

const activeIds = (contacts: readonly RegistrationContact[] = []): string[] =>
  contacts
    .filter(({ state }) => state === 'active')
    .map(({ id }) => id)
    .sort();

/** The document, with the contacts that were published as active and are no longer there: nobody saw them end. */
export function withEnded(document: RegInfo, published: RegInfo): RegInfo {
  const before = new Map(published.registrations.map((one) => [one.id, one.contacts ?? []]));
  return { ...document, registrations: document.registrations.map((one) => ended(one, before.get(one.id) ?? [])) };
}

function ended(registration: Registration, before: readonly RegistrationContact[]): Registration {
  const { contacts = [] } = registration;
  const there = new Set(contacts.map(({ id }) => id));
  const over = before.filter(({ id, state }) => state === 'active' && !there.has(id)).map(asExpired);
  return over.length === 0 ? registration : { ...registration, contacts: [...contacts, ...over] };
}

/** Of the ways to end, the one that makes a phone that still wants to be registered do so. */
function asExpired({ expires: _e, ...contact }: RegistrationContact): RegistrationContact {
  return { ...contact, state: 'terminated', event: 'expired' };
}
