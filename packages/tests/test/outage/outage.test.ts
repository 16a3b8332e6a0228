/** The presence server goes away for a while, and many publications have to get over it, paced. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Crowd, type CrowdOptions } from '../../dist/outage/crowd.js';
import { CEILING, type Facts, pacedMs, RETURN_MS } from '../../dist/outage/facts.js';
import { WireMonitor } from '../../dist/world/wire.js';

/** PUA_OUTAGE_USERS: another size; the soak takes twice as many. */
const USERS = Number(process.env['PUA_OUTAGE_USERS'] ?? (process.env['PUA_SOAK'] ? 200_000 : 100_000));
const TIME_MS = 120_000 + USERS * 1.5;
/** A heap of so many long-lived records is collected more cheaply with a large young generation. */
const FLAGS = ['--expose-gc', '--max-semi-space-size=64'];
const PROGRAM = join(__dirname, '../../dist/outage/program.js');

test(
  `${USERS} publications, the server is away for ten minutes`,
  async () => {
    const { stdout } = await promisify(execFile)(process.execPath, [...FLAGS, PROGRAM, String(USERS)]);
    const facts = JSON.parse(stdout) as Facts;
    if (process.env['PUA_VERBOSE']) console.log(facts);

    expect(facts).toMatchObject({ published: USERS, answeredWhileAway: 0, recovered: true, differences: [] });
    expect(facts.publishedMs).toBeLessThanOrEqual(pacedMs(USERS) + 1_000);
    expect(facts.recoveredMs).toBeLessThanOrEqual(RETURN_MS + pacedMs(facts.wanted));
    // Some had to be published anew, some were refreshed or modified in time.
    expect(facts.lapsed).toBeGreaterThan(USERS / 10);
    expect(facts.lapsed).toBeLessThan((USERS * 9) / 10);
    // While nobody answers, the hop is set aside, and one request now and then asks whether it is back.
    expect(facts.sentAtLast).toBeLessThan(20);

    // New requests keep the ceiling in any second of all this, and use it. What is sent again comes from those in flight:
    // at most twice in a second each, as T1 is 500 ms.
    expect(facts.peak).toBeLessThanOrEqual(CEILING.perSecond);
    expect(facts.peak).toBeGreaterThan(Math.min(USERS, CEILING.perSecond) * 0.9);
    expect(facts.peakWithRepetitions).toBeLessThanOrEqual(CEILING.perSecond + 2 * CEILING.inFlight);
    expect(facts.most.inFlight).toBeLessThanOrEqual(CEILING.inFlight);
    expect(facts.most.transactions).toBeLessThanOrEqual(CEILING.inFlight);

    // A record waits at most once and has one deadline; nothing is left behind.
    const records = USERS * 1.01;
    expect(facts.most.queued).toBeLessThanOrEqual(records);
    expect(facts.most.scheduled).toBeLessThanOrEqual(records);
    expect(facts.left).toEqual({ inFlight: 0, queued: 0, timers: 0 });
    expect(facts.heap.during).toBeLessThan(facts.heap.before * 1.3);
    expect(facts.heap.after).toBeLessThan(facts.heap.before * 1.3);
  },
  TIME_MS,
);

