/**
 * Ids that are the same in every document and every run (RFC 3680 section 5.1), so that receivers can follow what they name.
 *
 *   registration   r<node>-<AOR of the bindings, their table, AOR that is told>
 *   contact        c-<registration, binding, Contact URI>
 */
import { createHash } from 'node:crypto';
import type { Binding } from '@pua/core';

/** 64 bits of SHA-256. */
export function hash(...parts: readonly string[]): string {
  return createHash('sha256').update(parts.join('\0')).digest('hex').slice(0, 16);
}

/** What the ids of all registrations that a node tells of begin with: by it they are known when they come back. */
export function nodePrefix(node: string): string {
  return `r${hash(node)}-`;
}

/** One of another node is another one, even for the same AOR: servers put the documents of all publishers together. */
export function registrationId(prefix: string, key: { aor: string; table: string }, toldAor: string): string {
  return prefix + hash(key.aor, key.table, toldAor);
}

/**
 * What tells a contact from the other ones of its AOR: the binding's id, its flow (RFC 5626), or nothing more than its URI.
 * Two URIs are always two contacts, even those that a binding has one after the other.
 */
export function contactKey({ bindingId, instance, regId, contact }: Binding): string {
  const flow = instance !== undefined && regId !== undefined ? `${instance};${regId}` : '';
  return `${bindingId ?? flow}\0${contact}`;
}

export function contactId(registration: string, binding: Binding): string {
  return `c-${hash(registration, contactKey(binding))}`;
}

/** What the keys of a subscription's bindings in the sink begin with: by it they are known after a restart, too. */
export const sinkPrefix = (subscription: string): string => `ri-${hash(subscription)}-`;

/** Key of a contact in the sink. That of a registration is what those of its contacts begin with. */
export function sinkKey(prefix: string, registration: string, contact = ''): string {
  const registrationKey = `${prefix}${hash(registration)}-`;
  return contact === '' ? registrationKey : registrationKey + hash(contact);
}

/** The `sinkPrefix` of a binding; undefined: no subscription has told of it. */
export const prefixOf = ({ origin, bindingId = '' }: Binding): string | undefined =>
  origin === 'reginfo' ? /^ri-[0-9a-f]{16}-/.exec(bindingId)?.[0] : undefined;
