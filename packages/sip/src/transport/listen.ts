/** Addresses of the option `listen`, and the sockets that are bound to them. */
import { isIP } from 'node:net';
import { type Clock, type Hop, PuaError } from '@pua/core';
import { bracketed, parseHostPort } from '../message/uri.js';
import type { Carrier, Carriers, Receive } from './carrier.js';
import type { BindDatagram } from './datagram.js';
import { type Advertised, UdpCarrier } from './udp.js';

export interface ListenAddress {
  readonly transport: 'udp';
  readonly host: string;
  readonly port: number;
  /** As it was given, for messages. */
  readonly text: string;
}

/** @throws PuaError `PUA_ERR_OPTION` */
export function parseListen(text: string): ListenAddress {
  const match = /^([a-z]+):(?:\[([0-9a-f:.]+)\]|([0-9.]+)):([0-9]{1,5})$/i.exec(text);
  const host = match?.[2] ?? match?.[3] ?? '';
  const port = Number(match?.[4]);
  if (!match || isIP(host) === 0 || port > 65535) {
    throw new PuaError(
      'PUA_ERR_OPTION',
      `listen ${JSON.stringify(text)}: write transport:address:port with an IP address, such as udp:127.0.0.1:5060 or udp:[::1]:0`,
    );
  }
  if (match[1]!.toLowerCase() !== 'udp') {
    throw new PuaError('PUA_ERR_OPTION', `listen ${JSON.stringify(text)}: the transport must be udp`);
  }
  return { transport: 'udp', host, port, text };
}

/** @throws PuaError `PUA_ERR_OPTION` */
export function parseAdvertise(text: string): Advertised {
  const address = parseHostPort(text);
  if (!address) {
    throw new PuaError(
      'PUA_ERR_OPTION',
      `advertise ${JSON.stringify(text)}: write host, host:port or [IPv6 address]:port`,
    );
  }
  return address;
}

const LOOPBACK = /^(?:127\.|::1$)/;
const WILDCARD = /^(?:0\.0\.0\.0|::)$/;
const KNOWN_HOSTS = 10_000;

export class DatagramCarriers implements Carriers {
  private carriers: UdpCarrier[] = [];
  private readonly chosen = new Map<string, Carrier>();

  constructor(
    private readonly listen: readonly ListenAddress[],
    private readonly advertised: Advertised | undefined,
    private readonly bind: BindDatagram,
    private readonly clock: Clock,
  ) {}

  get addresses(): readonly Hop[] {
    return this.carriers.map(({ host, port }) => ({ transport: 'udp', host, port }));
  }

  async open(receive: Receive): Promise<void> {
    for (const { host, port, text } of this.listen) {
      let carrier: UdpCarrier | undefined;
      try {
        const socket = await this.bind(host, port, (data, from, fromPort) => carrier?.take(data, from, fromPort));
        carrier = new UdpCarrier(socket, this.advertised, this.clock, receive);
      } catch (cause) {
        await this.close();
        const why = cause instanceof Error ? cause.message : String(cause);
        throw new PuaError(
          'PUA_ERR_LISTEN',
          `cannot listen on ${text}: ${why}; choose a free port or an address of this host`,
          {
            cause,
          },
        );
      }
      this.carriers.push(carrier);
    }
  }

  async close(): Promise<void> {
    const open = this.carriers;
    this.carriers = [];
    this.chosen.clear();
    for (const carrier of open) await carrier.close();
  }

  isOwn(transport: string, host: string, port: number): boolean {
    return transport === 'udp' && this.carriers.some((carrier) => carrier.isOwn(host, port));
  }

  toward(hop: Hop): Carrier | Error {
    if (hop.transport !== 'udp') return new Error(`no transport ${hop.transport}: this engine listens on udp only`);
    const known = this.chosen.get(hop.host);
    if (known) return known;
    const version = isIP(hop.host);
    if (version === 0) return new Error(`hop ${hop.host} is not an IP address; resolve() gives those`);
    const carrier = this.choose(hop.host, version);
    if (!carrier) {
      const bound = this.carriers.map((c) => `udp:${bracketed(c.host)}:${c.port}`).join(', ') || 'nothing';
      return new Error(`no IPv${version} socket for ${hop.host}: bound is ${bound}`);
    }
    if (this.chosen.size >= KNOWN_HOSTS) this.chosen.clear();
    this.chosen.set(hop.host, carrier);
    return carrier;
  }

  /** Among several of a family: the very address, else loopback for loopback and the others for the rest. */
  private choose(host: string, version: number): Carrier | undefined {
    const family = this.carriers.filter((carrier) => isIP(carrier.host) === version);
    const loopback = LOOPBACK.test(host);
    return (
      family.find((carrier) => carrier.host === host) ??
      family.find((carrier) => WILDCARD.test(carrier.host) || LOOPBACK.test(carrier.host) === loopback) ??
      family[0]
    );
  }
}
