/**
 * The answering server, a process of its own: node:dgram and as little else as possible, so that a row measures its
 * client. `static`: always the same bytes, without a look at what came; `sip`: 200 with a new entity-tag (RFC 3903 6).
 */
import { loopbackSocket } from '../load/loopback.js';
import { accepted, FIXED_ANSWER, headOf } from './datagram.js';
import { ready } from './peer.js';

const fixed = process.argv[2] === 'static';
const prefix = process.pid.toString(36);
let answered = 0;

function answer(datagram: Buffer): Buffer {
  const mark = `${prefix}${(answered++).toString(36)}`;
  return accepted(headOf(datagram), mark, `SIP-ETag: ${mark}\r\n`);
}

const socket = loopbackSocket();
socket.on('message', (datagram, from) => {
  socket.send(fixed ? FIXED_ANSWER : answer(datagram), from.port, from.address);
});
socket.bind(0, '127.0.0.1', () => ready(socket.address().port));
