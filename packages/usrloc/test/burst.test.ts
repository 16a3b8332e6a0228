/** BETTER: a mass expiry and a restart of the registrar are paced by the core's ceiling. */
import { createPua } from '@pua/core';
import { SimClock } from '@pua/testkit';
import { usrloc } from '@pua/usrloc';
import { AnsweringPort } from './support/port';
import { binding, FakeRegistrar, HOUR } from './support/registrar';
import { inWorld, type World } from './support/world';

const ceilingOf = (perSecond: number) => ({ ceiling: { perSecond, inFlight: 1_000 } });

test('10 000 bindings that expire in the same second: all offline, in the pace that is allowed', async () => {
  const [phones, perSecond] = [10_000, 1_000];
  const [clock, source] = [new SimClock(), new FakeRegistrar()];
  const sip = new AnsweringPort(clock);
  const second = clock.wall() + HOUR;
  const pua = createPua({ sip, outboundProxy: 'sip:10.0.0.9', updatePeriod: 0, ...ceilingOf(perSecond) });
  await pua.use(usrloc({ source, grace: 60 })).start();
  for (let i = 0; i < phones; i++)
    source.insert(binding({ aor: `u${i}@example.com`, expiresAt: second + (i % 1_000) }));
  await clock.advanceAsync(11_000);
  expect(sip.publications.size).toBe(phones);

  const before = sip.sent.length;
  await clock.advanceAsync(second + 1_000 - clock.wall());
  source.expireDue(clock);
  await clock.advanceAsync(5_000);
  expect(sip.publications.size).toBeGreaterThan(4_000);
  expect(sip.publications.size).toBeLessThan(6_000);
  await clock.advanceAsync(8_000);
  expect(sip.publications.size).toBe(0);
  expect(pua.stats().records.publications).toBe(0);
  const ends = sip.sent.slice(before);
  expect(ends.every(({ expires }) => expires === 0)).toBe(true);
  const tooFast = (_: object, i: number) => i >= perSecond && ends[i]!.at - ends[i - perSecond]!.at < 1_000;
  expect(ends.filter(tooFast)).toEqual([]);
  await pua.stop(0);
  expect(clock.pending).toBe(0);
}, 30_000);

describe('over SIP', () => {
  const PER_SECOND = 100;
  const pua = ceilingOf(PER_SECOND);

  async function online(world: World, phones: number): Promise<void> {
    const expiresAt = world.clock.wall() + HOUR;
    for (let i = 0; i < phones; i++) world.registrar.insert(binding({ aor: `u${i}@example.com`, expiresAt }));
    await world.advance((phones / PER_SECOND) * 1_100);
    expect(world.server.publications).toHaveLength(phones);
    world.server.clearLog();
  }

  test('by the default grace what the pace would delay has lapsed by itself: all offline after a second', async () => {
    await inWorld({ pua }, async (world) => {
      const second = world.clock.wall() + HOUR;
      await online(world, 250);
      await world.advance(second - world.clock.wall());
      world.registrar.expireDue(world.clock);
      await world.advance(2_000);
      expect(world.server.publications).toHaveLength(0);
      expect(world.pua.stats().records.publications).toBe(0);
    });
  });

  test('a registrar that has lost everything: its orphans go in the pace that is allowed', async () => {
    await inWorld({ pua, registrar: new FakeRegistrar() }, async (world) => {
      await online(world, 300);
      await world.kill();
      world.registrar.forgetAll();
      await world.startPua();
      await world.advance(1_500);
      expect(world.server.publications.length).toBeGreaterThan(100);
      await world.advance(3_000);
      expect(world.server.publications).toHaveLength(0);
      expect(world.server.stats().peakPerSecond).toBeLessThanOrEqual(PER_SECOND);
    });
  });
});
