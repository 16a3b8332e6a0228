/** Addresses of host names, from DNS with their time to live, else from the system (its hosts file and search list). */
import { promises as dns } from 'node:dns';

export interface HostAddress {
  readonly host: string;
  /** Seconds it may be kept. */
  readonly ttl: number;
}

/** Where host names are looked up; the simulated network of a test gives its own. */
export interface NameService {
  /** A (4) or AAAA (6) records; an empty list when there are none or nobody answers. */
  addresses(name: string, family: 4 | 6): Promise<readonly HostAddress[]>;
}

/** The system doesn't tell how long what it says is good. */
const SYSTEM_TTL = 60;

export function systemNames(): NameService {
  const resolver = new dns.Resolver({ timeout: 2000, tries: 2 });
  const fromDns = async (name: string, family: 4 | 6): Promise<readonly HostAddress[]> => {
    const records =
      family === 4 ? await resolver.resolve4(name, { ttl: true }) : await resolver.resolve6(name, { ttl: true });
    return records.map(({ address, ttl }) => ({ host: address, ttl }));
  };
  const fromSystem = async (name: string, family: 4 | 6): Promise<readonly HostAddress[]> => {
    const found = await dns.lookup(name, { family, all: true });
    return found.map(({ address }) => ({ host: address, ttl: SYSTEM_TTL }));
  };
  return {
    async addresses(name, family) {
      // A name without a dot is one of the hosts file or the search list; asking DNS for it only takes time.
      const ways = name.includes('.') ? [fromDns, fromSystem] : [fromSystem];
      for (const way of ways) {
        const found = await way(name, family).catch(() => []);
        if (found.length > 0) return found;
      }
      return [];
    },
  };
}
