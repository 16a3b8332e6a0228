/** Who a binding is: the presentity it tells about, the id of its publication, the id of its tuple. Pure. */
import { hash } from 'node:crypto';
import { type Binding, type BindingOrigin, PuaError } from '@pua/core';

/** Prefix of the ids of our publications, as in Kamailio. */
const PREFIX = 'UL_PUBLISH.';
/** Id of the publication of an AOR in aggregate mode. */
export const AGGREGATE_ID = `${PREFIX}aor`;

const FULL_URI = /^(?:sips?|tel|pres|im):/i;
/** RFC 3261 25.1, user: unreserved, user-unreserved; an escape that is there already stays as it is. */
const NO_USER = /%(?![0-9A-Fa-f]{2})|[^\w.!~*'()&=+$,;?/%-]+/g;
const NO_URI = /[^\x21\x23-\x3b\x3d\x3f-\x7e]+/g;

/**
 * `user` -> sip:user@default, `user@domain` -> sip:user@domain, a full URI keeps its scheme. AORs are stored unescaped
 * (a user part may hold anything), URIs are not.
 * @throws PuaError `PUA_ERR_OPTION`: it has no domain and there is no default_domain; `PUA_ERR_ARGUMENT`: it has no user
 */
export function presentityUri(aor: string, defaultDomain: string | null): string {
  if (FULL_URI.test(aor)) return asUri(aor);
  const at = aor.lastIndexOf('@');
  const user = at < 0 ? aor : aor.slice(0, at);
  if (user === '') throw new PuaError('PUA_ERR_ARGUMENT', `AOR ${JSON.stringify(aor)} has no user part`);
  const domain = at < 0 ? defaultDomain : aor.slice(at + 1);
  if (domain !== null) return `sip:${user.replace(NO_USER, escaped)}@${domain}`;
  throw new PuaError(
    'PUA_ERR_OPTION',
    `AOR ${JSON.stringify(aor)} has no domain and is not published; set defaultDomain (default_domain)`,
  );
}

/** What no URI may hold is escaped. */
export function asUri(text: string): string {
  return text.replace(NO_URI, escaped);
}

const UTF8 = new TextEncoder();

function escaped(text: string): string {
  return Array.from(UTF8.encode(text), (byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join('');
}

/** Stable as long as the binding lives, over restarts and a new Call-ID, too. */
export function identityOf({ bindingId, instance, regId, aor, contact, callId }: Binding): string {
  if (bindingId) return bindingId;
  if (instance && regId !== undefined) return `${instance};${regId}`;
  return digest(`${aor}\n${contact || callId}`);
}

/** The column holds 255 characters. */
const PLAIN = /^[\x20-\x7e]{1,244}$/;

/** Kamailio has the Call-ID in the place of the identity. */
export function publicationId(identity: string): string {
  return PREFIX + (PLAIN.test(identity) ? identity : digest(identity));
}

/**
 * An xs:ID: a letter first. A hash, as it is no watcher's business which device it is; with the AOR in it, so that
 * watchers of two users do not see that they share a phone.
 */
export function tupleId(binding: Binding): string {
  return `b-${digest(`${binding.aor}\n${identityOf(binding)}`)}`;
}

/** Others are published where they were made. */
export function isLocal(origin: BindingOrigin = 'local'): boolean {
  return origin === 'local';
}

function digest(text: string): string {
  return hash('sha256', text, 'hex').slice(0, 20);
}
