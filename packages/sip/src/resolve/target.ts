/** What a SIP URI asks for, before any name is looked up (RFC 3263 4, 4.1; WebSocket: RFC 7118). */
import type { Hop, Transport } from '@pua/core';
import type { SipUri } from '../message/uri.js';

export const TRANSPORTS: readonly Transport[] = ['udp', 'tcp', 'tls', 'ws', 'wss'];

interface Service {
  /** NAPTR service field (RFC 3263 9, RFC 7118 8). */
  readonly naptr: string;
  /** Before the domain, the name of its SRV records (RFC 3263 4.2). */
  readonly srv: string;
  readonly port: number;
  readonly secure: boolean;
}

export const SERVICES: Readonly<Record<Transport, Service>> = {
  udp: { naptr: 'SIP+D2U', srv: '_sip._udp', port: 5060, secure: false },
  tcp: { naptr: 'SIP+D2T', srv: '_sip._tcp', port: 5060, secure: false },
  tls: { naptr: 'SIPS+D2T', srv: '_sips._tcp', port: 5061, secure: true },
  ws: { naptr: 'SIP+D2W', srv: '_sip._ws', port: 80, secure: false },
  wss: { naptr: 'SIPS+D2W', srv: '_sips._ws', port: 443, secure: true },
};

export interface Target {
  /** Lower case, an IPv6 address without brackets, a name without its final dot. */
  readonly host: string;
  /** undefined when the URI names none. */
  readonly port: number | undefined;
  /** undefined when the URI names none, `other` for one that we don't know. */
  readonly transport: Transport | 'other' | undefined;
  /** A sips URI: nothing but TLS will do. */
  readonly secure: boolean;
}

export function targetOf(uri: SipUri): Target {
  const secure = uri.scheme === 'sips';
  const host = (uri.parameters.get('maddr') || uri.host).replace(/^\[|\]$/g, '');
  const asked = uri.parameters.get('transport')?.toLowerCase();
  const named = asked === undefined ? undefined : (TRANSPORTS.find((transport) => transport === asked) ?? 'other');
  return {
    host: host.toLowerCase().replace(/\.$/, ''),
    port: uri.port,
    transport: named && secure ? SECURED[named] : named,
    secure,
  };
}

/** `transport=tcp` of a sips URI means TLS over TCP (RFC 3261 26.2.2), `transport=ws` secure WebSocket (RFC 7118 5). */
const SECURED = { udp: 'tls', tcp: 'tls', tls: 'tls', ws: 'wss', wss: 'wss', other: 'other' } as const;

/** Transports that the target allows, out of those that can be sent, preferred one first. */
export function possible(target: Target, transports: readonly Transport[]): readonly Transport[] {
  const { transport, secure } = target;
  return transports.filter((one) => (transport ? one === transport : SERVICES[one].secure || !secure));
}

/** The hop at an address. The certificate is checked for the domain that was asked for (RFC 5922 7.1). */
export function hopTo(target: Target, transport: Transport, host: string, port = target.port): Hop {
  const { secure, port: usual } = SERVICES[transport];
  const address = { transport, host, port: port ?? usual };
  return secure ? { ...address, serverName: target.host } : address;
}
