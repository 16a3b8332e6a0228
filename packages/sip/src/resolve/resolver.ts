/** Hops of a SIP URI (RFC 3263): address literals at once, names from a bounded cache or a search. */
import { isIP } from 'node:net';
import { type Clock, type Hop, PuaError, type Random, type Transport } from '@pua/core';
import { parseUri } from '../message/uri.js';
import type { NameService } from './names.js';
import { drawn, isFixed, type Tier } from './order.js';
import { type Found, search } from './search.js';
import { hopTo, possible, type Target, TRANSPORTS, targetOf } from './target.js';

const KNOWN_URIS = 10_000;
const KNOWN_TARGETS = 10_000;
/** What is still open then counts as failed. */
const SEARCH_MS = 10_000;
const TTL_MIN_MS = 1_000;
const TTL_MAX_MS = 3_600_000;
/** A target without servers is searched for again after this time. */
const EMPTY_MS = 5_000;
/** So is one of which only a part could be found out, */
const PARTIAL_MS = 5_000;
/** and one of which nothing could. */
const FAILED_MS = 1_000;
/** What was known before serves on while DNS fails (RFC 8767 5): so long without asking again, */
const STALE_MS = 30_000;
/** so long in all after its time, */
const STALE_MAX_MS = 86_400_000;
/** and from so long after the question on. */
const PATIENCE_MS = 1_800;

/** What is known of a target. */
class Route {
  until = Number.NEGATIVE_INFINITY;
  staleUntil = Number.NEGATIVE_INFINITY;
  /** One search, however many wait for it. */
  pending: Promise<void> | undefined;
  /** No question was left open when this was learned. */
  complete = false;
  private tiers: readonly Tier[] = [];
  private fixed: readonly Hop[] | undefined = [];

  constructor(readonly target: Target) {}

  learn(tiers: readonly Tier[], complete: boolean, until: number, staleUntil: number): void {
    this.complete = complete;
    this.until = until;
    this.staleUntil = staleUntil;
    this.tiers = tiers;
    this.fixed = isFixed(tiers) ? tiers.flatMap((tier) => tier[0]!.hops) : undefined;
  }

  /** By chance where weights leave a choice, each time anew (RFC 2782): that is what spreads the load. */
  hops(random: Random): readonly Hop[] {
    return this.fixed ?? drawn(this.tiers, random);
  }
}

export class Resolver {
  private readonly uris = new Map<string, Route>();
  private readonly routes = new Map<string, Route>();
  private readonly searches = new Set<AbortController>();
  private closed = false;

  /** `families`: 4 and 6 as far as there are sockets, `transports`: those that can be sent; preferred ones first. */
  constructor(
    private readonly names: NameService,
    private readonly clock: Clock,
    private readonly random: Random,
    private readonly families: () => readonly (4 | 6)[],
    private readonly transports: readonly Transport[] = TRANSPORTS,
  ) {}

  /** @throws PuaError `PUA_ERR_ARGUMENT` for what is not a SIP URI */
  resolve(uri: string): readonly Hop[] | Promise<readonly Hop[]> {
    const route = this.uris.get(uri) ?? this.route(uri);
    if (route.until > this.clock.now()) return route.hops(this.random);
    route.pending ??= this.renew(route);
    return route.pending.then(() => route.hops(this.random));
  }

  open(): void {
    this.closed = false;
  }

  /** Gives up what is being looked up, so that it holds nothing; from now on only what is known is given. */
  close(): void {
    this.closed = true;
    for (const search of this.searches) search.abort();
    this.names.cancel?.();
  }

  /** URIs that differ in nothing that matters here share what is known. */
  private route(uri: string): Route {
    const parsed = parseUri(uri);
    if (!parsed) {
      throw new PuaError('PUA_ERR_ARGUMENT', `cannot resolve ${JSON.stringify(uri)}: not a sip or sips URI`);
    }
    const target = targetOf(parsed);
    const key = `${target.secure} ${target.transport} ${target.port} ${target.host}`;
    let route = this.routes.get(key);
    if (!route) {
      route = new Route(target);
      const hosts = this.literal(target.host);
      if (hosts) route.learn(this.at(target, hosts), true, Number.POSITIVE_INFINITY, 0);
      // The oldest goes first: it is the first of the map.
      if (this.routes.size >= KNOWN_TARGETS) this.routes.delete(this.routes.keys().next().value!);
      this.routes.set(key, route);
    }
    if (this.uris.size >= KNOWN_URIS) this.uris.clear();
    this.uris.set(uri, route);
    return route;
  }

  /** What nobody needs to be asked for: addresses, and localhost (RFC 6761 6.3). */
  private literal(host: string): readonly string[] | undefined {
    if (isIP(host) !== 0) return [host];
    const local = host === 'localhost' || host.endsWith('.localhost');
    return local ? this.families().map((family) => (family === 4 ? '127.0.0.1' : '::1')) : undefined;
  }

  private at(target: Target, hosts: readonly string[]): readonly Tier[] {
    const [transport] = possible(target, this.transports);
    return transport ? [[{ weight: 0, hops: hosts.map((host) => hopTo(target, transport, host)) }]] : [];
  }

  /** Until more is known of the route, or what was known must do. */
  private renew(route: Route): Promise<void> {
    return new Promise((resolve) => {
      const end = () => {
        patience?.cancel();
        route.pending = undefined;
        resolve();
      };
      const patience =
        this.clock.now() < route.staleUntil
          ? this.clock.after(PATIENCE_MS, () => {
              route.until = this.clock.now() + STALE_MS;
              end();
            })
          : undefined;
      void this.search(route.target).then((found) => {
        this.learn(route, found);
        end();
      });
    });
  }

  private async search(target: Target): Promise<Found> {
    const over = new AbortController();
    if (this.closed) over.abort();
    const timer = this.clock.after(SEARCH_MS, () => over.abort());
    this.searches.add(over);
    const found = await search(target, this.names, this.families(), this.transports, over.signal);
    this.searches.delete(over);
    timer.cancel();
    return found;
  }

  private learn(route: Route, { tiers, ttl, failed }: Found): void {
    const now = this.clock.now();
    const empty = tiers.length === 0;
    // A search that got only some answers may have missed the better servers; but it beats an earlier one of its kind.
    if (failed && now < route.staleUntil && (empty || route.complete)) {
      route.until = now + STALE_MS;
      return;
    }
    const long = Math.min(Math.max(ttl * 1000, TTL_MIN_MS), TTL_MAX_MS);
    const keep = empty ? (failed ? FAILED_MS : EMPTY_MS) : failed ? Math.min(long, PARTIAL_MS) : long;
    route.learn(tiers, !failed, now + keep, empty ? 0 : now + keep + STALE_MAX_MS);
  }
}
