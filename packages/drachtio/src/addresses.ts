/** SIP addresses: where the server can be reached, and where a request goes. */
import { isIPv6 } from 'node:net';
import { type Hop, PuaError, type Transport } from '@pua/core';

const TRANSPORTS: ReadonlySet<string> = new Set(['udp', 'tcp', 'tls', 'ws', 'wss']);
const HOST_PORT = /^(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9._-]+))(?::(\d{1,5}))?$/;

const bracketed = (host: string): string => (host.includes(':') ? `[${host}]` : host);
const isLoopback = (host: string): boolean => /^(?:127\.|::1$|localhost$)/i.test(host);

/** `udp/192.0.2.1:5060,tcp/[::1]:5060`, as the server says it when it lets an application in. */
export function parseHostports(text: string): readonly Hop[] {
  return text.split(',').flatMap((entry) => {
    const [, transport = '', rest = ''] = /^\s*([a-z]+)\/(.*?)\s*$/.exec(entry) ?? [];
    const parts = HOST_PORT.exec(rest);
    if (!parts || !TRANSPORTS.has(transport)) return [];
    return [{ transport: transport as Transport, host: (parts[1] ?? parts[2])!, port: Number(parts[3] ?? 5060) }];
  });
}

/** The address of the server's that a peer behind `hop` should use: its transport, its family, no loopback from outside. */
export function addressToward(addresses: readonly Hop[], hop: Hop): Hop | undefined {
  const points = (own: Hop): number =>
    (own.transport === hop.transport ? 4 : 0) +
    (isIPv6(own.host) === isIPv6(hop.host) ? 2 : 0) +
    (isLoopback(own.host) === isLoopback(hop.host) ? 1 : 0);
  return addresses.reduce<Hop | undefined>(
    (best, own) => (best && points(best) >= points(own) ? best : own),
    undefined,
  );
}

export function contactUri(user: string, own: Hop): string {
  const parameter = own.transport === 'udp' ? '' : `;transport=${own.transport}`;
  return `sip:${escapeUser(user)}@${bracketed(own.host)}:${own.port}${parameter}`;
}

/** Escapes what may not stand in the user part of a SIP URI (RFC 3261 19.1.2, 25.1). */
function escapeUser(user: string): string {
  return user.replace(/[^A-Za-z0-9\-_.!~*'()&=+$,;?/]+/gu, (run) =>
    [...Buffer.from(run, 'utf8')].map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join(''),
  );
}

interface Target {
  readonly secure: boolean;
  readonly host: string;
  readonly port: number | undefined;
  readonly transport: string | undefined;
  readonly maddr: string | undefined;
}

function readUri(uri: string): Target | undefined {
  const [, scheme, rest] = /^(sips?):(?:[^@]*@)?([^@]*)$/i.exec(uri) ?? [];
  const [address = '', ...parameters] = (rest ?? '').split('?', 1)[0]!.split(';');
  const parts = HOST_PORT.exec(address);
  const port = Number(parts?.[3] ?? 1);
  if (!scheme || !parts || port < 1 || port > 65_535) return undefined;
  const parameter = (name: string) =>
    parameters.find((one) => one.toLowerCase().startsWith(`${name}=`))?.slice(name.length + 1);
  return {
    secure: scheme.toLowerCase() === 'sips',
    host: (parts[1] ?? parts[2])!,
    port: parts[3] === undefined ? undefined : port,
    transport: parameter('transport')?.toLowerCase(),
    maddr: parameter('maddr')?.replace(/^\[|\]$/g, ''),
  };
}

/**
 * The hop of a URI is its host, a name as it stands: drachtio-server itself looks names up by RFC 3263. Port 0 says that
 * the URI names none, so that the server may ask for NAPTR and SRV.
 * @throws PuaError `PUA_ERR_ARGUMENT` for what is not a SIP URI
 */
export function hopsOf(uri: string): readonly Hop[] {
  const target = readUri(uri);
  if (!target) {
    throw new PuaError('PUA_ERR_ARGUMENT', `cannot resolve ${JSON.stringify(uri)}: not a sip or sips URI`);
  }
  const transport = target.transport ?? (target.secure ? 'tls' : 'udp');
  if (!TRANSPORTS.has(transport)) return [];
  return [{ transport: transport as Transport, host: target.maddr ?? target.host, port: target.port ?? 0 }];
}

/** A hop as the URI that drachtio-server sends to. UDP is what a URI without transport means, and what a lookup may change. */
export function proxyUri({ host, port, transport }: Hop): string {
  return `sip:${bracketed(host)}${port === 0 ? '' : `:${port}`}${transport === 'udp' ? '' : `;transport=${transport}`}`;
}

/** Does the URI lead to one of these addresses? */
export function leadsTo(uri: string, addresses: readonly Hop[]): boolean {
  const target = readUri(uri);
  if (!target || target.secure) return false;
  const { host, port = 5060, transport = 'udp' } = target;
  return addresses.some(
    (own) => own.host.toLowerCase() === host.toLowerCase() && own.port === port && own.transport === transport,
  );
}
