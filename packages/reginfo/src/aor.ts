/** Addresses-of-record as sources have them, and the URIs that documents and requests name them by. */
import { addressUri, PuaError } from '@pua/core';

/** Characters that must be escaped in a user part (RFC 3261 25.1), and a `%` that escapes nothing. */
const FOREIGN = /%(?![0-9a-f]{2})|[^A-Za-z0-9\-_.!~*'()&=+$,;?/%]/giu;
const SCHEME = /^(?:sips?|tel|pres|im):/i;

/**
 * URI of an AOR: `user`, `user@domain`, empty, or a URI (which stays as it is, in angle brackets or not).
 * @throws PuaError `PUA_ERR_OPTION` for one without domain when there is no default
 */
export function aorUri(aor: string, defaultDomain: string | null): string {
  const bare = aor.startsWith('<') ? addressUri(aor) : aor;
  if (SCHEME.test(bare)) return bare;
  const at = bare.lastIndexOf('@');
  const domain = at < 0 ? defaultDomain : bare.slice(at + 1);
  if (domain === null) {
    throw new PuaError(
      'PUA_ERR_OPTION',
      `reginfo: the AOR ${JSON.stringify(aor)} has no domain; set defaultDomain (default_domain)`,
    );
  }
  const user = at < 0 ? bare : bare.slice(0, at);
  return user === '' ? `sip:${domain}` : `sip:${user.replace(FOREIGN, escaped)}@${domain}`;
}

const escaped = (char: string) => Buffer.from(char).toString('hex').toUpperCase().replace(/../g, '%$&');

/**
 * What a store goes by: `user@host`, or `user` alone when it uses no domains. A URI of another scheme is its own key.
 * undefined: it can't be an AOR.
 */
export function storeKey(uri: string, useDomain: boolean): string | undefined {
  if (/^tel:./i.test(uri)) return uri;
  const found = /^sips?:(?:([^@]*)@)?(\[[^\]]+\]|[^:;?@]+)/i.exec(uri);
  if (!found) return undefined;
  const user = found[1]?.replace(/:.*/s, '') ?? '';
  const host = found[2]!.toLowerCase();
  if (!useDomain) return user;
  return user === '' ? host : `${user}@${host}`;
}
