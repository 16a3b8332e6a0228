/** HTTP Digest for SIP: RFC 3261 22, RFC 7616, RFC 8760. Pure computation and the reading of challenges. */
import { createHash } from 'node:crypto';

export interface Challenge {
  readonly proxy: boolean;
  readonly realm: string;
  readonly nonce: string;
  readonly opaque: string | undefined;
  /** As written in the challenge; empty when absent (then it is MD5). */
  readonly algorithm: string;
  readonly qop: readonly string[];
  readonly stale: boolean;
}

export interface DigestCredentials {
  /** `*` matches every realm that has no entry of its own. */
  readonly realm: string;
  readonly username: string;
  readonly password: string;
}

const HASHES: Readonly<Record<string, string>> = { md5: 'md5', 'sha-256': 'sha256', 'sha-512-256': 'sha512-256' };

export const DIGEST_ALGORITHMS = [
  'MD5',
  'MD5-sess',
  'SHA-256',
  'SHA-256-sess',
  'SHA-512-256',
  'SHA-512-256-sess',
] as const;
export type DigestAlgorithm = (typeof DIGEST_ALGORITHMS)[number];

function hashOf(algorithm: string): string | undefined {
  return HASHES[algorithm.toLowerCase().replace(/-sess$/, '')];
}

/**
 * Reads the challenges of one header field value; several may stand in it, separated by commas. Schemes other than
 * Digest and challenges without realm or nonce are skipped.
 */
export function parseChallenges(value: string, proxy: boolean): Challenge[] {
  const found: Challenge[] = [];
  let scheme = '';
  let params: Record<string, string> = {};
  const finish = () => {
    if (scheme === 'digest' && params['realm'] !== undefined && params['nonce'] !== undefined) {
      found.push({
        proxy,
        realm: params['realm'],
        nonce: params['nonce'],
        opaque: params['opaque'],
        algorithm: params['algorithm'] ?? '',
        qop: (params['qop'] ?? '')
          .split(',')
          .map((q) => q.trim().toLowerCase())
          .filter((q) => q !== ''),
        stale: (params['stale'] ?? '').toLowerCase() === 'true',
      });
    }
    params = {};
  };
  // token, then either `= value` (a parameter) or white space and another token (a new scheme)
  // The comma and the white space behind it are one group: `\s*,?\s*` would take quadratic time over white space alone.
  const item = /\s*(?:,\s*)?([!#$%&'*+.^_`|~\w-]+)(?:\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]*)))?/y;
  while (item.lastIndex < value.length) {
    const match = item.exec(value);
    if (!match) break;
    const [, name, quoted, plain] = match;
    if (quoted === undefined && plain === undefined) {
      finish();
      scheme = name!.toLowerCase();
    } else {
      params[name!.toLowerCase()] = quoted !== undefined ? quoted.replace(/\\(.)/g, '$1') : plain!;
    }
  }
  finish();
  return found;
}

/** `auth` when offered, else `auth-int`, else none for a server that offers no qop; undefined: nothing we support. */
export function chooseQop(challenge: Challenge): 'auth' | 'auth-int' | '' | undefined {
  if (challenge.qop.length === 0) return '';
  if (challenge.qop.includes('auth')) return 'auth';
  return challenge.qop.includes('auth-int') ? 'auth-int' : undefined;
}

/** Per realm the topmost challenge whose algorithm is allowed and whose qop is known (RFC 8760 2.4). */
export function chooseChallenges(challenges: readonly Challenge[], allowed: ReadonlySet<string>): Challenge[] {
  const chosen = new Map<string, Challenge>();
  for (const challenge of challenges) {
    const place = `${challenge.proxy ? 'p' : 'w'} ${challenge.realm}`;
    if (chosen.has(place)) continue;
    const algorithm = challenge.algorithm === '' ? 'md5' : challenge.algorithm.toLowerCase();
    if (allowed.has(algorithm) && hashOf(algorithm) && chooseQop(challenge) !== undefined) chosen.set(place, challenge);
  }
  return [...chosen.values()];
}

export interface DigestInput {
  readonly challenge: Challenge;
  readonly credentials: DigestCredentials;
  readonly method: string;
  readonly uri: string;
  readonly body: string | Uint8Array;
  readonly cnonce: string;
  /** How often this nonce has been used, this time included. */
  readonly nc: number;
}

const quote = (text: string) => `"${text.replace(/(["\\])/g, '\\$1')}"`;

/** Value of the Authorization or Proxy-Authorization header field. */
export function authorization(input: DigestInput): string {
  const { challenge, credentials, method, uri, cnonce } = input;
  const algorithm = challenge.algorithm === '' ? 'MD5' : challenge.algorithm;
  const hashName = hashOf(algorithm)!;
  const h = (data: string | Uint8Array) => createHash(hashName).update(data).digest('hex');
  const qop = chooseQop(challenge) ?? '';
  const nc = input.nc.toString(16).padStart(8, '0');
  let ha1 = h(`${credentials.username}:${challenge.realm}:${credentials.password}`);
  if (/-sess$/i.test(algorithm)) ha1 = h(`${ha1}:${challenge.nonce}:${cnonce}`);
  const ha2 = h(qop === 'auth-int' ? `${method}:${uri}:${h(input.body)}` : `${method}:${uri}`);
  const response = h(
    qop === '' ? `${ha1}:${challenge.nonce}:${ha2}` : `${ha1}:${challenge.nonce}:${nc}:${cnonce}:${qop}:${ha2}`,
  );
  const fields = [
    `username=${quote(credentials.username)}`,
    `realm=${quote(challenge.realm)}`,
    `nonce=${quote(challenge.nonce)}`,
    `uri=${quote(uri)}`,
    `response="${response}"`,
  ];
  if (challenge.algorithm !== '') fields.push(`algorithm=${challenge.algorithm}`);
  if (challenge.opaque !== undefined) fields.push(`opaque=${quote(challenge.opaque)}`);
  if (qop !== '') fields.push(`qop=${qop}`, `nc=${nc}`);
  if (qop !== '' || /-sess$/i.test(algorithm)) fields.push(`cnonce="${cnonce}"`);
  return `Digest ${fields.join(', ')}`;
}
