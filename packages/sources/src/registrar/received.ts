/** Where a phone really is, as a SIP URI. */
import type { Hop } from '@pua/core';
import { isUri } from './address.js';
import type { RegisterRequest } from './request.js';

function addressUri(transport: string, host: string, port: string | number): string {
  const address = host.includes(':') && !host.startsWith('[') ? `[${host}]` : host;
  return `sip:${address}:${port}${transport === 'udp' ? '' : `;transport=${transport}`}`;
}

/** Where a request came from. */
export const sourceUri = ({ transport, host, port }: Hop): string => addressUri(transport, host, port);

const VIA = /^\s*SIP\s*\/\s*2\.0\s*\/\s*([a-z]+)\s+(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::([0-9]{1,5}))?/i;

/**
 * What the proxy that copies a REGISTER to us knows of its origin: the `received` of its Path (path with
 * `use_received`), else of the Via that the phone had written (RFC 3261 18.2.1, RFC 3581); else where the copy came from.
 */
export function receivedByProxy({ request, path }: RegisterRequest): string {
  const inPath = path === undefined ? undefined : /;\s*received=([^;>,\s"]+)/i.exec(path)?.[1];
  const uri = inPath === undefined ? undefined : decoded(inPath);
  if (uri !== undefined && isUri(uri)) return uri;
  // One line may hold several: only a comma outside of quotes ends a value, and no value that matters is quoted.
  const [, behind] = request.headers.all('Via').flatMap((line) => line.split(','));
  const via = behind === undefined ? null : VIA.exec(behind);
  if (!via) return sourceUri(request.source);
  const [, transport = '', host = '', port] = via;
  const received = /;\s*received\s*=\s*([0-9a-f:.[\]]+)/i.exec(behind!)?.[1];
  const rport = /;\s*rport\s*=\s*([0-9]{1,5})/i.exec(behind!)?.[1];
  const name = transport.toLowerCase();
  return addressUri(name, received ?? host, rport ?? port ?? (name === 'tls' ? 5061 : 5060));
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
