/** NOTIFYs with an 800-byte PIDF: read, matched to their dialog, handed to a handler, answered with 200. */
import { createPua } from '@pua/core';
import { presence } from '@pua/documents';
import { embeddedSip } from '@pua/sip';
import { presentity } from '../load/document.js';
import { loopbackSocket } from '../load/loopback.js';
import { Stopwatch, sleep, warmUp } from '../load/stopwatch.js';
import { FIXED_ANSWER } from '../peer/datagram.js';
import { type Peer, startPeer } from '../peer/start.js';
import { type Effort, type Row, type Sample, scaled } from '../row.js';

const SUBSCRIPTIONS = 1_000;

async function timed(notifier: Peer, to: number, effort: Effort, received: () => number): Promise<Sample> {
  await notifier.order({ window: effort.window, to });
  await warmUp(effort, received);
  const watch = await Stopwatch.start({ notifier }, received());
  await sleep(effort.measureMs);
  const sample = await watch.stop(received(), {});
  await notifier.order({ window: 0 });
  return sample;
}

async function dispatched(effort: Effort): Promise<Sample> {
  const notifier = await startPeer('notifier', 'sip');
  const sip = embeddedSip({ listen: ['udp:127.0.0.1:0'] });
  const pua = createPua({ sip, outboundProxy: `sip:127.0.0.1:${notifier.port}` });
  pua.addEvent(presence);
  let received = 0;
  let characters = 0;
  const count = scaled(SUBSCRIPTIONS, effort);
  const opened = new Promise<void>((all) => {
    pua.onNotify('presence', (notification) => {
      characters += notification.text().length;
      if (++received === count) all();
    });
  });
  await pua.start();
  for (let i = 0; i < count; i++) {
    const watcherUri = 'sip:watcher@example.com';
    pua.sendSubscribe({ presUri: presentity(i), watcherUri, event: 'presence', sourceFlag: 'RPC_SUBSCRIBE' });
  }
  await opened;
  const sample = await timed(notifier, 0, effort, () => received);
  await pua.stop();
  await notifier.stop();
  return { ...sample, details: { ...sample.details, bodyBytes: characters / received } };
}

async function echoed(effort: Effort): Promise<Sample> {
  const notifier = await startPeer('notifier', 'static');
  const socket = loopbackSocket();
  await new Promise<void>((bound) => socket.bind(0, '127.0.0.1', bound));
  let received = 0;
  socket.on('message', (_, { port, address }) => {
    received++;
    socket.send(FIXED_ANSWER, port, address);
  });
  const sample = await timed(notifier, socket.address().port, effort, () => received);
  await notifier.stop();
  socket.close();
  return sample;
}

export const notify: Row = {
  name: 'notify',
  what: 'NOTIFYs received, dispatched to a handler and answered',
  unit: 'k/s',
  n: SUBSCRIPTIONS,
  ours: dispatched,
  against: { name: 'node:dgram', measure: echoed },
};
