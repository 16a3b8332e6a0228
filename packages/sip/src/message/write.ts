/** Builds messages: the head as one string, the bytes in one buffer. */
import type { Headers, OutgoingRequest } from '@pua/core';
import type { Head } from './head.js';
import { reasonPhrase } from './names.js';
import { stampedVia, type Via } from './via.js';

const NOT_ASCII = /[^\0-\x7f]/;

/**
 * The bytes of a request that has been checked. `via` is the field up to the branch (`SIP/2.0/UDP host:port;branch=`),
 * `agent` the value of User-Agent or '', `ascii` whether all fields of the request are.
 */
export function requestBytes(r: OutgoingRequest, via: string, branch: string, agent: string, ascii: boolean): Buffer {
  const { body, routes, headers } = r;
  let head = `${r.method} ${r.uri} SIP/2.0\r\nVia: ${via}${branch};rport\r\nMax-Forwards: 70\r\n`;
  for (let i = 0; i < routes.length; i++) head += `Route: ${routes[i]}\r\n`;
  head += `From: <${r.from.uri}>;tag=${r.from.tag}\r\nTo: <${r.to.uri}>`;
  if (r.to.tag !== undefined) head += `;tag=${r.to.tag}`;
  head += `\r\nCall-ID: ${r.callId}\r\nCSeq: ${r.cseq} ${r.method}\r\n`;
  if (r.contact !== undefined) head += `Contact: <${r.contact}>\r\n`;
  for (let i = 0; i < headers.length; i++) {
    const header = headers[i]!;
    head += `${header[0]}: ${header[1]}\r\n`;
  }
  if (agent) head += `User-Agent: ${agent}\r\n`;
  // What is ASCII is copied much faster.
  const encoding = ascii ? 'latin1' : 'utf8';
  if (!body) return Buffer.from(`${head}Content-Length: 0\r\n\r\n`, encoding);

  const { content } = body;
  const size = typeof content === 'string' ? Buffer.byteLength(content) : content.length;
  head += `Content-Type: ${body.type}\r\nContent-Length: ${size}\r\n\r\n`;
  const headSize = ascii ? head.length : Buffer.byteLength(head);
  // Head and body are written one behind the other: joined as strings first, both would be copied twice.
  const bytes = Buffer.allocUnsafe(headSize + size);
  bytes.write(head, 0, encoding);
  if (typeof content === 'string') bytes.write(content, headSize, size === content.length ? 'latin1' : 'utf8');
  else bytes.set(content, headSize);
  return bytes;
}

/** Text with one character per byte of its UTF-8 form, to go beside header fields that are echoed byte for byte. */
function binary(text: string): string {
  return NOT_ASCII.test(text) ? Buffer.from(text, 'utf8').toString('latin1') : text;
}

export interface Answer {
  readonly status: number;
  readonly reason?: string | undefined;
  readonly headers?: Headers | undefined;
}

/**
 * An answer to a request, one character per byte (RFC 3261 8.2.6): Via, From, To, Call-ID, CSeq as they came, as far as
 * they were there, `received` and `rport` filled in, and the To tag added when there is none.
 */
export function answerText(
  head: Head,
  via: Via,
  from: { readonly host: string; readonly port: number },
  toTag: string | undefined,
  agent: string,
  answer: Answer,
): string {
  const { status, headers } = answer;
  let out = `SIP/2.0 ${status} ${binary(answer.reason ?? reasonPhrase(status))}\r\nVia: `;
  const start = head.start(head.via);
  out += stampedVia(head.text, start, head.stop(head.via, start), via, from.host, from.port);
  for (let more = head.viaLines - 1, line = head.via; more > 0; more--) {
    line = head.find('via', line + 1);
    out += `\r\nVia: ${head.binary(line)}`;
  }
  if (head.from >= 0) out += `\r\nFrom: ${head.binary(head.from)}`;
  if (head.to >= 0) out += `\r\nTo: ${head.binary(head.to)}`;
  if (head.to >= 0 && toTag !== undefined) out += `;tag=${toTag}`;
  if (head.callId >= 0) out += `\r\nCall-ID: ${head.binary(head.callId)}`;
  if (head.cseq >= 0) out += `\r\nCSeq: ${head.binary(head.cseq)}`;
  out += '\r\n';
  if (headers) for (let i = 0; i < headers.length; i++) out += `${headers[i]![0]}: ${binary(headers[i]![1])}\r\n`;
  if (agent) out += `Server: ${agent}\r\n`;
  return `${out}Content-Length: 0\r\n\r\n`;
}

/** The route set goes back to who made it (RFC 3261 12.1.1). */
export function recordRoutes(head: Head): Headers {
  return head.all('Record-Route').map((value) => ['Record-Route', value] as const);
}
