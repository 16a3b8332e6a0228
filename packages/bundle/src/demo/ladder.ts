/** One line per SIP message, with both ends at the sides. */
import type { WireMessage } from './wire.js';

const WIDTH = 92;
const FIELDS = ['SIP-If-Match', 'SIP-ETag', 'Subscription-State', 'Min-Expires'];

const shortened = (text: string): string => (text.length > 20 ? `${text.slice(0, 8)}..${text.slice(-10)}` : text);

/** What a document says in a word, in brackets: basic status, state of a call or of a registration; empty for any other. */
function document(text = ''): string {
  const word =
    /<(?:\w+:)?basic>\s*(\w+)/.exec(text) ??
    /<(?:\w+:)?state(?:\s[^>]*)?>\s*(\w+)/.exec(text) ??
    /<(?:\w+:)?registration\s[^>]*state="(\w+)"/.exec(text);
  return word === null ? '' : ` [${word[1]}]`;
}

/** `PUBLISH sip:alice@demo.example Expires=4 [open]` */
export function summary({ message }: WireMessage): string {
  const { headers, body, cseq } = message;
  const first =
    message.kind === 'request'
      ? `${message.method} ${message.method === 'NOTIFY' ? '' : message.uri}`.trim()
      : `${message.status} ${message.reason}`;
  const fields = FIELDS.flatMap((name) => {
    const value = headers.get(name);
    return value === undefined ? [] : [name === 'Subscription-State' ? value : `${name}=${shortened(value)}`];
  });
  const expires = headers.get('Expires');
  if (expires !== undefined) fields.push(`Expires=${expires}`);
  if (cseq.method === 'SUBSCRIBE' && message.kind === 'request') fields.push(`CSeq=${cseq.number}`);
  const to = message.kind === 'response' && cseq.method === 'NOTIFY' ? ' (NOTIFY)' : '';
  return `${[first, ...fields].join(' ')}${document(body?.text())}${to}`;
}

/**
 *       0.412  pua  ----- PUBLISH sip:alice@demo.example Expires=3600 [open] ----->  server
 *       0.413  pua  <---- 200 OK SIP-ETag=x7.1 Expires=4 --------------------------  server
 */
export function ladderLine(seen: WireMessage, seconds: number): string {
  const text = ` ${summary(seen)} `;
  const right = seen.direction === 'in';
  const arrow = right ? `-----${text}`.padEnd(WIDTH - 1, '-') : `<----${text}`.padEnd(WIDTH, '-');
  return `${seconds.toFixed(3).padStart(8)}  pua  ${arrow}${right ? '>' : ''}  server`;
}
