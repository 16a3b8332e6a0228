/**
 * Publications whose refresh is due, all at once: the clock is put forward again and again, and each time every one of
 * them is refreshed by a PUBLISH without body (RFC 3903 4.1).
 */
import { createPua } from '@pua/core';
import { presence } from '@pua/documents';
import { embeddedSip } from '@pua/sip';
import { startPeer } from '../peer/start.js';
import type { Effort, Sample } from '../row.js';
import { KeptPublications } from './kept.js';
import { LeapingClock } from './leaping-clock.js';
import { Stopwatch } from './stopwatch.js';

/** Seconds that the server grants. */
const LIFETIME = 3600;
/** Refreshes are due after 75 to 90 % of it; none has expired by then. */
const LEAP_MS = LIFETIME * 910;

export async function refreshing(records: number, effort: Effort): Promise<Sample> {
  const server = await startPeer('answerer', 'sip');
  const clock = new LeapingClock();
  const sip = embeddedSip({ listen: ['udp:127.0.0.1:0'], clock });
  const store = new KeptPublications(records, LIFETIME);
  const pua = createPua({
    sip,
    store,
    outboundProxy: `sip:127.0.0.1:${server.port}`,
    ceiling: { inFlight: effort.window },
    // The leap would wake the sweep too, which does the schedule's work in one go.
    updatePeriod: 0,
  });
  pua.addEvent(presence);
  await pua.start();

  let refreshed = 0;
  const leap = async (): Promise<void> => {
    const all = store.further(records);
    clock.leap(LEAP_MS);
    await all;
    refreshed += records;
  };
  const began = performance.now();
  while (performance.now() - began < effort.warmUpMs || refreshed < effort.warmUpOperations) await leap();
  const watch = await Stopwatch.start({ server }, refreshed);
  while (watch.elapsedMs() < effort.measureMs) await leap();
  const sample = await watch.stop(refreshed, { retransmitted: sip.stats().retransmitted.requests });
  const { requests } = pua.stats();
  if (requests['PUBLISH 200'] !== refreshed) throw new Error(`not refreshes alone: ${JSON.stringify(requests)}`);
  await pua.stop();
  await server.stop();
  return sample;
}
