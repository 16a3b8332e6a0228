/** What a REGISTER makes of a contact: the binding, and its identities. */
import { hash } from 'node:crypto';
import type { Binding } from '@pua/core';
import type { AorBindings } from './entry.js';
import type { ContactUpdate, Registration } from './registration.js';

export type Writable<T> = { -readonly [K in keyof T]: T[K] };

const DEFAULT_TABLE = 'location';
/** Identities that name the AOR already. */
const OWN = 'b-';

/** Field by field: an object that is put together from others costs several times as much. */
export function bound(
  of: AorBindings,
  update: ContactUpdate,
  registration: Registration,
  previous: Binding | undefined,
  now: number,
): Binding {
  const { q, instance, regId, params, pubGruu, tempGruu } = update;
  const { received, path, userAgent, origin } = registration;
  const binding: Writable<Binding> = {
    aor: of.aor,
    contact: kept(update.contact, previous?.contact),
    bindingId: previous?.bindingId ?? update.bindingId ?? bindingIdOf(of, update),
    expiresAt: update.expires === Number.POSITIVE_INFINITY ? 0 : now + update.expires * 1000,
    callId: kept(registration.callId, previous?.callId),
    cseq: registration.cseq,
    registeredAt: previous?.registeredAt ?? now,
  };
  if (of.table !== undefined) binding.table = of.table;
  if (q !== undefined) binding.q = q;
  if (instance !== undefined) binding.instance = instance;
  if (regId !== undefined) binding.regId = regId;
  if (params !== undefined) binding.params = params;
  if (pubGruu !== undefined) binding.pubGruu = pubGruu;
  if (tempGruu !== undefined) binding.tempGruu = tempGruu;
  if (received !== undefined) binding.received = kept(received, previous?.received);
  if (path !== undefined) binding.path = kept(path, previous?.path);
  if (userAgent !== undefined) binding.userAgent = kept(userAgent, previous?.userAgent);
  if (origin !== undefined) binding.origin = origin;
  return binding;
}

/** A refresh says the same again: one text that lives long instead of one each time. */
const kept = (text: string, before: string | undefined): string => (text === before ? before : text);

/** Stable as long as the binding lives: the flow, else the address and the contact it began with. */
export function bindingIdOf(
  of: AorBindings,
  { instance, regId, contact }: Pick<Binding, 'instance' | 'regId' | 'contact'>,
): string {
  if (instance !== undefined && regId !== undefined) return `${instance};${regId}`;
  // A flow may have kept the identity of the contact that it began as.
  for (let n = 0; ; n++) {
    const id = `${OWN}${digest(n === 0 ? `${of.key}\0${contact}` : `${of.key}\0${contact}\0${n}`)}`;
    if (!of.entries.some(({ binding }) => binding.bindingId === id)) return id;
  }
}

/** Key of its row: one phone may register its flow for several AORs. */
export function rowKeyOf(of: AorBindings, bindingId: string): string {
  return bindingId.startsWith(OWN) ? bindingId : digest(`${of.key}\0${bindingId}`);
}

/** Place of an AOR among all. */
export const tableKeyOf = (aor: string, table: string | undefined): string =>
  table === undefined || table === DEFAULT_TABLE ? aor : `${table} ${aor}`;

/** 32 characters that nobody makes two texts of: 128 bits of SHA-256. */
const digest = (text: string): string => hash('sha256', text).slice(0, 32);
