/** The address under which peers reach a socket of ours: what stands in Via and Contact. */
import { isIP } from 'node:net';
import type { Clock, Transport } from '@pua/core';
import { bracketed } from '../message/uri.js';
import type { LocalVia } from './carrier.js';

/** The address toward a peer is asked for again after this time: interfaces come and go. */
const LOCAL_HOST_MS = 30_000;
const LOCAL_HOSTS = 1000;
const WILDCARD = /^(?:0\.0\.0\.0|::)$/;

export interface Advertised {
  readonly host: string;
  readonly port?: number;
}

/** How requests by that transport name an address of ours. */
export function localVia(transport: Transport, sentBy: string): LocalVia {
  return { sentBy, start: `SIP/2.0/${transport.toUpperCase()} ${sentBy};branch=` };
}

export class LocalAddress {
  /** Bound to all addresses of the host, so that the one a peer sees depends on the peer. */
  readonly wildcard: boolean;
  private readonly fixed: LocalVia | undefined;
  private readonly known = new Map<string, { readonly via: LocalVia; readonly until: number }>();

  constructor(
    readonly transport: Transport,
    readonly host: string,
    readonly port: number,
    private readonly advertised: Advertised | undefined,
    private readonly clock: Clock,
    /** For a socket bound to a wildcard address: the address under which a peer sees us. */
    private readonly toward: ((peer: string) => string) | undefined,
  ) {
    this.wildcard = toward !== undefined && WILDCARD.test(host);
    if (advertised || !this.wildcard) this.fixed = this.named(advertised?.host ?? host);
  }

  via(peer: string): LocalVia {
    if (this.fixed) return this.fixed;
    const known = this.known.get(peer);
    const now = this.clock.now();
    if (known && known.until > now) return known.via;
    const via = this.named(this.toward!(peer));
    if (this.known.size >= LOCAL_HOSTS) this.known.clear();
    this.known.set(peer, { via, until: now + LOCAL_HOST_MS });
    return via;
  }

  /** Whether via() gives this address to some peer. */
  isOwn(host: string, port: number): boolean {
    if (port !== (this.advertised?.port ?? this.port)) return false;
    if (this.fixed) return host.toLowerCase() === (this.advertised?.host ?? this.host).toLowerCase();
    // An address of this host is reached from itself.
    return isIP(host) === isIP(this.host) && this.via(host).sentBy === `${bracketed(host)}:${port}`;
  }

  private named(host: string): LocalVia {
    return localVia(this.transport, `${bracketed(host)}:${this.advertised?.port ?? this.port}`);
  }
}

const LOOPBACK = /^(?:127\.|::1$)/;

/** Among several of a family: the very address, else loopback for loopback and the others for the rest. */
export function nearest<T extends { readonly local: LocalAddress }>(bound: readonly T[], peer: string): T | undefined {
  const version = isIP(peer);
  const loopback = LOOPBACK.test(peer);
  const family = bound.filter(({ local }) => isIP(local.host) === version);
  return (
    family.find(({ local }) => local.host === peer) ??
    family.find(({ local }) => WILDCARD.test(local.host) || LOOPBACK.test(local.host) === loopback) ??
    family[0]
  );
}

/** The local address to connect from, so that peers see the one we listen on; undefined: the system chooses. */
export function sourceAddress(local: LocalAddress | undefined, peer: string): string | undefined {
  if (!local || WILDCARD.test(local.host) || isIP(local.host) !== isIP(peer)) return undefined;
  return LOOPBACK.test(local.host) === LOOPBACK.test(peer) ? local.host : undefined;
}
