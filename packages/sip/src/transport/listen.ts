/** Addresses of the options `listen` and `advertise`. */
import { isIP } from 'node:net';
import { PuaError, type Transport } from '@pua/core';
import { parseHostPort } from '../message/uri.js';
import type { Advertised } from './local.js';

export interface ListenAddress {
  readonly transport: Transport;
  readonly host: string;
  readonly port: number;
  /** As it was given, for messages. */
  readonly text: string;
}

const TRANSPORTS: ReadonlySet<string> = new Set<Transport>(['udp', 'tcp', 'tls', 'ws', 'wss']);

/** @throws PuaError `PUA_ERR_OPTION` */
export function parseListen(text: string): ListenAddress {
  const match = /^([a-z]+):(?:\[([0-9a-f:.]+)\]|([0-9.]+)):([0-9]{1,5})$/i.exec(text);
  const host = match?.[2] ?? match?.[3] ?? '';
  const port = Number(match?.[4]);
  if (!match || isIP(host) === 0 || port > 65535) {
    throw new PuaError(
      'PUA_ERR_OPTION',
      `listen ${JSON.stringify(text)}: write transport:address:port with an IP address, ` +
        'such as udp:127.0.0.1:5060 or tcp:[::1]:0',
    );
  }
  const transport = match[1]!.toLowerCase();
  if (!TRANSPORTS.has(transport)) {
    throw new PuaError(
      'PUA_ERR_OPTION',
      `listen ${JSON.stringify(text)}: the transport is not known; use udp, tcp, tls, ws or wss`,
    );
  }
  return { transport: transport as Transport, host, port, text };
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

/**
 * What of `advertise` is meant for one of several addresses: the host for all, the port for the first one and for those
 * on the same port. TLS beside UDP has a port of its own inside the NAT and outside.
 */
export function advertisedFor(
  { port }: ListenAddress,
  first: ListenAddress,
  advertised: Advertised | undefined,
): Advertised | undefined {
  return advertised && port !== first.port ? { host: advertised.host } : advertised;
}
