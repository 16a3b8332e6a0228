/** A contact of a document -> the binding that a sink gets. Pure. */
import type { Binding } from '@pua/core';
import type { RegistrationContact } from '@pua/documents';
import { bindingParams } from './params.js';

export interface ContactPlace {
  /** AOR as the sink has it, location table, key of the contact there. */
  readonly aor: string;
  readonly table: string | undefined;
  readonly key: string;
  /** Wall time, milliseconds since 1970. */
  readonly now: number;
  /** Seconds left of the subscription: how long a contact is known that says nothing of its own time. */
  readonly remaining: number;
}

export function bindingOf(contact: RegistrationContact, place: ContactPlace): Binding {
  const { id, uri, expires = place.remaining, callId = id, cseq, q, durationRegistered, params, compat = {} } = contact;
  const { pubGruu, tempGruu } = contact;
  return {
    aor: place.aor,
    ...(place.table === undefined ? {} : { table: place.table }),
    bindingId: place.key,
    contact: uri,
    expiresAt: place.now + expires * 1000,
    callId,
    ...(cseq === undefined ? {} : { cseq }),
    ...(q === undefined ? {} : { q }),
    ...compat,
    ...(durationRegistered === undefined ? {} : { registeredAt: place.now - durationRegistered * 1000 }),
    ...bindingParams(params),
    ...(pubGruu === undefined ? {} : { pubGruu }),
    ...(tempGruu === undefined ? {} : { tempGruu: tempGruu.uri }),
    origin: 'reginfo',
  };
}

/** Of a contact that has run out nothing is left, whatever its state says. */
export const isOver = ({ state, expires }: RegistrationContact): boolean => state === 'terminated' || expires === 0;

/**
 * Has it been registered here? Then it comes back to us by way of another server, and is not news: the same contact with the
 * same Call-ID, and no later REGISTER.
 */
export function isEcho(contact: RegistrationContact, local: readonly Binding[]): boolean {
  const { uri, callId, cseq = 0 } = contact;
  return local.some((one) => one.contact === uri && one.callId === callId && (one.cseq ?? 0) >= cseq);
}
