/**
 * What the product does: sendPublish() of an 800-byte PIDF through createPua() and the embedded engine, UDP on loopback.
 *
 *   memory   no store
 *   sqlite   written behind to an SQLite file; the time ends when all that was acknowledged is on disk as well
 */
import { channel } from 'node:diagnostics_channel';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createPua, type StorePort } from '@pua/core';
import { presence } from '@pua/documents';
import { embeddedSip } from '@pua/sip';
import { openStore, type StoreEvent } from '@pua/store';
import { startServer } from '../peer/start.js';
import { Publisher } from '../publisher.js';
import type { Load, Measurement, Row } from '../row.js';
import { Stopwatch, sleep, warmUp } from '../stopwatch.js';
import { threads } from '../threads.js';

/** Rows that reach the disk: a publication that is written between its request and its answer counts twice. */
function countRows(): () => number {
  let rows = 0;
  channel('pua:store').subscribe((message) => {
    const event = message as StoreEvent;
    if (event.type === 'group') rows += event.records;
  });
  return () => rows;
}

async function measure(load: Load, store: StorePort | undefined): Promise<Measurement> {
  const server = await startServer('sip');
  const sip = embeddedSip({ listen: ['udp:127.0.0.1:0'] });
  const outboundProxy = `sip:127.0.0.1:${server.port}`;
  const pua = createPua({ sip, outboundProxy, ...(store && { store }) });
  pua.addEvent(presence);
  const rowsWritten = countRows();
  const before = threads();
  await pua.start();
  const publisher = new Publisher(pua);

  publisher.start(load.window);
  await warmUp(load, () => publisher.accepted);
  await publisher.stop();
  await store?.flush();
  // The storage thread is among those that came with the store.
  const came = new Set([...threads()].filter((tid) => !before.has(tid)));
  const records = pua.stats().records.publications;
  const acceptedBefore = publisher.accepted;
  const rowsBefore = rowsWritten();

  const watch = await Stopwatch.start(server, acceptedBefore);
  publisher.start(load.window);
  await sleep(load.measureMs);
  await publisher.stop();
  const acknowledgedMs = watch.elapsedMs();
  const waiting = store?.status().pending ?? 0;
  await store?.flush();
  const accepted = publisher.accepted - acceptedBefore;
  const details = {
    initial: pua.stats().records.publications - records,
    retransmitted: sip.stats().retransmitted.requests,
    ...(store && {
      acknowledgedRate: (accepted / acknowledgedMs) * 1000,
      unwrittenAtLastAnswer: waiting,
      rowsWritten: rowsWritten() - rowsBefore,
    }),
  };
  const measurement = await watch.stop(publisher.accepted, details, store && came);
  await pua.stop();
  await server.stop();
  return measurement;
}

export const memory: Row = {
  name: 'memory',
  title: 'sendPublish, storage off',
  goal: 0.45,
  run: (load) => measure(load, undefined),
};

export const sqlite: Row = {
  name: 'sqlite',
  title: 'sendPublish, SQLite written behind: acknowledged and on disk',
  goal: 0.25,
  async run(load) {
    const folder = await mkdtemp(join(tmpdir(), 'pua-bench-'));
    try {
      return await measure(load, openStore(`sqlite:${join(folder, 'pua.db')}`));
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
};
