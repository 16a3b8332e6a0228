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
  /** URI of the To. */
  readonly to: string;
  readonly body: string | Uint8Array;
  /** It goes to a place that a redirect named: credentials for any realm are not for it. */
  readonly redirected?: boolean;
}

export type ChallengeVerdict =
  | { readonly kind: 'answer' }
  /** Nothing on offer that we support, or no credentials for the realm. */
  | { readonly kind: 'missing'; readonly realm: string }
  /** A realm just answered asks again without stale=true. */
  | { readonly kind: 'wrong'; readonly realm: string };

/** What is remembered at most: realms that one domain asks with, and domains and realms in all. */
const MAX_REALMS = 8;
const MAX_REMEMBERED = 10_000;

export class Authenticator {
  /** next hop and realm -> nonce */
  readonly #nonces = new Map<string, Nonce>();
  /**
   * Next hop and domain of the To -> the realms it asks with (RFC 3261 22.2): one proxy may serve thousands of domains,
   * each with a realm of its own. The Request-URI would not do: in a dialog it is the remote target.
   */
  readonly #realms = new Map<string, readonly string[]>();
  readonly #allowed: ReadonlySet<string>;

  constructor(
    readonly credentials: readonly DigestCredentials[],
    algorithms: readonly string[],
    readonly random: Random,
  ) {
    this.#allowed = new Set(algorithms.map((a) => a.toLowerCase()));
  }

  /** Header lines from the nonces known for a hop and the domain of the To; none when it never asked. */
  sign(hop: string, request: RequestToSign): Headers {
    if (this.#realms.size === 0) return [];
    const lines: [string, string][] = [];
    for (const place of this.#realms.get(spaceOf(hop, request.to)) ?? []) {
      const nonce = this.#nonces.get(place);
      if (!nonce || (request.redirected && nonce.credentials.realm === '*')) continue;
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
   * Takes the challenges of a 401 or 407 to a request whose To has the URI `to`. `answered` holds the realms answered in
   * this operation with a nonce that came in this operation; it is added to.
   */
  challenged(
    hop: string,
    to: string,
    challenges: readonly Challenge[],
    answered: Set<string>,
    redirected = false,
  ): ChallengeVerdict {
    const chosen = chooseChallenges(challenges, this.#allowed);
    if (chosen.length === 0) return { kind: 'missing', realm: challenges[0]?.realm ?? '' };
    for (const challenge of chosen) {
      const place = `${hop} ${challenge.proxy ? 'p' : 'w'} ${challenge.realm}`;
      const credentials = this.#credentialsFor(challenge.realm, redirected);
      if (!credentials) return { kind: 'missing', realm: challenge.realm };
      if (answered.has(place) && !challenge.stale) {
        this.#nonces.delete(place);
        return { kind: 'wrong', realm: challenge.realm };
      }
      answered.add(place);
      remember(this.#nonces, place, { challenge, credentials, count: 0 });
      const space = spaceOf(hop, to);
      const known = this.#realms.get(space) ?? [];
      if (!known.includes(place)) remember(this.#realms, space, [...known, place].slice(-MAX_REALMS));
    }
    return { kind: 'answer' };
  }

  #credentialsFor(realm: string, redirected: boolean): DigestCredentials | undefined {
    const own = this.credentials.find((c) => c.realm === realm && c.realm !== '*');
    return own ?? (redirected ? undefined : this.credentials.find((c) => c.realm === '*'));
  }
}

const HOST = /^[^:]*:(?:[^@]*@)?(\[[^\]]*\]|[^:;?]*)/;

const spaceOf = (hop: string, uri: string): string => `${hop} ${(HOST.exec(uri)?.[1] ?? '').toLowerCase()}`;

/** The oldest entry makes room. */
function remember<T>(map: Map<string, T>, key: string, value: T): void {
  if (map.size >= MAX_REMEMBERED && !map.has(key)) map.delete(map.keys().next().value!);
  map.set(key, value);
}
