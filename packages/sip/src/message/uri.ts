/** SIP URIs and name-addr (RFC 3261 19.1, 20.10). Reading gives undefined for what can't be read; nothing throws. */
import { Parameters, skipQuoted, skipSpace, unquote } from './parameters.js';

export interface SipUri {
  readonly scheme: 'sip' | 'sips';
  /** As written, escapes kept; without password. */
  readonly user?: string;
  readonly password?: string;
  /** An IPv6 address without brackets. */
  readonly host: string;
  readonly port?: number;
  readonly parameters: Parameters;
  /** What follows `?`, as written. */
  readonly headers?: string;
}

export interface NameAddr {
  /** Display name without quotes. */
  readonly display?: string;
  /** The URI byte for byte. */
  readonly uri: string;
  /** Header parameters, such as `tag`. */
  readonly parameters: Parameters;
}

const HOST = /^(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9._-]+))(?::([0-9]{1,5}))?$/;

/** The port that stands there; undefined when it is none. */
export function portOf(text: string, start: number, end: number): number | undefined {
  if (end - start > 5) return undefined;
  let port = 0;
  for (let at = start; at < end; at++) {
    const digit = text.charCodeAt(at) - 0x30;
    if (digit < 0 || digit > 9) return undefined;
    port = port * 10 + digit;
  }
  return port > 0 && port < 65536 ? port : undefined;
}

/** Reads `host`, `host:port`, `[v6]`, `[v6]:port`. */
export function parseHostPort(text: string): { host: string; port?: number } | undefined {
  const match = HOST.exec(text);
  if (!match) return undefined;
  const host = (match[1] ?? match[2])!;
  if (match[3] === undefined) return { host };
  const port = portOf(match[3], 0, match[3].length);
  return port === undefined ? undefined : { host, port };
}

/** An IPv6 address in brackets, anything else as it is. */
export function bracketed(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}

export function parseUri(text: string): SipUri | undefined {
  const colon = text.indexOf(':');
  const scheme = text.slice(0, colon).toLowerCase();
  if (scheme !== 'sip' && scheme !== 'sips') return undefined;
  // An @ may stand unescaped in one place only, after the user; that one may itself hold ; and ?.
  const at = text.indexOf('@', colon);
  const hostStart = (at < 0 ? colon : at) + 1;
  if (at === colon + 1) return undefined;
  const query = text.indexOf('?', hostStart);
  const stop = query < 0 ? text.length : query;
  const semicolon = text.indexOf(';', hostStart);
  const hostEnd = semicolon < 0 || semicolon > stop ? stop : semicolon;
  const address = parseHostPort(text.slice(hostStart, hostEnd));
  if (!address) return undefined;
  const user = at < 0 ? '' : text.slice(colon + 1, at);
  const secret = user.indexOf(':');
  return {
    scheme,
    ...(at < 0 ? {} : { user: secret < 0 ? user : user.slice(0, secret) }),
    ...(secret < 0 ? {} : { password: user.slice(secret + 1) }),
    ...address,
    parameters: Parameters.read(text.slice(hostEnd, stop)),
    ...(query < 0 ? {} : { headers: text.slice(query + 1) }),
  };
}

/** Where the parts of a name-addr or addr-spec stand (RFC 3261 20.10), white space around them left out. */
export interface AddressSpan {
  readonly displayEnd: number;
  readonly uriStart: number;
  readonly uriEnd: number;
  /** At the first semicolon after the address, or where the text ends. */
  readonly parameters: number;
}

/**
 * Finds the parts of `["display"] <uri>;params` or `uri;params`; undefined for unbalanced quotes or brackets, and for a
 * URI with `?` that is not in brackets: nobody can tell whose parameters follow it.
 */
export function addressSpan(text: string, start: number, end: number): AddressSpan | undefined {
  const first = skipSpace(text, start, end);
  let at = first;
  if (text.charCodeAt(at) === 0x22) {
    at = skipQuoted(text, at, end);
    if (at < 0) return undefined;
  }
  for (; at < end; at++) {
    const code = text.charCodeAt(at);
    if (code === 0x3c) {
      const close = text.indexOf('>', at);
      if (close < 0 || close >= end) return undefined;
      const uriStart = skipSpace(text, at + 1, close);
      const uriEnd = beforeSpace(text, uriStart, close);
      if (uriEnd === uriStart) return undefined;
      return { displayEnd: beforeSpace(text, first, at), uriStart, uriEnd, parameters: close + 1 };
    }
    if (code === 0x22) return undefined;
    // Without brackets every parameter belongs to the header field, not to the URI.
    if (code === 0x3b) break;
  }
  const uriEnd = beforeSpace(text, first, at);
  const colon = text.indexOf(':', first);
  const query = text.indexOf('?', first);
  if (colon <= first || colon >= uriEnd || (query >= 0 && query < uriEnd)) return undefined;
  return { displayEnd: first, uriStart: first, uriEnd, parameters: at };
}

/** Where the white space before `at` begins; not before `start`. */
function beforeSpace(text: string, start: number, at: number): number {
  let end = at;
  while (end > start && text.charCodeAt(end - 1) <= 0x20) end--;
  return end;
}

export function parseNameAddr(text: string): NameAddr | undefined {
  const span = addressSpan(text, 0, text.length);
  if (!span) return undefined;
  const display = text.slice(0, span.displayEnd).trim();
  return {
    ...(display ? { display: unquote(display) } : {}),
    uri: text.slice(span.uriStart, span.uriEnd),
    parameters: Parameters.read(text.slice(span.parameters)),
  };
}

/** Escapes what may not stand in the user part of a SIP URI (RFC 3261 19.1.2, 25.1), `%` included. */
export function escapeUser(user: string): string {
  return user.replace(/[^A-Za-z0-9\-_.!~*'()&=+$,;?/]+/gu, (run) =>
    [...Buffer.from(run, 'utf8')].map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join(''),
  );
}
