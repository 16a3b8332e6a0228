/** From route URIs to next hops with what is remembered of each. */
import { type HopMemory, hopName } from '../policy/hops.js';
import type { Hop, SipPort } from '../ports/sip.js';
import type { Pacer } from './pacer.js';
import type { Pass } from './pass.js';

export interface NextHop {
  readonly memory: HopMemory;
  readonly pacer: Pacer<Pass>;
}

/** Lists of hops that are kept as they were resolved last. */
const MAX_LISTS = 1_000;
/** So many are remembered before those that nothing is known of any more are looked for. */
const MANY_HOPS = 1_000;

type Found = readonly NextHop[] | Promise<readonly NextHop[]>;

export class Routes {
  readonly #hops = new Map<string, NextHop>();
  /** URI -> what the engine gave last. It gives the same list again while nothing has changed, at next to no cost. */
  readonly #lists = new Map<string, { readonly from: readonly Hop[]; readonly hops: readonly NextHop[] }>();
  #many = MANY_HOPS;

  constructor(
    readonly sip: SipPort,
    readonly make: (hop: Hop) => NextHop,
  ) {}

  /** @throws what SipPort.resolve throws for a URI it can't read, when no other URI leads anywhere */
  find(uris: readonly string[]): Found {
    if (uris.length === 1) return this.#one(uris[0]!);
    const faults: unknown[] = [];
    const fault = (error: unknown) => {
      faults.push(error);
      return [];
    };
    const found = uris.map((uri): Found => {
      try {
        const hops = this.#one(uri);
        return hops instanceof Promise ? hops.catch(fault) : hops;
      } catch (error) {
        return fault(error);
      }
    });
    const merge = (lists: readonly (readonly NextHop[])[]) => {
      const hops = [...new Set(lists.flat())];
      if (hops.length === 0 && faults.length > 0) throw faults[0];
      return hops;
    };
    return found.some((one) => one instanceof Promise)
      ? Promise.all(found).then(merge)
      : merge(found as (readonly NextHop[])[]);
  }

  all(): IterableIterator<NextHop> {
    return this.#hops.values();
  }

  #one(uri: string): Found {
    const found = this.sip.resolve(uri);
    return found instanceof Promise ? found.then((hops) => this.#keep(uri, hops)) : this.#keep(uri, found);
  }

  #keep(uri: string, from: readonly Hop[]): readonly NextHop[] {
    const kept = this.#lists.get(uri);
    if (kept?.from === from) return kept.hops;
    if (this.#hops.size >= this.#many) this.#forgetIdle();
    const hops = from.map((hop) => this.#hop(hop));
    if (this.#lists.size >= MAX_LISTS) this.#lists.clear();
    this.#lists.set(uri, { from, hops });
    return hops;
  }

  #hop(hop: Hop): NextHop {
    const name = hopName(hop);
    let known = this.#hops.get(name);
    if (!known) {
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
    this.#lists.clear();
    // The next look is as far away as this one was long: it costs nothing per hop.
    this.#many = Math.max(MANY_HOPS, 2 * this.#hops.size);
  }
}
