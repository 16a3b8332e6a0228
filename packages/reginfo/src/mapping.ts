/** What is known of an AOR -> its document. Pure. */
import type { Binding, BindingEvent } from '@pua/core';
import type { RegInfo, Registration, RegistrationContact, RegistrationEvent } from '@pua/documents';
import { contactId, contactKey } from './ids.js';
import type { ReginfoProfile } from './options.js';
import { writeParams } from './params.js';

/** What happened to one contact. */
export type Change = Pick<BindingEvent, 'kind' | 'binding' | 'hints'>;

export interface Picture {
  /** The AORs that have these bindings, with their ids. */
  readonly registrations: readonly { readonly aor: string; readonly id: string }[];
  /** What liveBindings() gave. */
  readonly live: readonly Binding[];
  /** Since the last document, in their order. */
  readonly changes: readonly Change[];
  /** Wall time, milliseconds since 1970. */
  readonly now: number;
  readonly profile: ReginfoProfile;
  readonly compat: boolean;
  /** Only what has changed. */
  readonly partial: boolean;
}

export const isLocal = ({ origin = 'local' }: Binding): boolean => origin === 'local';

const isValid = ({ expiresAt }: Binding, now: number): boolean => expiresAt === 0 || expiresAt > now;

/**
 * An event as what it does to contacts: with another URI it is another contact, and the former one is over. One that was
 * learned elsewhere was none of ours before.
 */
export function changesOf({ kind, binding, previous, hints }: BindingEvent): Change[] {
  const change = hints === undefined ? { kind, binding } : { kind, binding, hints };
  if (kind !== 'update' || previous === undefined) return [change];
  if (!isLocal(previous)) return [{ ...change, kind: 'insert' }];
  if (previous.contact === binding.contact) return [change];
  return [
    { kind: 'delete', binding: previous },
    { ...change, kind: 'insert' },
  ];
}

/** The local bindings that are there after the changes, whatever the source says of those that have just ended. */
export function liveBindings(bindings: readonly Binding[], changes: readonly Change[]): Binding[] {
  const last = lastChanges(changes);
  return bindings.filter((one) => isLocal(one) && !hasEnded(last.get(contactKey(one))));
}

/** Milliseconds since 1970 until which something is registered; 0: for ever; undefined: nothing is. */
export function registeredUntil(live: readonly Binding[], now: number): number | undefined {
  const ends = live.filter((one) => isValid(one, now)).map(({ expiresAt }) => expiresAt);
  return ends.length === 0 ? undefined : ends.includes(0) ? 0 : Math.max(...ends);
}

const lastChanges = (changes: readonly Change[]) =>
  new Map(changes.map((change) => [contactKey(change.binding), change]));

const hasEnded = (change: Change | undefined): boolean => change?.kind === 'delete' || change?.kind === 'expire';

export function regInfo(picture: Picture): RegInfo {
  return {
    version: 0,
    state: picture.partial ? 'partial' : 'full',
    registrations: picture.registrations.map((registration) => registrationOf(registration, picture)),
  };
}

function registrationOf({ aor, id }: { aor: string; id: string }, picture: Picture): Registration {
  const { live, changes, now, profile, partial } = picture;
  const last = lastChanges(changes);
  const contacts = new Map<string, RegistrationContact>();
  const list = (contact: RegistrationContact) => contacts.set(contact.id, contact);
  for (const binding of live) {
    const key = contactId(id, binding);
    const change = last.get(contactKey(binding));
    if (partial && !change) continue;
    if (isValid(binding, now)) list(activeContact(key, binding, eventOf(change, profile), picture));
    else if (profile === 'opensips') list(endedContact(key, { kind: 'expire', binding }, picture));
  }
  for (const change of last.values()) {
    if (hasEnded(change)) list(endedContact(contactId(id, change.binding), change, picture));
  }
  const state = registeredUntil(live, now) === undefined ? 'terminated' : 'active';
  return { aor, id, state, ...(contacts.size === 0 ? {} : { contacts: [...contacts.values()] }) };
}

function eventOf(change: Change | undefined, profile: ReginfoProfile): RegistrationEvent {
  if (change?.kind === 'update') return 'refreshed';
  return change !== undefined && profile === 'kamailio' ? 'created' : 'registered';
}

function activeContact(id: string, binding: Binding, event: RegistrationEvent, picture: Picture): RegistrationContact {
  const { expiresAt } = binding;
  const expires = expiresAt === 0 ? {} : { expires: Math.ceil((expiresAt - picture.now) / 1000) };
  return { id, state: 'active', event, ...expires, ...fields(binding, picture) };
}

/** Without `expires`, which is only meant for active contacts (RFC 3680 section 5.1). */
function endedContact(id: string, change: Change, picture: Picture): RegistrationContact {
  return { id, state: 'terminated', ...endOf(change), ...fields(change.binding, picture) };
}

function endOf({ kind, hints }: Change): Pick<RegistrationContact, 'event' | 'retryAfter'> {
  if (kind === 'expire') return { event: 'expired' };
  const { reason = 'unregistered', retryAfter } = hints ?? {};
  if (reason !== 'probation') return { event: reason };
  // Both invite to register again: probation says when, and must (RFC 3680 section 5.1).
  return retryAfter === undefined ? { event: 'deactivated' } : { event: reason, retryAfter };
}

/** A temporary GRUU is only for those who may register (RFC 5628 section 5): not for all who may watch. */
function fields(binding: Binding, picture: Picture): Pick<RegistrationContact, 'uri'> & Partial<RegistrationContact> {
  const { contact, q, callId, cseq, registeredAt, pubGruu } = binding;
  const params = writeParams(binding);
  const compat = picture.compat ? compatOf(binding, picture.profile) : undefined;
  return {
    uri: contact,
    ...(registeredAt === undefined
      ? {}
      : { durationRegistered: Math.max(0, Math.floor((picture.now - registeredAt) / 1000)) }),
    ...(q === undefined ? {} : { q }),
    ...(callId === undefined ? {} : { callId }),
    ...(cseq === undefined ? {} : { cseq }),
    ...(params.length === 0 ? {} : { params }),
    ...(pubGruu === undefined ? {} : { pubGruu }),
    ...(compat ? { compat } : {}),
  };
}

/** Kamailio writes them empty, too; OpenSIPS leaves those out. */
function compatOf({ received, path, userAgent }: Binding, profile: ReginfoProfile): RegistrationContact['compat'] {
  if (profile === 'kamailio') return { received: received ?? '', path: path ?? '', userAgent: userAgent ?? '' };
  return { ...(received ? { received } : {}), ...(path ? { path } : {}), ...(userAgent ? { userAgent } : {}) };
}
