/** As little of SIP as a peer needs, for one that costs less than what it measures. */

/** All that is copied stands before the body, in the first lines. */
const HEAD_BYTES = 700;

/** As long as a real answer: what the ceiling answers with. */
export const FIXED_ANSWER = Buffer.alloc(350, 'x');

export const headOf = (datagram: Buffer): string => datagram.toString('latin1', 0, HEAD_BYTES);

/** The line that begins with `name`, line end included. */
export function line(head: string, name: string): string {
  const start = head.indexOf(`\r\n${name}: `) + 2;
  return head.slice(start, head.indexOf('\r\n', start) + 2);
}

/** 200 with the fields that an answer needs (RFC 3261 8.2.6), the lifetime that was asked for, and `more` lines. */
export function accepted(head: string, toTag: string, more: string): Buffer {
  const to = line(head, 'To').slice(0, -2);
  const copied = `${line(head, 'Via')}${line(head, 'From')}${to};tag=${toTag}\r\n${line(head, 'Call-ID')}${line(head, 'CSeq')}`;
  return Buffer.from(`SIP/2.0 200 OK\r\n${copied}${line(head, 'Expires')}${more}Content-Length: 0\r\n\r\n`, 'latin1');
}
