/** All that is bound, and all that can be reached from it. */
import { isIP } from 'node:net';
import { type Clock, type Hop, PuaError, type Random } from '@pua/core';
import { bracketed } from '../message/uri.js';
import type { Counters } from '../stats.js';
import type { TimerWheel } from '../wheel.js';
import type { Carrier, Carriers, Receive } from './carrier.js';
import { Connections, type Origin } from './connections.js';
import { type BindDatagram, localHostToward, nodeDatagram } from './datagram.js';
import { CONNECT_INSTEAD_OF_UDP_MS } from './limits.js';
import { advertisedFor, type ListenAddress } from './listen.js';
import { type HandshakeOptions, StreamListener } from './listener.js';
import { type Advertised, LocalAddress, localVia, nearest, sourceAddress } from './local.js';
import { UdpCarrier } from './udp.js';

export interface CarrierOptions extends HandshakeOptions {
  readonly listen: readonly ListenAddress[];
  readonly advertised: Advertised | undefined;
  /** Of a network of one's own; undefined: node:dgram. */
  readonly bindDatagram: BindDatagram | undefined;
  /** Most connections that are accepted, and most that are opened. */
  readonly maxConnections: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly wheel: TimerWheel;
  readonly counters: Counters;
}

type Bound = UdpCarrier | StreamListener;

const KNOWN_HOSTS = 10_000;

const isWebSocket = (transport: string): boolean => transport === 'ws' || transport === 'wss';

export class BoundCarriers implements Carriers {
  private bound: Bound[] = [];
  private datagrams: UdpCarrier[] = [];
  private readonly chosen = new Map<string, UdpCarrier>();
  private readonly connections: Connections;
  /**
   * What a WebSocket client calls itself: it can be reached over its connection only (RFC 7118 5). Another one in each
   * run, so that a Contact of an earlier one is not taken for ours.
   */
  private readonly nowhere: string;

  constructor(private readonly options: CarrierOptions) {
    const { clock, wheel, random, counters, tls, maxConnections } = options;
    this.nowhere = `${random.token().toLowerCase()}.invalid`;
    this.connections = new Connections(clock, wheel, random, counters, tls, maxConnections, (hop) =>
      this.originOf(hop),
    );
  }

  get addresses(): readonly Hop[] {
    return this.bound.map(({ local: { transport, host, port } }) => ({ transport, host, port }));
  }
  /** Connections that are alive. */
  get alive(): { readonly opened: number; readonly accepted: number } {
    return { opened: this.connections.openedCount, accepted: this.connections.acceptedCount };
  }

  async open(receive: Receive): Promise<void> {
    this.connections.start(receive);
    for (const address of this.options.listen) {
      try {
        const bound = await this.bind(address, receive);
        this.bound.push(bound);
        if (bound instanceof UdpCarrier) this.datagrams.push(bound);
      } catch (cause) {
        await this.close();
        const why = cause instanceof Error ? cause.message : String(cause);
        throw new PuaError(
          'PUA_ERR_LISTEN',
          `cannot listen on ${address.text}: ${why}; choose a free port or an address of this host`,
          { cause },
        );
      }
    }
  }

  async close(): Promise<void> {
    const { bound } = this;
    this.bound = [];
    this.datagrams = [];
    this.chosen.clear();
    for (const one of bound) if (one instanceof StreamListener) one.close();
    await this.connections.close();
    for (const one of bound) if (one instanceof UdpCarrier) await one.close();
  }

  toward(hop: Hop): Carrier | Error {
    if (hop.transport !== 'udp') return this.connected(hop);
    const known = this.chosen.get(hop.host);
    if (known) return known;
    const version = isIP(hop.host);
    if (version === 0) return new Error(`hop ${hop.host} is not an IP address; resolve() gives those`);
    const carrier = nearest(this.datagrams, hop.host);
    if (!carrier) return new Error(`no UDP socket for IPv${version}: bound is ${this.describe()}`);
    if (this.chosen.size >= KNOWN_HOSTS) this.chosen.clear();
    this.chosen.set(hop.host, carrier);
    return carrier;
  }

  insteadOfDatagrams({ host, port }: Hop): Carrier | Error {
    return this.connected({ transport: 'tcp', host, port }, CONNECT_INSTEAD_OF_UDP_MS);
  }

  contact(hop: Hop): string | undefined {
    const { transport, host } = hop;
    const listener = this.listenerFor(hop);
    if (!listener && isWebSocket(transport)) return `${this.nowhere};transport=${transport}`;
    const local = (listener ?? this.anyFor(host))?.local;
    if (!local) return undefined;
    return local.via(host).sentBy + (local.transport === 'udp' ? '' : `;transport=${local.transport}`);
  }

  isOwn(transport: string, host: string, port: number): boolean {
    const ofTransport = this.bound.filter(({ local }) => local.transport === transport);
    if (ofTransport.length > 0) return ofTransport.some(({ local }) => local.isOwn(host, port));
    return isWebSocket(transport) && this.bound.length > 0 && host.toLowerCase() === this.nowhere;
  }

  private connected(hop: Hop, connectMs?: number): Carrier | Error {
    if (this.options.bindDatagram && this.bound.every(({ local }) => local.transport === 'udp')) {
      return new Error(`no transport ${hop.transport}: with bindDatagram there is UDP only, unless listen says more`);
    }
    return this.connections.toward(hop, connectMs);
  }

  private async bind(address: ListenAddress, receive: Receive): Promise<Bound> {
    const { clock, advertised, bindDatagram = nodeDatagram, listen } = this.options;
    const { transport, host, port } = address;
    const advertise = advertisedFor(address, listen[0]!, advertised);
    if (transport !== 'udp') {
      const seenBy = (peer: string) => localHostToward(peer) ?? host;
      const localOf = (real: number) => new LocalAddress(transport, host, real, advertise, clock, seenBy);
      return StreamListener.open(address, localOf, this.connections, this.options);
    }
    let carrier: UdpCarrier | undefined;
    const socket = await bindDatagram(host, port, (data, from, fromPort) => carrier?.take(data, from, fromPort));
    const seenBy = socket.localHost && ((peer: string) => socket.localHost!(peer));
    carrier = new UdpCarrier(
      socket,
      new LocalAddress('udp', socket.host, socket.port, advertise, clock, seenBy),
      receive,
    );
    return carrier;
  }

  private listenerFor({ transport, host }: Hop): Bound | undefined {
    const ofTransport = this.bound.filter(({ local }) => local.transport === transport);
    return nearest(ofTransport, host) ?? ofTransport[0];
  }

  /** For a transport that we don't listen on. */
  private anyFor(host: string): Bound | undefined {
    return nearest(this.bound, host) ?? this.bound[0];
  }

  private originOf(hop: Hop): Origin {
    const { transport, host } = hop;
    const listener = this.listenerFor(hop);
    const local = (listener ?? this.anyFor(host))?.local;
    const from = sourceAddress(local, host);
    if (listener) return { via: listener.local.via(host), from };
    // The answer comes over the same connection; only when that is lost matters what is said here.
    const sentBy = isWebSocket(transport) || !local ? this.nowhere : local.via(host).sentBy;
    return { via: localVia(transport, sentBy), from };
  }

  private describe(): string {
    const names = this.bound.map(({ local }) => `${local.transport}:${bracketed(local.host)}:${local.port}`);
    return names.join(', ') || 'nothing';
  }
}
