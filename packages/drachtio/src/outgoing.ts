/** Requests as drachtio-srf takes them. */
import type { OutgoingRequest } from '@pua/core';
import { proxyUri } from './addresses.js';
import type { RequestOptions } from './srf.js';

/** The server's buffer holds 12 228 bytes; a longer frame would silence the link for good. */
export const MAX_FRAME_BYTES = 12_000;
/** The server copies a Request-URI into 1024 bytes. */
export const MAX_URI_BYTES = 1_000;

/** `<length>#<uuid>|sip||` */
const FRAME_HEAD_BYTES = 48;

export interface OutgoingFrame {
  readonly uri: string;
  readonly options: RequestOptions;
  readonly bytes: number;
}

/**
 * A request that names everything itself. drachtio-server drops a Route field, but not one among the header fields of the
 * Request-URI, which it takes off again; then it needs a To, which would be that URI otherwise.
 */
export function outsideFrame(
  r: OutgoingRequest,
  body: string | undefined,
  userAgent: string | undefined,
): OutgoingFrame {
  const routes = r.routes.length === 0 ? '' : `?Route=${encodeURIComponent(r.routes.join(', '))}`;
  const { to } = r;
  return frame(`${r.uri}${routes}`, r, body, userAgent, { proxy: proxyUri(r.hop) }, [
    ['call-id', r.callId],
    ['From', `<${r.from.uri}>;tag=${r.from.tag}`],
    ['To', to.tag === undefined ? `<${to.uri}>` : `<${to.uri}>;tag=${to.tag}`],
    ['CSeq', `${r.cseq} ${r.method}`],
  ]);
}

/** drachtio-server's name of a dialog. */
const dialogId = (callId: string, localTag: string): string => `${callId};from-tag=${localTag}`;

/** A request in a dialog that the server has: tags, CSeq and routes are its own. */
export function insideFrame(
  r: OutgoingRequest,
  body: string | undefined,
  userAgent: string | undefined,
): OutgoingFrame {
  return frame(r.uri, r, body, userAgent, { stackDialogId: dialogId(r.callId, r.from.tag) }, []);
}

function frame(
  uri: string,
  r: OutgoingRequest,
  body: string | undefined,
  userAgent: string | undefined,
  way: Pick<RequestOptions, 'proxy' | 'stackDialogId'>,
  identity: readonly (readonly [string, string])[],
): OutgoingFrame {
  const headers: Record<string, string> = {};
  for (const [name, value] of identity) headers[name] = value;
  if (r.contact !== undefined) headers['Contact'] = `<${r.contact}>`;
  for (const [name, value] of r.headers) add(headers, name, value);
  if (userAgent !== undefined && r.headers.every(([name]) => name.toLowerCase() !== 'user-agent')) {
    headers['User-Agent'] = userAgent;
  }
  if (r.body && body !== undefined) headers['Content-Type'] = r.body.type;
  let head = `${r.method} ${uri} SIP/2.0\r\n${way.proxy ?? way.stackDialogId}|Content-Length: 12345\r\n\r\n`;
  for (const name in headers) head += `${name}: ${headers[name]}\r\n`;
  return {
    uri,
    options: { method: r.method, headers, ...way, ...(body === undefined ? {} : { body }) },
    bytes: FRAME_HEAD_BYTES + Buffer.byteLength(head) + (body === undefined ? 0 : Buffer.byteLength(body)),
  };
}

/** So many ways to write a name are tried. */
const SPELLINGS = 64;

/** drachtio-srf holds a field once per name as written: a further one is written with other capitals. */
function add(headers: Record<string, string>, name: string, value: string): void {
  let spelling = name;
  for (let n = 0; n < SPELLINGS && Object.hasOwn(headers, spelling); n++) {
    spelling = [...name.toLowerCase()].map((c, i) => ((n >> i) & 1 ? c.toUpperCase() : c)).join('');
  }
  headers[spelling] = Object.hasOwn(headers, spelling) ? `${headers[spelling]}, ${value}` : value;
}
