/** Addresses-of-record as the index of the location service (RFC 3261 10.3, step 5). */

/** Characters of an AOR at most; longer ones are refused. */
export const MAX_AOR = 255;

/** May stand in the user part as it is (RFC 3261 25.1, unreserved and user-unreserved). */
const PLAIN = /[A-Za-z0-9\-_.!~*'()&=+$,;?/]/;
const FOREIGN = /[^A-Za-z0-9\-_.!~*'()&=+$,;?/%]/gu;
const HOST = /^(?:\[[0-9a-f:.]+\]|[a-z0-9._-]+)$/;
const SIP = /^sips?:/i;
const SCHEME = /^[a-z][a-z0-9+.-]*:/i;
/** As most are written: they are not taken apart, since every REGISTER asks for several. */
const CANONICAL = /^[A-Za-z0-9\-_.+]+@[a-z0-9._-]+$/;
const OTHER_URI = /^[a-z][a-z0-9+.-]*:[^\s<>"]+$/;

/**
 * The canonical form: `user@domain`, without scheme, port, password and parameters, the domain in lower case. Characters
 * are unescaped where a URI needs no escape, so that `sip:` before it makes a URI again. A URI of another scheme than sip
 * and sips (`tel:`) stays a URI. undefined: it can't be an AOR.
 * @param useDomain false: `user` alone
 */
export function canonicalAor(uri: string, useDomain = true): string | undefined {
  const aor = addressOf(uri, useDomain);
  return aor === undefined || aor === '' || aor.length > MAX_AOR ? undefined : aor;
}

function addressOf(uri: string, useDomain: boolean): string | undefined {
  const isSip = SIP.test(uri);
  if (!isSip && SCHEME.test(uri)) {
    const other = uri.split(/[;?]/, 1)[0]!.toLowerCase();
    return OTHER_URI.test(other) ? other : undefined;
  }
  const rest = isSip ? uri.slice(uri.indexOf(':') + 1) : uri;
  const at = rest.lastIndexOf('@');
  if (CANONICAL.test(rest)) return useDomain ? rest : rest.slice(0, at);
  if (at < 0 && !isSip) return userOf(rest);
  const host = hostOf(rest, at + 1);
  if (!HOST.test(host)) return undefined;
  if (at < 0) return host;
  const colon = isSip ? rest.indexOf(':') : -1;
  const user = userOf(rest.slice(0, colon < 0 || colon > at ? at : colon));
  return user === undefined || user === '' ? undefined : useDomain ? `${user}@${host}` : user;
}

/** One spelling for one user: escaped is what must be, and nothing else. */
function userOf(text: string): string | undefined {
  if (/^[A-Za-z0-9\-_.+]*$/.test(text)) return text;
  try {
    return text
      .replace(/%[0-9a-f]{2}/gi, (escaped) => {
        const char = String.fromCharCode(Number.parseInt(escaped.slice(1), 16));
        return PLAIN.test(char) ? char : escaped.toUpperCase();
      })
      .replace(/%(?![0-9A-F]{2})/g, '%25')
      .replace(FOREIGN, encodeURIComponent);
  } catch {
    // Half a character.
    return undefined;
  }
}

/** Host in lower case, without port and what follows; an IPv6 address with its brackets. */
function hostOf(text: string, start: number): string {
  const bracket = text.charCodeAt(start) === 0x5b ? text.indexOf(']', start) : start;
  let end = bracket < 0 ? text.length : bracket;
  for (; end < text.length; end++) {
    const c = text[end];
    if (c === ':' || c === ';' || c === '?') break;
  }
  return text.slice(start, end).toLowerCase();
}
