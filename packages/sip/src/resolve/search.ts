/**
 * One search for the servers of a target (RFC 3263 4.1, 4.2):
 *
 *   port given          A/AAAA of the host
 *   transport given     SRV of that transport; none: A/AAAA of the host
 *   neither             NAPTR, SRV of each of its services; no NAPTR: SRV of each transport; no SRV: A/AAAA of the host
 *
 * It ends: three steps, a bounded number of questions, and a signal after which what is still open counts as failed.
 */
import type { Hop, Transport } from '@pua/core';
import type { NameService, NaptrRecord, SrvRecord } from './names.js';
import type { Server, Tier } from './order.js';
import { hopTo, possible, SERVICES, type Target } from './target.js';

/** What a domain has beyond these is not looked at. */
const MOST_SERVICES = 8;
const MOST_SERVERS = 32;
const MOST_ADDRESSES = 8;

export interface Found {
  readonly tiers: readonly Tier[];
  /** Seconds that all of it may be kept; infinite when nothing says how long. */
  readonly ttl: number;
  /** Some question got no answer: there may be more, or others. */
  readonly failed: boolean;
}

/** `transports`: those that can be sent, preferred one first. `over`: nothing is waited for or asked any more. */
export async function search(
  target: Target,
  names: NameService,
  families: readonly (4 | 6)[],
  transports: readonly Transport[],
  over: AbortSignal,
): Promise<Found> {
  const run = new Search(target, names, families, possible(target, transports), over);
  const tiers = await run.tiers();
  return { tiers, ttl: run.ttl, failed: run.failed };
}

/** Where SRV records of a transport stand. */
interface Service {
  readonly transport: Transport;
  readonly name: string;
}

class Search {
  ttl = Number.POSITIVE_INFINITY;
  failed = false;
  /** The services of a domain tend to be on the same hosts: each is asked for once. */
  private readonly hosts = new Map<string, Promise<readonly string[]>>();
  private readonly end: Promise<undefined>;

  constructor(
    private readonly target: Target,
    private readonly names: NameService,
    private readonly families: readonly (4 | 6)[],
    /** Those that are possible. */
    private readonly transports: readonly Transport[],
    private readonly over: AbortSignal,
  ) {
    this.end = new Promise((resolve) => {
      over.addEventListener('abort', () => resolve(undefined), { once: true });
    });
  }

  async tiers(): Promise<readonly Tier[]> {
    const { host, port } = this.target;
    let [transport] = this.transports;
    if (!transport) return [];
    // A name without a dot is one of the hosts file or a search list, not a domain that could have services.
    if (port === undefined && host.includes('.')) {
      const services = await this.services();
      const answers = await Promise.all(services.map(({ name }) => this.ask(() => this.names.srv(name))));
      const tiers = await this.servers(services, answers);
      // RFC 2782: the host itself only without SRV records. Records that lead nowhere are an answer.
      const [preferred] = services;
      if (!preferred || tiers.length > 0 || answers[0]!.length > 0) return tiers;
      transport = preferred.transport;
    }
    const hops = await this.hops(transport, host, port);
    return hops.length > 0 ? [[{ weight: 0, hops }]] : [];
  }

  /** Preferred one first: as NAPTR says, else all that are possible. */
  private async services(): Promise<readonly Service[]> {
    const { host, transport } = this.target;
    if (!transport) {
      const pointed = pointedAt(await this.ask(() => this.names.naptr(host)), this.transports);
      if (pointed.length > 0) return pointed;
    }
    return this.transports.map((one) => ({ transport: one, name: `${SERVICES[one].srv}.${host}` }));
  }

  /** The servers of all services, in tiers of the same service and priority. */
  private async servers(services: readonly Service[], answers: readonly (readonly SrvRecord[])[]): Promise<Tier[]> {
    const candidates = services
      .flatMap((service, i) => usable(answers[i]!).map((record) => ({ ...service, record })))
      .slice(0, MOST_SERVERS);
    const found = await Promise.all(
      candidates.map(({ transport, record }) => this.hops(transport, plainName(record.target), record.port)),
    );
    const seen = new Set<string>();
    const tiers = new Map<string, Server[]>();
    for (const [i, { name, record }] of candidates.entries()) {
      const hops = found[i]!.filter(({ transport, host, port }) => {
        const hop = `${transport} ${host} ${port}`;
        return !seen.has(hop) && seen.add(hop);
      });
      if (hops.length === 0) continue;
      const key = `${name} ${record.priority}`;
      tiers.set(key, [...(tiers.get(key) ?? []), { weight: record.weight, hops }]);
    }
    return [...tiers.values()];
  }

  private async hops(transport: Transport, name: string, port: number | undefined): Promise<readonly Hop[]> {
    let asked = this.hosts.get(name);
    if (!asked) {
      asked = this.addresses(name);
      this.hosts.set(name, asked);
    }
    const hosts = await asked;
    return hosts.map((host) => hopTo(this.target, transport, host, port));
  }

  private async addresses(name: string): Promise<readonly string[]> {
    const answers = await Promise.all(
      this.families.map((family) => this.ask(() => this.names.addresses(name, family))),
    );
    return answers.flatMap((found) => found.slice(0, MOST_ADDRESSES).map(({ host }) => host));
  }

  /** An empty list also when nobody could tell. */
  private async ask<T extends { readonly ttl: number }>(question: () => Promise<readonly T[]>): Promise<readonly T[]> {
    let records: readonly T[] | undefined;
    try {
      if (!this.over.aborted) records = await Promise.race([question(), this.end]);
    } catch {
      // As when it takes too long.
    }
    if (!records) this.failed = true;
    for (const { ttl } of records ?? []) this.ttl = Math.min(this.ttl, ttl);
    return records ?? [];
  }
}

/** RFC 3263 4.1: services of other kinds, or by a transport that can't be used, are discarded. */
function pointedAt(records: readonly NaptrRecord[], transports: readonly Transport[]): readonly Service[] {
  return [...records]
    .sort((a, b) => a.order - b.order || a.preference - b.preference)
    .flatMap(({ flags, service, regexp, replacement }) => {
      const transport = transports.find((one) => SERVICES[one].naptr === service.toUpperCase());
      const name = plainName(replacement);
      return transport && flags.toLowerCase() === 's' && regexp === '' && name !== '' ? [{ transport, name }] : [];
    })
    .slice(0, MOST_SERVICES);
}

/** By priority, without the ones that say "not here" (RFC 2782: target "."). */
function usable(records: readonly SrvRecord[]): readonly SrvRecord[] {
  return records
    .filter(({ target, port }) => plainName(target) !== '' && port > 0)
    .sort((a, b) => a.priority - b.priority);
}

function plainName(name: string): string {
  return name.toLowerCase().replace(/\.$/, '');
}
