/**
 * Authentication and authorization (RFC 3261 10.3, steps 3 and 4).
 *
 *   REGISTER                      ->   401  nonce
 *   REGISTER Authorization        ->   right, but an old nonce: 401 stale=true
 *                                      right: may this user register this address? else 403
 */
import type { Headers } from '@pua/core';
import { canonicalAor } from '../location/index.js';
import { sameUri } from '../location/uri.js';
import { challenge, type DigestResponse, isRight, nonceCount, parseDigest, type RegistrarAlgorithm } from './digest.js';
import type { Nonces } from './nonces.js';
import type { Refusal, RegisterRequest } from './request.js';
import type { KnownUser, Users } from './users.js';

/** Seconds: users can't be looked up. */
const RETRY_AFTER = '10';

export interface Admitted {
  readonly username: string;
}

export interface GuardOptions {
  readonly users: Users;
  readonly nonces: Nonces;
  /** undefined: the domain of the address. */
  readonly realm: string | undefined;
  /** One challenge each, in this order (RFC 8760 2.4). */
  readonly algorithms: readonly RegistrarAlgorithm[];
}

export class Guard {
  constructor(readonly options: GuardOptions) {}

  check(register: RegisterRequest): Admitted | Refusal | Promise<Admitted | Refusal> {
    const { request, domain } = register;
    const realm = this.options.realm ?? domain;
    const digest = this.#given(request.headers.all('Authorization'), realm);
    if (!digest) return this.#challenge(realm, false);
    if (!sameUri(digest.uri, request.uri)) return { status: 400, reason: 'Digest uri Differs From Request-URI' };
    if (digest.qop !== '' && (digest.qop !== 'auth' || digest.cnonce === '' || Number.isNaN(nonceCount(digest))))
      return { status: 400, reason: 'Malformed Authorization' };
    const user = this.options.users.find(localPart(digest.username), domain);
    if (!(user instanceof Promise)) return this.#judge(register, digest, user);
    return user.then(
      (found) => this.#judge(register, digest, found),
      () => ({ status: 503, headers: [['Retry-After', RETRY_AFTER]] }),
    );
  }

  /** The one for our realm and an algorithm that was offered. */
  #given(lines: readonly string[], realm: string): DigestResponse | undefined {
    for (const line of lines) {
      const digest = parseDigest(line);
      if (digest?.realm === realm && digest.algorithm && this.options.algorithms.includes(digest.algorithm))
        return digest;
    }
    return undefined;
  }

  #judge(register: RegisterRequest, digest: DigestResponse, user: KnownUser | undefined): Admitted | Refusal {
    if (!isRight(digest, register.request.method, user)) return this.#challenge(digest.realm, false);
    if (!this.options.nonces.use(digest.nonce, nonceCount(digest))) return this.#challenge(digest.realm, true);
    const username = localPart(digest.username);
    if (!this.#mayRegister(username, user?.aors, register))
      return { status: 403, reason: 'Not Your Address-of-Record' };
    return { username };
  }

  #mayRegister(username: string, aors: KnownUser['aors'], { aor, domain }: RegisterRequest): boolean {
    if (aors === '*') return true;
    if (aors === undefined) return canonicalAor(`sip:${username}@${domain}`) === aor;
    return aors.has(aor);
  }

  #challenge(realm: string, stale: boolean): Refusal {
    const nonce = this.options.nonces.make();
    const headers: Headers = this.options.algorithms.map((algorithm) => [
      'WWW-Authenticate',
      challenge(realm, nonce, algorithm, stale),
    ]);
    return { status: 401, headers };
  }
}

/** Some phones say `user@domain`. */
const localPart = (username: string): string => {
  const at = username.indexOf('@');
  return at < 0 ? username : username.slice(0, at);
};
