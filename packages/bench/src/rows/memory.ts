/**
 * Memory per publication beyond its document: published through the embedded engine, storage off, all documents
 * different. What is counted is the JavaScript heap and what it owns outside of it, after a full collection.
 */
import { createPua } from '@pua/core';
import { presence } from '@pua/documents';
import { embeddedSip } from '@pua/sip';
import { DOCUMENT_BYTES, pidf, presentity } from '../load/document.js';
import { Outstanding } from '../load/outstanding.js';
import { publish } from '../load/publishing.js';
import { sleep } from '../load/stopwatch.js';
import { startPeer } from '../peer/start.js';
import { type Effort, type Row, type Sample, scaled } from '../row.js';

/** Published before the first look, so that code and tables of fixed size are there. */
const FIRST = 5_000;
/** Transactions leave their memory after T4 (RFC 3261 17.1.2.2, timer K): the records are what is measured. */
const T4_MS = 50;

interface Look {
  readonly heap: number;
  readonly external: number;
  readonly rss: number;
}

async function look(): Promise<Look> {
  await sleep(20 * T4_MS);
  // Twice: what a finalizer holds goes with the second one.
  global.gc!();
  global.gc!();
  const { heapUsed, external, rss } = process.memoryUsage();
  return { heap: heapUsed, external, rss };
}

async function published(count: number, effort: Effort): Promise<Sample> {
  const server = await startPeer('answerer', 'sip');
  const sip = embeddedSip({ listen: ['udp:127.0.0.1:0'], t4: T4_MS });
  const pua = createPua({ sip, outboundProxy: `sip:127.0.0.1:${server.port}` });
  pua.addEvent(presence);
  await pua.start();
  const loop = new Outstanding((n, done) => {
    const uri = presentity(n);
    publish(pua, { uri, body: pidf(uri, n) }, '', done);
  });
  loop.start(effort.window, scaled(FIRST, effort));
  await loop.finish();
  const before = await look();
  loop.start(effort.window, count);
  await loop.finish();
  const after = await look();
  await pua.stop();
  await server.stop();
  const each = (part: keyof Look): number => (after[part] - before[part]) / count;
  return {
    value: each('heap') + each('external') - DOCUMENT_BYTES,
    details: {
      'heap B': each('heap'),
      'external B': each('external'),
      'rss B': each('rss'),
      'document B': DOCUMENT_BYTES,
    },
  };
}

const memoryOf = (name: string, n: number): Row => ({
  name,
  what: 'heap and external memory per publication beyond its document',
  unit: 'B/record',
  n,
  goal: { atMost: 1000 },
  nodeOptions: ['--expose-gc', '--max-old-space-size=6144'],
  ours: (effort) => published(scaled(n, effort), effort),
});

export const memory100k = memoryOf('memory-100k', 100_000);
export const memory1m: Row = { ...memoryOf('memory-1m', 1_000_000), large: true };
