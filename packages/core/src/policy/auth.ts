/**
 * Credentials and nonces. A nonce is kept per next hop and realm, so that a refresh is one transaction:
 *
 *   PUBLISH ->            401 nonce=N <-     PUBLISH nc=1 ->     200 <-     ... PUBLISH nc=2 ->   200 <-
 */

import type { Random } from '../ports/runtime.js';
import type { Headers } from '../ports/sip.js';
import { authorization, type Challenge, chooseChallenges, type DigestCredentials } from './digest.js';

interface Nonce {
  readonly challenge: Challenge;
  readonly credentials: DigestCredentials;
  count: number;
}

export interface RequestToSign {
  readonly method: string;
  readonly uri: string;
  readonly body: string | Uint8Array;
}

export type ChallengeVerdict =
  | { readonly kind: 'answer' }
  /** Nothing on offer that we support, or no credentials for the realm. */
  | { readonly kind: 'missing'; readonly realm: string }
  /** A realm just answered asks again without stale=true. */
  | { readonly kind: 'wrong'; readonly realm: string };

export class Authenticator {
  /** next hop -> realms */
  readonly #nonces = new Map<string, Map<string, Nonce>>();
  readonly #allowed: ReadonlySet<string>;

  constructor(
    readonly credentials: readonly DigestCredentials[],
    algorithms: readonly string[],
    readonly random: Random,
  ) {
    this.#allowed = new Set(algorithms.map((a) => a.toLowerCase()));
  }

  /** Header lines from the nonces known for a hop; none when it never asked. */
  sign(hop: string, request: RequestToSign): Headers {
    const realms = this.#nonces.get(hop);
    if (!realms) return [];
    const lines: [string, string][] = [];
    for (const nonce of realms.values()) {
      nonce.count++;
      const value = authorization({
        ...request,
        challenge: nonce.challenge,
        credentials: nonce.credentials,
        cnonce: this.random.token(),
        nc: nonce.count,
      });
      lines.push([nonce.challenge.proxy ? 'Proxy-Authorization' : 'Authorization', value]);
    }
    return lines;
  }

  /**
   * Takes the challenges of a 401 or 407. `answered` holds the realms answered in this operation with a nonce that
   * came in this operation; it is added to.
   */
  challenged(hop: string, challenges: readonly Challenge[], answered: Set<string>): ChallengeVerdict {
    const chosen = chooseChallenges(challenges, this.#allowed);
    if (chosen.length === 0) return { kind: 'missing', realm: challenges[0]?.realm ?? '' };
    let realms = this.#nonces.get(hop);
    for (const challenge of chosen) {
      const place = `${challenge.proxy ? 'p' : 'w'} ${challenge.realm}`;
      const credentials = this.#credentialsFor(challenge.realm);
      if (!credentials) return { kind: 'missing', realm: challenge.realm };
      if (answered.has(place) && !challenge.stale) {
        realms?.delete(place);
        return { kind: 'wrong', realm: challenge.realm };
      }
      answered.add(place);
      if (!realms) {
        realms = new Map();
        this.#nonces.set(hop, realms);
      }
      realms.set(place, { challenge, credentials, count: 0 });
    }
    return { kind: 'answer' };
  }

  #credentialsFor(realm: string): DigestCredentials | undefined {
    return this.credentials.find((c) => c.realm === realm) ?? this.credentials.find((c) => c.realm === '*');
  }
}
