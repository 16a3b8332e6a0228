/** Digest access authentication (RFC 7616, in SIP RFC 3261 22 and RFC 8760), independent of @pua/core's. */
import { createHash, randomBytes } from 'node:crypto';

const HASHES = { MD5: 'md5', 'SHA-256': 'sha256', 'SHA-512-256': 'sha512-256' } as const;

export type DigestAlgorithm = keyof typeof HASHES | `${keyof typeof HASHES}-sess`;

export interface DigestInput {
  readonly algorithm: DigestAlgorithm;
  readonly username: string;
  readonly realm: string;
  readonly password: string;
  readonly method: string;
  readonly uri: string;
  readonly nonce: string;
  /** Absent: the form of RFC 2069, without nc and cnonce. */
  readonly qop?: 'auth' | 'auth-int' | undefined;
  /** Eight hexadecimal digits. */
  readonly nc?: string | undefined;
  readonly cnonce?: string | undefined;
  /** Entity body; only auth-int looks at it. */
  readonly body?: string | Uint8Array | undefined;
}

export interface Credentials {
  readonly username: string;
  readonly password: string;
}

/** Spelling of the RFC for an algorithm token in any case; undefined when it is unknown. */
export function digestAlgorithm(name: string | undefined): DigestAlgorithm | undefined {
  const [, base = '', session] = /^(.*?)(-sess)?$/i.exec(name ?? 'MD5')!;
  const found = (Object.keys(HASHES) as (keyof typeof HASHES)[]).find((key) => key === base.toUpperCase());
  return found && (session ? `${found}-sess` : found);
}

/** The `response` value, RFC 7616 3.4.1..3.4.3. */
export function digestResponse(input: DigestInput): string {
  const session = input.algorithm.endsWith('-sess');
  const hash = HASHES[(session ? input.algorithm.slice(0, -5) : input.algorithm) as keyof typeof HASHES];
  const digest = (data: string | Uint8Array) => createHash(hash).update(data).digest('hex');
  let ha1 = digest(`${input.username}:${input.realm}:${input.password}`);
  if (session) ha1 = digest(`${ha1}:${input.nonce}:${input.cnonce ?? ''}`);
  const a2 = `${input.method}:${input.uri}`;
  const ha2 = digest(input.qop === 'auth-int' ? `${a2}:${digest(input.body ?? '')}` : a2);
  const middle = input.qop ? `${input.nonce}:${input.nc ?? ''}:${input.cnonce ?? ''}:${input.qop}` : input.nonce;
  return digest(`${ha1}:${middle}:${ha2}`);
}

/** Parameters of a `Digest ...` value, names in lower case, values without quotes; undefined for other schemes. */
export function parseDigest(value: string): ReadonlyMap<string, string> | undefined {
  const scheme = /^\s*Digest\s+/i.exec(value);
  if (!scheme) return undefined;
  const params = new Map<string, string>();
  const pattern = /([^\s=,]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,]*))/g;
  for (const match of value.slice(scheme[0].length).matchAll(pattern)) {
    params.set(match[1]!.toLowerCase(), match[2] === undefined ? match[3]! : match[2].replace(/\\(.)/g, '$1'));
  }
  return params;
}

export function quote(value: string): string {
  return `"${value.replace(/["\\]/g, '\\$&')}"`;
}

/**
 * Value of (Proxy-)Authorization for a challenge; undefined when its algorithm or qop is unknown. `auth` is preferred
 * to `auth-int`.
 */
export function answerChallenge(
  challenge: string,
  credentials: Credentials,
  request: { readonly method: string; readonly uri: string; readonly body?: string | Uint8Array },
  nonceCount = 1,
  cnonce = randomBytes(12).toString('hex'),
): string | undefined {
  const params = parseDigest(challenge);
  const algorithm = digestAlgorithm(params?.get('algorithm'));
  if (!params || !algorithm) return undefined;
  const offered = params
    .get('qop')
    ?.split(',')
    .map((q) => q.trim().toLowerCase());
  const qop = (['auth', 'auth-int'] as const).find((q) => offered?.includes(q));
  if (offered && !qop) return undefined;
  const nc = nonceCount.toString(16).padStart(8, '0');
  const realm = params.get('realm') ?? '';
  const nonce = params.get('nonce') ?? '';
  const response = digestResponse({ algorithm, ...credentials, ...request, realm, nonce, qop, nc, cnonce });
  const fields = [
    `username=${quote(credentials.username)}`,
    `realm=${quote(realm)}`,
    `nonce=${quote(nonce)}`,
    `uri=${quote(request.uri)}`,
    `response="${response}"`,
    `algorithm=${algorithm}`,
  ];
  if (qop || algorithm.endsWith('-sess')) fields.push(`cnonce=${quote(cnonce)}`);
  if (qop) fields.push(`qop=${qop}`, `nc=${nc}`);
  const opaque = params.get('opaque');
  if (opaque !== undefined) fields.push(`opaque=${quote(opaque)}`);
  return `Digest ${fields.join(', ')}`;
}
