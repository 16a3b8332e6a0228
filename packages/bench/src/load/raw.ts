/** The ceiling: node:dgram sends a datagram as long as a PUBLISH, gets one as long as its 200, and sends the next one. */
import { startPeer } from '../peer/start.js';
import type { Measure, Row } from '../row.js';
import { pidf, presentity } from './document.js';
import { loopbackSocket } from './loopback.js';
import { Stopwatch, sleep, warmUp } from './stopwatch.js';

function publishDatagram(port: number): Buffer {
  const uri = presentity(1);
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

/** How the server answers: with fixed bytes, or with those that a client of SIP needs. */
export const exchange =
  (answer: 'static' | 'sip'): Measure =>
  async (effort) => {
    const server = await startPeer('answerer', answer);
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
    for (let i = 0; i < effort.window; i++) send();
    await warmUp(effort, () => answered);
    const watch = await Stopwatch.start({ server }, answered);
    await sleep(effort.measureMs);
    const sample = await watch.stop(answered, { requestBytes: datagram.length, replyBytes });
    socket.close();
    await server.stop();
    return sample;
  };

/** What rows that send are compared with. */
export const RAW: NonNullable<Row['against']> = { name: 'node:dgram', measure: exchange('static') };
