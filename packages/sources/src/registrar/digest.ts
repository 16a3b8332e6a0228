/** The server's side of HTTP Digest in SIP (RFC 3261 22, RFC 7616, RFC 8760): what a request says, and is it right? */
import { hash, timingSafeEqual } from 'node:crypto';

const HASHES = { MD5: 'md5', 'SHA-256': 'sha256', 'SHA-512-256': 'sha512-256' } as const;

export type RegistrarAlgorithm = keyof typeof HASHES;
export const REGISTRAR_ALGORITHMS = Object.keys(HASHES) as readonly RegistrarAlgorithm[];

/** What an Authorization header field says. */
export interface DigestResponse {
  readonly username: string;
  readonly realm: string;
  readonly nonce: string;
  readonly uri: string;
  readonly response: string;
  /** undefined: one we don't know. */
  readonly algorithm: RegistrarAlgorithm | undefined;
  /** `''`: none, as in RFC 2069. */
  readonly qop: string;
  readonly nc: string;
  readonly cnonce: string;
}

/** What is known of a user: the password, or the hash of `username:realm:password` by MD5. */
export interface Secret {
  readonly password?: string | undefined;
  readonly ha1?: string | undefined;
}

/** undefined: another scheme, or something that must be there is not. */
export function parseDigest(value: string): DigestResponse | undefined {
  const scheme = /^\s*Digest\s/i.exec(value);
  if (!scheme) return undefined;
  const fields = new Map<string, string>();
  // The comma and the white space behind it are one group: else white space alone would take quadratic time.
  const field = /\s*(?:,\s*)?([!#$%&'*+.^_`|~\w-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]*))/y;
  field.lastIndex = scheme[0].length;
  for (let match = field.exec(value); match; match = field.exec(value)) {
    const [, name, quoted, plain] = match;
    fields.set(name!.toLowerCase(), quoted === undefined ? plain! : quoted.replace(/\\(.)/g, '$1'));
  }
  const text = (name: string) => fields.get(name) ?? '';
  if (['username', 'realm', 'nonce', 'uri', 'response'].some((name) => !fields.has(name))) return undefined;
  const algorithm = (fields.get('algorithm') ?? 'MD5').toUpperCase();
  return {
    username: text('username'),
    realm: text('realm'),
    nonce: text('nonce'),
    uri: text('uri'),
    response: text('response').toLowerCase(),
    algorithm: REGISTRAR_ALGORITHMS.find((known) => known === algorithm),
    qop: text('qop').toLowerCase(),
    nc: text('nc'),
    cnonce: text('cnonce'),
  };
}

/** Its nonce count; undefined: none (RFC 2069); NaN: one that can't be read. */
export function nonceCount({ qop, nc }: DigestResponse): number | undefined {
  if (qop === '') return undefined;
  return /^[0-9a-f]{8}$/i.test(nc) ? Number.parseInt(nc, 16) : Number.NaN;
}

/** Takes the same time for every wrong response. `secret` undefined: no such user. */
export function isRight(digest: DigestResponse, method: string, secret: Secret | undefined): boolean {
  const { algorithm, username, realm, nonce, uri, qop, nc, cnonce, response } = digest;
  if (!algorithm) return false;
  const h = (text: string) => hash(HASHES[algorithm], text);
  const { ha1, known } = ha1Of(digest, secret, h);
  const ha2 = h(`${method}:${uri}`);
  const right = Buffer.from(h(qop === '' ? `${ha1}:${nonce}:${ha2}` : `${ha1}:${nonce}:${nc}:${cnonce}:${qop}:${ha2}`));
  const given = Buffer.from(response);
  return given.length === right.length && timingSafeEqual(given, right) && known && username !== '' && realm !== '';
}

function ha1Of(
  { algorithm, username, realm }: DigestResponse,
  secret: Secret | undefined,
  h: (text: string) => string,
): { ha1: string; known: boolean } {
  if (algorithm === 'MD5' && secret?.ha1) return { ha1: secret.ha1.toLowerCase(), known: true };
  const { password } = secret ?? {};
  return { ha1: h(`${username}:${realm}:${password ?? ''}`), known: password !== undefined && password !== '' };
}

const quote = (text: string): string => `"${text.replace(/(["\\])/g, '\\$1')}"`;

/** Value of WWW-Authenticate. */
export function challenge(realm: string, nonce: string, algorithm: RegistrarAlgorithm, stale: boolean): string {
  return `Digest realm=${quote(realm)}, nonce="${nonce}", algorithm=${algorithm}, qop="auth"${stale ? ', stale=true' : ''}`;
}