describe('2000 publications', () => {
  const users = 2_000;
  const ceiling = { perSecond: 200, inFlight: 50 };
  const paced = (requests: number) => pacedMs(requests, ceiling.perSecond);
  let wire: WireMonitor;
  const start = (more: Partial<CrowdOptions> = {}) =>
    Crowd.start({
      users,
      ceiling,
      grant: 3600,
      watch: (clock) => {
        wire = new WireMonitor(clock);
        return wire;
      },
      ...more,
    });

  test('the server comes back and has forgotten everything: 412 for all, repaired, paced', async () => {
    const crowd = await start();
    const { clock, server, meter } = crowd;
    await crowd.until(() => crowd.resting === users, 60_000);
    // All refreshes fall due at 2700..3240 s, no lifetime ends before 3600.
    await crowd.advance(2_690_000 - clock.now());
    server.away();
    await crowd.advance(3_300_000 - clock.now());
    expect(crowd.resting).toBe(0);
    server.restart({ forget: true });
    const took = await crowd.until(() => crowd.resting === users, RETURN_MS + paced(2 * users));
    expect(crowd.resting).toBe(users);
    expect(crowd.differences()).toEqual([]);
    expect(server.count('PUBLISH', 412)).toBe(users);
    expect(took).toBeLessThanOrEqual(RETURN_MS + paced(2 * users));
    expect(meter.peak).toBeLessThanOrEqual(ceiling.perSecond);
    expect(crowd.most.inFlight).toBeLessThanOrEqual(ceiling.inFlight);
    expect(wire.violations).toEqual([]);
    await crowd.stop();
  }, 60_000);

  test('503 with Retry-After for everybody: nobody before the time, then spread', async () => {
    const crowd = await start();
    const { clock, server, meter } = crowd;
    const RETRY_AFTER = 120;
    await crowd.until(() => crowd.resting === users, 60_000);
    await crowd.advance(100_000 - clock.now());
    const script = server.answerNext({
      method: 'PUBLISH',
      status: 503,
      headers: [['Retry-After', String(RETRY_AFTER)]],
      times: Number.POSITIVE_INFINITY,
    });
    meter.forget();
    for (const user of [...crowd.wanted.keys()]) crowd.publish(user, 1);
    await crowd.advance(1_000);
    const [first] = meter.first;
    // The first answer bars the way: those on the wire then were the last.
    const barred = meter.first.length;
    expect(barred).toBeGreaterThan(0);
    expect(barred).toBeLessThanOrEqual(ceiling.inFlight);
    // What owners bring meanwhile waits as well.
    for (const user of [...crowd.wanted.keys()].slice(0, 100)) crowd.publish(user, 2);
    const opens = first! + RETRY_AFTER * 1000;
    await crowd.advance(opens - clock.now() - 1);
    expect(meter.first.length).toBe(barred);
    script.cancel();
    await crowd.until(() => crowd.resting === users, 60_000 + paced(users));
    expect(crowd.resting).toBe(users);
    expect(crowd.differences()).toEqual([]);
    expect(meter.peak).toBeLessThanOrEqual(ceiling.perSecond);
    // Not all in the first second.
    expect(meter.sentBetween(opens, opens + 1_000)).toBeLessThanOrEqual(ceiling.perSecond);
    expect(meter.sentBetween(opens + 5_000, opens + 60_000)).toBeGreaterThan(users / 4);
    expect(wire.violations).toEqual([]);
    await crowd.stop();
  }, 60_000);

  test('two servers, the first dies and comes back', async () => {
    const crowd = await start({ servers: 2 });
    const { clock, servers, meters } = crowd;
    await crowd.until(() => crowd.resting === users, 60_000);
    expect(servers[0]!.publications.length).toBe(users);
    await crowd.advance(2_000_000 - clock.now());
    servers[0]!.away();
    for (const user of [...crowd.wanted.keys()]) crowd.publish(user, 1);
    // 64*T1 until the first requests have failed; then everybody goes to the other one. That does not know their
    // entity-tags: 412, and the whole document. Who has tried meanwhile whether the first is back needs 64*T1 more.
    const limit = 2 * 32_000 + 2_000 + paced(2 * users);
    await crowd.until(() => crowd.resting === users && servers[1]!.publications.length === users, limit);
    expect([crowd.resting, servers[1]!.publications.length]).toEqual([users, users]);
    servers[0]!.back();
    await crowd.advance(3_600_000 + 60_000);
    expect(crowd.resting).toBe(users);
    expect(crowd.differences()).toEqual([]);
    for (const meter of meters) expect(meter.peak).toBeLessThanOrEqual(ceiling.perSecond);
    expect(wire.violations).toEqual([]);
    await crowd.stop();
  }, 60_000);

  test('without a ceiling the meter shows the burst', async () => {
    const crowd = await start({ pua: { ceiling: { perSecond: 0, inFlight: users } } });
    await crowd.advance(1_000);
    expect(crowd.meter.peak).toBe(users);
    await crowd.stop();
  });
});
