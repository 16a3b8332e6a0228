/** From route URIs to next hops with what is remembered of each. */
import { type HopMemory, hopName } from '../policy/hops.js';
import type { Hop, SipPort } from '../ports/sip.js';
import type { Pacer } from './pacer.js';
import type { Pass } from './pass.js';

export interface NextHop {
  readonly memory: HopMemory;
  readonly pacer: Pacer<Pass>;
}

const MAX_CACHED = 1_000;
const CACHE_MS = 10_000;
/** So many are remembered before those that nothing is known of any more are looked for. */
const MANY_HOPS = 1_000;

export class Routes {
  readonly #hops = new Map<string, NextHop>();
  readonly #cache = new Map<string, { readonly hops: readonly NextHop[]; readonly until: number }>();
  #many = MANY_HOPS;

  constructor(
    readonly sip: SipPort,
    readonly make: (hop: Hop) => NextHop,
  ) {}

  /** @throws what SipPort.resolve throws for a URI it can't read, when no other URI leads anywhere */
  find(uris: readonly string[]): readonly NextHop[] | Promise<readonly NextHop[]> {
    if (uris.length === 1) return this.#one(uris[0]!);
    return Promise.allSettled(uris.map(async (uri) => this.#one(uri))).then((found) => {
      const hops = new Set(found.flatMap((one) => (one.status === 'fulfilled' ? one.value : [])));
      const failed = found.find((one) => one.status === 'rejected');
      if (hops.size === 0 && failed) throw failed.reason;
      return [...hops];
    });
  }

  all(): IterableIterator<NextHop> {
    return this.#hops.values();
  }

  #one(uri: string): readonly NextHop[] | Promise<readonly NextHop[]> {
    const cached = this.#cache.get(uri);
    const now = this.sip.clock.now();
    if (cached && cached.until > now) return cached.hops;
    const found = this.sip.resolve(uri);
    const keep = (hops: readonly Hop[]) => {
      const list = hops.map((hop) => this.#hop(hop));
      if (this.#cache.size >= MAX_CACHED) this.#cache.clear();
      this.#cache.set(uri, { hops: list, until: now + CACHE_MS });
      return list;
    };
    return found instanceof Promise ? found.then(keep) : keep(found);
  }

  #hop(hop: Hop): NextHop {
    const name = hopName(hop);
    let known = this.#hops.get(name);
    if (!known) {
      if (this.#hops.size >= this.#many) this.#forgetIdle();
      known = this.make(hop);
      this.#hops.set(name, known);
    }
    return known;
  }

  /** Records without an outbound proxy bring a hop for every domain there is. */
  #forgetIdle(): void {
    const now = this.sip.clock.now();
    for (const [name, { memory, pacer }] of this.#hops) {
      if (pacer.idle && memory.isBlank(now)) this.#hops.delete(name);
    }
    this.#cache.clear();
    // The next look is as far away as this one was long: it costs nothing per hop.
    this.#many = Math.max(MANY_HOPS, 2 * this.#hops.size);
  }
}
