/** Where names are looked up: DNS, and for addresses the system too (its hosts file and search list). */
import { promises as dns } from 'node:dns';
import { PuaError } from '@pua/core';

/** An A or AAAA record. */
export interface HostAddress {
  readonly host: string;
  /** Seconds it may be kept. */
  readonly ttl: number;
}

/** An SRV record (RFC 2782). */
export interface SrvRecord {
  /** Lower ones are tried first. */
  readonly priority: number;
  /** Share among the records of one priority. */
  readonly weight: number;
  readonly port: number;
  /** Host name; `.` or empty: the service is decidedly not available. */
  readonly target: string;
  /** Seconds it may be kept. */
  readonly ttl: number;
}

/** A NAPTR record (RFC 3403). */
export interface NaptrRecord {
  /** Lower ones are tried first; `preference` decides among equal ones. */
  readonly order: number;
  readonly preference: number;
  readonly flags: string;
  readonly service: string;
  readonly regexp: string;
  readonly replacement: string;
  /** Seconds it may be kept. */
  readonly ttl: number;
}

/**
 * Where names are looked up; the simulated network of a test gives its own. An empty list says that there are no such
 * records; a rejection says that nobody could tell (time-out, SERVFAIL), so that what was known before stays in use.
 */
export interface NameService {
  /** A (4) or AAAA (6) records. */
  addresses(name: string, family: 4 | 6): Promise<readonly HostAddress[]>;
  srv(name: string): Promise<readonly SrvRecord[]>;
  naptr(name: string): Promise<readonly NaptrRecord[]>;
  /** Gives up what is being asked: the engine stops. Optional to support. */
  cancel?(): void;
}

export interface SystemNamesOptions {
  /** Name servers, `address` or `address:port`: only these are asked. Default: those of the system, then its hosts file. */
  readonly servers?: readonly string[];
  /** Milliseconds for the first try; the second one takes twice as long. Default 2000. */
  readonly timeoutMs?: number;
}

/** Neither the system nor node:dns (for SRV and NAPTR) tells how long what it says is good. */
const UNTOLD_TTL = 60;

/** Answers that say: there is none. Everything else says: nobody could tell. */
const NONE = new Set(['ENODATA', 'ENOTFOUND', 'EBADNAME']);
const CANCELLED = 'ECANCELLED';

const codeOf = (error: unknown): string => String((error as NodeJS.ErrnoException).code);

async function orNone<T>(answer: Promise<T[]>): Promise<T[]> {
  try {
    return await answer;
  } catch (error) {
    if (NONE.has(codeOf(error))) return [];
    throw error;
  }
}

type Way = (name: string, family: 4 | 6) => Promise<readonly HostAddress[]>;

/** @throws PuaError `PUA_ERR_OPTION` for a server that is no address */
export function systemNames(options: SystemNamesOptions = {}): NameService {
  const { servers, timeoutMs = 2000 } = options;
  const resolver = new dns.Resolver({ timeout: timeoutMs, tries: 2 });
  if (servers) {
    try {
      resolver.setServers(servers);
    } catch (cause) {
      throw new PuaError('PUA_ERR_OPTION', `name servers ${JSON.stringify(servers)}: write address or address:port`, {
        cause,
      });
    }
  }
  const fromDns: Way = async (name, family) => {
    const asked = family === 4 ? resolver.resolve4(name, { ttl: true }) : resolver.resolve6(name, { ttl: true });
    return (await orNone(asked)).map(({ address, ttl }) => ({ host: address, ttl }));
  };
  const fromSystem: Way = async (name, family) => {
    const found = await orNone(dns.lookup(name, { family, all: true }));
    return found.map(({ address }) => ({ host: address, ttl: UNTOLD_TTL }));
  };
  const ways = (name: string): readonly Way[] => {
    if (servers) return [fromDns];
    // A name without a dot is one of the hosts file or the search list; asking DNS for it only takes time.
    return name.includes('.') ? [fromDns, fromSystem] : [fromSystem];
  };
  return {
    async addresses(name, family) {
      const failures: unknown[] = [];
      for (const way of ways(name)) {
        const found = await way(name, family).catch((error: unknown) => {
          if (codeOf(error) === CANCELLED) throw error;
          failures.push(error);
          return [];
        });
        if (found.length > 0) return found;
      }
      if (failures.length > 0) throw failures[0];
      return [];
    },
    async srv(name) {
      const found = await orNone(resolver.resolveSrv(name));
      return found.map(({ name: target, ...record }) => ({ ...record, target, ttl: UNTOLD_TTL }));
    },
    async naptr(name) {
      const found = await orNone(resolver.resolveNaptr(name));
      return found.map((record) => ({ ...record, ttl: UNTOLD_TTL }));
    },
    cancel: () => resolver.cancel(),
  };
}
