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

const RECEIVED = /^[^,]*;\s*received\s*=\s*([0-9a-f:.[\]]+)/i;
const RPORT = /^[^,]*;\s*rport\s*=\s*([0-9]{1,5})/i;
const VIA = /^\s*SIP\s*\/\s*2\.0\s*\/\s*([a-z]+)\s+(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::([0-9]{1,5}))?/i;

/**
 * What the proxy that copies a REGISTER to us knows of its origin: the `received` of its Path (path with
 * `use_received`), else of the Via that the phone had written (RFC 3261 18.2.1, RFC 3581); else where the copy came from.
 */
export function receivedByProxy({ request, path }: RegisterRequest): string {
  const inPath = path === undefined ? undefined : /;\s*received=([^;>,\s"]+)/i.exec(path)?.[1];
  const uri = inPath === undefined ? undefined : decoded(inPath);
  if (uri !== undefined && isUri(uri)) return uri;
  const behind = secondOf(request.headers.all('Via'));
  const via = behind === undefined ? null : VIA.exec(behind);
  if (!via) return sourceUri(request.source);
  const [, transport = '', host = '', port] = via;
  const received = RECEIVED.exec(behind!)?.[1];
  const rport = RPORT.exec(behind!)?.[1];
  const name = transport.toLowerCase();
  return addressUri(name, received ?? host, rport ?? port ?? (name === 'tls' ? 5061 : 5060));
}

/** The second value; a line may hold several. No value that matters has a comma in quotes. */
function secondOf([first = '', second]: readonly string[]): string | undefined {
  const comma = first.indexOf(',');
  return comma >= 0 ? first.slice(comma + 1) : second;
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
