/** From route URIs to next hops with what is remembered of each. */
import { type HopMemory, hopName } from '../policy/hops.js';
import type { Hop, Outcome, SipPort } from '../ports/sip.js';
import type { Draft, Job } from './job.js';
import type { Pacer } from './pacer.js';

export interface NextHop {
  readonly memory: HopMemory;
  readonly pacer: Pacer<Waiting>;
}

/** A job on its way over the hops of one pass. */
export interface Waiting {
  readonly job: Job;
  readonly priority: number;
  readonly hops: readonly NextHop[];
  /** Names of the hops that this pass has used. */
  tried: readonly string[];
  hop: NextHop | null;
  /** The request that goes on at the next hop, and what the last one made of it. */
  failed?: Failed;
}

export interface Failed {
  readonly draft: Draft;
  readonly outcome: Outcome;
  /** Last one used. */
  readonly cseq: number;
  /** Challenges answered so far, and the realms. */
  readonly challenges: number;
  readonly answered: Set<string> | undefined;
}

const MAX_CACHED = 1_000;
const CACHE_MS = 10_000;

export class Routes {
  readonly #hops = new Map<string, NextHop>();
  readonly #cache = new Map<string, { readonly hops: readonly NextHop[]; readonly until: number }>();

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
      known = this.make(hop);
      this.#hops.set(name, known);
    }
    return known;
  }
}
