/**
 * What the product does: sendPublish() of an 800-byte PIDF to a UDP server on loopback.
 *
 * Four of five modify one of the row's presentities in turn, the fifth opens a new publication for a presentity that
 * has one already (another device): initial and modifying requests, inserts and updates both occur all the time.
 */
import { channel } from 'node:diagnostics_channel';
import { createPua, type Pua, type SipPort, type StorePort } from '@pua/core';
import { presence } from '@pua/documents';
import { embeddedSip } from '@pua/sip';
import type { StoreEvent } from '@pua/store';
import { type Peer, startPeer } from '../peer/start.js';
import { type Effort, type Sample, scaled } from '../row.js';
import { pidf, presentity } from './document.js';
import { type Begin, Outstanding } from './outstanding.js';
import { Stopwatch, sleep, warmUp } from './stopwatch.js';
import { threads } from './threads.js';

export const PRESENTITIES = 20_000;
const NEW_EACH = 5;

export interface Document {
  readonly uri: string;
  readonly body: string;
}

/** Made beforehand: what documents cost to write is not what is measured. */
export const documents = (count: number): readonly Document[] =>
  Array.from({ length: count }, (_, i) => ({ uri: presentity(i), body: pidf(presentity(i), i) }));

export function publish(pua: Pua, { uri, body }: Document, id: string, done: (fault?: unknown) => void): void {
  const info = { presUri: uri, event: 'presence', sourceFlag: 'RPC_PUBLISH', id, body, expires: 3600 } as const;
  pua.sendPublish(info).result.then((result) => done(result.outcome === 'accepted' ? undefined : result));
}

function mixture(pua: Pua, count: number): Begin {
  const all = documents(count);
  // One further in each cycle, so that it is not always the same presentities that get new ones.
  const nth = (n: number): Document => all[(n + Math.floor(n / count)) % count]!;
  return (n, done) => publish(pua, nth(n), n % NEW_EACH === 0 ? `d${n}` : '', done);
}

/** Rows that reach the disk: a publication that is written between its request and its answer counts twice. */
function countRows(): () => number {
  let rows = 0;
  channel('pua:store').subscribe((message) => {
    const event = message as StoreEvent;
    if (event.type === 'group') rows += event.records;
  });
  return () => rows;
}

export interface Setting {
  readonly sip?: SipPort;
  readonly store?: StorePort;
  /** Between us and the answering server. */
  readonly between?: Readonly<Record<string, Peer>>;
}

/** The time ends when all that was acknowledged is on disk as well. */
export async function publishing(effort: Effort, { sip, store, between }: Setting = {}): Promise<Sample> {
  const server = await startPeer('answerer', 'sip');
  const pua = createPua({
    sip: sip ?? embeddedSip({ listen: ['udp:127.0.0.1:0'] }),
    outboundProxy: `sip:127.0.0.1:${server.port}`,
    ...(store && { store }),
  });
  pua.addEvent(presence);
  const rowsWritten = countRows();
  const before = threads();
  await pua.start();
  const publisher = new Outstanding(mixture(pua, scaled(PRESENTITIES, effort)));

  publisher.start(effort.window);
  await warmUp(effort, () => publisher.succeeded);
  await publisher.stop();
  await store?.flush();
  // The storage thread is among those that came with the store.
  const came = new Set([...threads()].filter((tid) => !before.has(tid)));
  const records = pua.stats().records.publications;
  const succeededBefore = publisher.succeeded;
  const rowsBefore = rowsWritten();

  const watch = await Stopwatch.start({ server, ...between }, succeededBefore);
  publisher.start(effort.window);
  await sleep(effort.measureMs);
  await publisher.stop();
  const acknowledgedMs = watch.elapsedMs();
  const waiting = store?.status().pending ?? 0;
  await store?.flush();
  const details = {
    initial: pua.stats().records.publications - records,
    ...(store && {
      'acknowledged k/s': (publisher.succeeded - succeededBefore) / acknowledgedMs,
      unwrittenAtLastAnswer: waiting,
      rowsWritten: rowsWritten() - rowsBefore,
    }),
  };
  const sample = await watch.stop(publisher.succeeded, details, store && came);
  await pua.stop();
  await server.stop();
  return sample;
}
