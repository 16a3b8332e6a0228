import type { Headers, Random } from '@pua/core';
import { type DigestAlgorithm, digestAlgorithm, digestResponse, parseDigest, quote } from '../sip/digest.js';
import type { RequestRecord } from './record.js';

export interface DigestOptions {
  readonly realm: string;
  /** Passwords by user name. */
  readonly users: Readonly<Record<string, string>>;
  /** One challenge each, the preferred one first (RFC 8760 2.4). Default MD5. */
  readonly algorithms?: readonly DigestAlgorithm[];
  /** Default `['auth']`; empty: none is offered, as servers of RFC 2069 do. */
  readonly qop?: readonly ('auth' | 'auth-int')[];
  /** Does a challenge for a used-up nonce say `stale=true`? Default true. */
  readonly stale?: boolean;
  /** Requests a nonce is good for. Default: any number. */
  readonly nonceUses?: number;
  /** 407 and Proxy-Authenticate instead of 401. */
  readonly proxy?: boolean;
  /** Default PUBLISH and SUBSCRIBE. */
  readonly methods?: readonly string[];
}

export interface Refusal {
  readonly status: number;
  readonly headers: Headers;
  readonly note: string;
}

/** Nonces that are remembered; the oldest go first. */
const NONCES = 10_000;
/** How far a nonce count may lag behind the highest one: requests in flight may overtake each other. */
const NC_WINDOW = 4096;

class Nonce {
  uses = 0;
  #highest = 0;
  readonly #seen = new Set<number>();

  /** false when that count was there before, RFC 7616 3.4. */
  count(nc: number): boolean {
    if (!(nc > 0) || nc <= this.#highest - NC_WINDOW || this.#seen.has(nc)) return false;
    this.#seen.add(nc);
    this.#highest = Math.max(this.#highest, nc);
    if (this.#seen.size > 2 * NC_WINDOW) {
      for (const old of this.#seen) if (old <= this.#highest - NC_WINDOW) this.#seen.delete(old);
    }
    return true;
  }
}

/** Challenges requests and verifies what comes back: response, Request-URI, nonce, nonce count, opaque. */
export class DigestGuard {
  readonly #options: DigestOptions;
  readonly #random: Random;
  readonly #opaque: string;
  readonly #nonces = new Map<string, Nonce>();

  constructor(options: DigestOptions, random: Random) {
    this.#options = options;
    this.#random = random;
    this.#opaque = random.token();
  }

  /** Forgets all nonces, as a server that restarts does. */
  forget(): void {
    this.#nonces.clear();
  }

  /** undefined: the request may pass. */
  check(request: RequestRecord): Refusal | undefined {
    const { realm, users, methods = ['PUBLISH', 'SUBSCRIBE'], proxy, qop: offered = ['auth'] } = this.#options;
    if (!methods.includes(request.method)) return undefined;
    const given = request.headers
      .all(proxy ? 'Proxy-Authorization' : 'Authorization')
      .map(parseDigest)
      .find((params) => params?.get('realm') === realm);
    if (!given) return this.#challenge('no credentials for the realm');

    const [username, nonce, uri, response] = ['username', 'nonce', 'uri', 'response'].map((name) => given.get(name));
    if (username === undefined || nonce === undefined || uri === undefined || response === undefined) {
      return { status: 400, headers: [], note: 'digest: username, nonce, uri or response is missing' };
    }
    if (uri !== request.uri) return { status: 400, headers: [], note: `digest: uri ${uri} is not the Request-URI` };
    const algorithm = digestAlgorithm(given.get('algorithm'));
    if (!algorithm || !this.#algorithms.includes(algorithm)) return this.#challenge('algorithm was not offered');
    const qop = offered.find((name) => name === given.get('qop')?.toLowerCase());
    if (offered.length > 0 && !qop) return this.#challenge('qop was not offered');
    if (given.get('opaque') !== this.#opaque) return this.#challenge('opaque differs');

    const password = Object.hasOwn(users, username) ? users[username] : undefined;
    if (password === undefined) return this.#challenge(`unknown user ${username}`);
    const { method } = request;
    const body = request.body?.bytes;
    const [nc, cnonce] = [given.get('nc'), given.get('cnonce')];
    const wanted = digestResponse({ algorithm, username, realm, password, method, uri, nonce, qop, nc, cnonce, body });
    if (response.toLowerCase() !== wanted) return this.#challenge('wrong response');
    return this.#useNonce(nonce, qop ? nc : undefined);
  }

  get #algorithms(): readonly DigestAlgorithm[] {
    return this.#options.algorithms ?? ['MD5'];
  }

  #useNonce(name: string, nc: string | undefined): Refusal | undefined {
    const nonce = this.#nonces.get(name);
    if (!nonce) return this.#challenge('unknown nonce', true);
    if (nc !== undefined && !nonce.count(Number.parseInt(nc, 16))) return this.#challenge(`nc ${nc} was used`, true);
    if (nonce.uses >= (this.#options.nonceUses ?? Number.POSITIVE_INFINITY)) {
      return this.#challenge('nonce is used up', true);
    }
    nonce.uses++;
    return undefined;
  }

  #challenge(why: string, isStale = false): Refusal {
    const { realm, qop = ['auth'], proxy, stale = true } = this.#options;
    const nonce = this.#random.token();
    this.#nonces.set(nonce, new Nonce());
    if (this.#nonces.size > NONCES) this.#nonces.delete(this.#nonces.keys().next().value!);
    const headers = this.#algorithms.map((algorithm): [string, string] => {
      const fields = [
        `realm=${quote(realm)}`,
        `nonce="${nonce}"`,
        `opaque="${this.#opaque}"`,
        `algorithm=${algorithm}`,
      ];
      if (qop.length > 0) fields.push(`qop="${qop.join(',')}"`);
      if (isStale && stale) fields.push('stale=true');
      return [proxy ? 'Proxy-Authenticate' : 'WWW-Authenticate', `Digest ${fields.join(', ')}`];
    });
    return { status: proxy ? 407 : 401, headers, note: `digest: ${why}` };
  }
}
