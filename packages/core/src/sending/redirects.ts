/**
 * Redirects of one operation (RFC 3261 8.1.3.4):
 *
 *   PUBLISH A ->     302 Contact: B;q=0.9, C;q=0.5 <-     PUBLISH B ->     503 <-     PUBLISH C ->     200 <-
 *
 * Targets are tried from the highest q value down, each once, the first one among them, and at most five in all. What
 * they bring is good for this operation only: the next one starts at the old place again.
 */
import { addressParameter, addressUri } from '../address.js';

const MAX_FOLLOWED = 5;

export interface RedirectTarget {
  /** Request-URI. */
  readonly uri: string;
  /** Leads to the next hop, outside a dialog with a route set. */
  readonly route: string;
}

interface Offer extends RedirectTarget {
  readonly q: number;
}

export class Redirects {
  readonly #seen: Set<string>;
  readonly #secure: boolean;
  #offers: Offer[] = [];
  #followed = 0;

  /** @param uri Request-URI of the first request */
  constructor(readonly uri: string) {
    this.#seen = new Set([uri]);
    this.#secure = isSecure(uri);
  }

  /** @param contacts Contact values of a 3xx */
  offered(status: number, contacts: readonly string[]): void {
    for (const contact of contacts) {
      const route = requestUri(addressUri(contact));
      // A secure request must not become an insecure one by the word of whoever answered it (RFC 3261 8.1.3.4).
      if (route === undefined || this.#seen.has(route) || (this.#secure && !isSecure(route))) continue;
      this.#seen.add(route);
      const q = Number(addressParameter(contact, 'q') || 1);
      // 305: the same resource, by way of that proxy (21.3.4).
      this.#offers.push({ uri: status === 305 ? this.uri : route, route, q: q >= 0 && q <= 1 ? q : 0 });
    }
    this.#offers.sort((a, b) => b.q - a.q);
  }

  /** Where to next; undefined: nowhere. */
  next(): RedirectTarget | undefined {
    if (this.#followed >= MAX_FOLLOWED) return undefined;
    const offer = this.#offers.shift();
    if (offer) this.#followed++;
    return offer;
  }
}

const isSecure = (uri: string): boolean => /^sips:/i.test(uri);

/** A Contact as a Request-URI: without headers and method, which only belong there (RFC 3261 19.1.1). */
function requestUri(contact: string): string | undefined {
  const uri = contact.replace(/\?.*$/, '').replace(/;method=[^;]*/i, '');
  return /^sips?:[^\s<>"]+$/i.test(uri) ? uri : undefined;
}
