/**
 * The large outage: so many publications, a presence server that is away for ten minutes. A program of its own, because
 * code in a test runner's sandbox is half as fast; it prints what it has seen as one line of JSON.
 *
 *     node --expose-gc --max-semi-space-size=64 dist/outage/program.js 100000
 */
import { Crowd } from './crowd.js';
import { CEILING, type Facts, GRANT, OUTAGE_MS, pacedMs, RETURN_MS } from './facts.js';

const MINUTE = 60_000;

/** Bytes of the heap that are in use. */
function heap(): number {
  globalThis.gc!();
  return process.memoryUsage().heapUsed;
}

async function outage(users: number): Promise<Facts> {
  const crowd = await Crowd.start({ users, ceiling: CEILING, grant: GRANT });
  const { clock, server, meter, most } = crowd;
  const answered = () => crowd.pua.stats().requests['PUBLISH 200'] ?? 0;
  await crowd.until(() => crowd.resting === users, pacedMs(users) + 1_000);
  const publishedMs = clock.now();
  const published = crowd.resting;
  const before = heap();

  // Refreshes fall due from 75 % of 1800 s on, all of them while the server is away; at its end half of the lifetimes are over.
  const away = GRANT * 1000 - OUTAGE_MS + publishedMs / 2;
  await crowd.advance(away - clock.now());
  server.away();
  const answeredBefore = answered();
  for (let minute = 0; minute < OUTAGE_MS / MINUTE; minute++) {
    // Owners go on meanwhile: newer documents, several of one owner, ends, publications that are new.
    for (let i = 0; i < users / 100; i++) crowd.publish(`u${(i * 7 + minute) % users}`, 1 + minute);
    for (let i = 0; i < users / 1000; i++) crowd.unpublish(`u${(i * 31 + minute * 3) % users}`);
    for (let i = 0; i < users / 1000; i++) crowd.publish(`late${minute}-${i}`, minute);
    await crowd.advance(MINUTE);
  }
  const answeredWhileAway = answered() - answeredBefore;
  const sentAtLast = meter.sentBetween(clock.now() - 3 * MINUTE, clock.now());
  const lapsed = users - server.publications.length;
  const during = heap();

  server.back();
  const wanted = crowd.wanted.size;
  const back = () => crowd.resting === wanted && crowd.pua.stats().records.publications === wanted;
  const recoveredMs = await crowd.until(back, RETURN_MS + pacedMs(wanted));
  const recovered = back();
  // When the longest lifetime that was granted before has passed, nothing is held twice either.
  await crowd.advance(away + GRANT * 1000 - clock.now() + 1_000);
  const differences = crowd.differences();
  const after = heap();
  const { inFlight, queued } = crowd.pua.stats();
  await crowd.stop();
  return {
    published,
    publishedMs,
    answeredWhileAway,
    sentAtLast,
    lapsed,
    recovered,
    recoveredMs,
    wanted,
    differences,
    peak: meter.peak,
    peakWithRepetitions: meter.peakWithRepetitions,
    repetitions: meter.again.length,
    most,
    left: { inFlight, queued, timers: clock.pending },
    heap: { before, during, after },
    cpuMs: Math.round((process.cpuUsage().user + process.cpuUsage().system) / 1000),
  };
}

void outage(Number(process.argv[2])).then((facts) => console.log(JSON.stringify(facts)));
