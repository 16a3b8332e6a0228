/**
 * The answering server, a process of its own: node:dgram and as little else as possible, so that a row measures its
 * client. `sip` copies the fields that an answer needs (RFC 3261 8.2.6) out of the datagram and reads nothing else.
 */
import { loopbackSocket } from '../loopback.js';
import type { AnswerMode, ServerReport } from './messages.js';

const mode = process.argv[2] as AnswerMode;

/** All that is copied stands before the body, in the first lines. */
const HEAD_BYTES = 700;
const tagPrefix = process.pid.toString(36);
let answered = 0;

/** The line that begins with `name`, line end included. */
function line(text: string, name: string): string {
  const start = text.indexOf(name) + 2;
  return text.slice(start, text.indexOf('\r\n', start) + 2);
}

/** PUBLISH -> 200 with the lifetime that was asked for and a new entity-tag (RFC 3903 6). */
function accepted(datagram: Buffer): Buffer {
  const text = datagram.toString('latin1', 0, HEAD_BYTES);
  const mark = `${tagPrefix}${(answered++).toString(36)}`;
  const to = line(text, '\r\nTo: ');
  const answer = `SIP/2.0 200 OK\r\n${line(text, '\r\nVia: ')}${line(text, '\r\nFrom: ')}${to.slice(0, -2)};tag=${mark}\r\n${line(
    text,
    '\r\nCall-ID: ',
  )}${line(text, '\r\nCSeq: ')}${line(text, '\r\nExpires: ')}SIP-ETag: ${mark}\r\nContent-Length: 0\r\n\r\n`;
  return Buffer.from(answer, 'latin1');
}

/** As long as the other kind of answer. */
const fixed = Buffer.alloc(350, 'x');

const socket = loopbackSocket();

function report(): void {
  const { user, system } = process.cpuUsage();
  const message: ServerReport = { port: socket.address().port, cpu: user + system };
  process.send?.(message);
}

socket.on('message', (datagram, from) => {
  socket.send(mode === 'sip' ? accepted(datagram) : fixed, from.port, from.address);
});
socket.bind(0, '127.0.0.1', report);
process.on('message', report);
process.on('disconnect', () => process.exit(0));
