/** BETTER: a mass expiry and a restart of the registrar are paced by the core's ceiling. */
import { binding, FakeRegistrar, HOUR } from './support/registrar';
import { inWorld, type World } from './support/world';

const PER_SECOND = 1_000;
const pua = { ceiling: { perSecond: PER_SECOND, inFlight: 1_000 } };

async function online(world: World, phones: number, change: (index: number) => object = () => ({})): Promise<void> {
  for (let i = 0; i < phones; i++) world.registrar.insert(binding({ aor: `u${i}@example.com`, ...change(i) }));
  await world.advance((phones / PER_SECOND) * 1_100);
  expect(world.server.publications).toHaveLength(phones);
  world.server.clearLog();
}

test('10 000 bindings that expire in the same second: all offline, in the pace that is allowed', async () => {
  await inWorld({ pua, usrloc: { grace: 60 } }, async (world) => {
    const second = world.clock.wall() + HOUR;
    await online(world, 10_000, (i) => ({ expiresAt: second + (i % 1_000) }));
    await world.advance(second + 1_000 - world.clock.wall());
    world.registrar.expireDue(world.clock);
    await world.advance(5_000);
    const left = world.server.publications.length;
    expect(left).toBeGreaterThan(4_000);
    expect(left).toBeLessThan(6_000);
    await world.advance(8_000);
    expect(world.server.publications).toHaveLength(0);
    expect(world.server.stats().peakPerSecond).toBeLessThanOrEqual(PER_SECOND);
    expect(world.server.requests.every(({ headers }) => headers.get('Expires') === '0')).toBe(true);
    expect(world.pua.stats().records.publications).toBe(0);
  });
}, 60_000);

test('by the default grace what the pace would delay has lapsed by itself: all offline after a second', async () => {
  await inWorld({ pua }, async (world) => {
    const second = world.clock.wall() + HOUR;
    await online(world, 2_000, () => ({ expiresAt: second }));
    await world.advance(second - world.clock.wall());
    world.registrar.expireDue(world.clock);
    await world.advance(2_000);
    expect(world.server.publications).toHaveLength(0);
    expect(world.pua.stats().records.publications).toBe(0);
  });
}, 60_000);

test('a registrar that has lost everything: 3 000 orphans go in the pace that is allowed', async () => {
  await inWorld({ pua, registrar: new FakeRegistrar() }, async (world) => {
    await online(world, 3_000);
    await world.kill();
    world.registrar.forgetAll();
    await world.startPua();
    await world.advance(1_500);
    expect(world.server.publications.length).toBeGreaterThan(1_000);
    await world.advance(3_000);
    expect(world.server.publications).toHaveLength(0);
    expect(world.server.stats().peakPerSecond).toBeLessThanOrEqual(PER_SECOND);
  });
}, 60_000);
