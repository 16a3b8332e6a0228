/**
 * The ceiling: node:dgram sends a datagram as long as a PUBLISH, gets one as long as its 200, and sends the next one.
 *
 *   raw       the server answers with fixed bytes
 *   answerer  the server makes a SIP answer, as in the rows that publish: what those could reach at most
 */
import { pidf } from '../document.js';
import { loopbackSocket } from '../loopback.js';
import type { AnswerMode } from '../peer/messages.js';
import { startServer } from '../peer/start.js';
import type { Load, Measurement, Row } from '../row.js';
import { Stopwatch, sleep, warmUp } from '../stopwatch.js';

function publishDatagram(port: number): Buffer {
  const uri = 'sip:user00001@example.com';
  const body = pidf(uri, 1);
  return Buffer.from(
    `PUBLISH ${uri} SIP/2.0
Via: SIP/2.0/UDP 127.0.0.1:${port};branch=z9hG4bKabcdefghijklmn.abcd;rport
Max-Forwards: 70
From: <${uri}>;tag=abcdefghijklmn
To: <${uri}>
Call-ID: abcdefghijklmn
CSeq: 1 PUBLISH
Event: presence
Expires: 3600
SIP-If-Match: abcdefgh
Content-Type: application/pidf+xml
Content-Length: ${body.length}

`.replaceAll('\n', '\r\n') + body,
    'latin1',
  );
}

async function run(mode: AnswerMode, load: Load): Promise<Measurement> {
  const server = await startServer(mode);
  const socket = loopbackSocket();
  // Bound within the call, as there is nothing to look up: an event awaited afterwards would be missed.
  await new Promise<void>((bound) => socket.bind(0, '127.0.0.1', bound));
  const datagram = publishDatagram(socket.address().port);
  let answered = 0;
  let replyBytes = 0;
  const send = () => socket.send(datagram, server.port, '127.0.0.1');
  socket.on('message', (reply) => {
    answered++;
    replyBytes = reply.length;
    send();
  });
  for (let i = 0; i < load.window; i++) send();
  await warmUp(load, () => answered);
  const watch = await Stopwatch.start(server, answered);
  await sleep(load.measureMs);
  const measurement = await watch.stop(answered, { requestBytes: datagram.length, replyBytes });
  socket.close();
  await server.stop();
  return measurement;
}

export const raw: Row = {
  name: 'raw',
  title: 'node:dgram request/response, fixed answer: the ceiling',
  run: (load) => run('static', load),
};

export const answerer: Row = {
  name: 'answerer',
  title: 'node:dgram against the SIP answerer of the rows below',
  run: (load) => run('sip', load),
};
