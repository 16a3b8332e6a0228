/** The main job in the simulated world, without faults. */
import { createPua } from '@pua/core';
import { World } from '../dist/world/world.js';

test('publish, modify, refresh, be notified, un-publish, unsubscribe', async () => {
  const world = await World.start({ seed: 1, createPua, grant: 60 });
  const notes: string[] = [];
  world.pua.onNotify('presence', (n) => void notes.push(/<note>([^<]*)</.exec(n.text())?.[1] ?? n.state));

  world.subscribe('alice');
  world.publish('alice', 1);
  await world.advance(1_000);
  world.publish('alice', 2);
  await world.advance(1_000);
  expect(notes).toEqual(['active', '1', '2']);
  expect(world.published()).toEqual(new Map([['alice', ['2']]]));

  await world.advance(300_000);
  expect(world.published()).toEqual(new Map([['alice', ['2']]]));
  expect(world.server.stats().answered['PUBLISH']![200]).toBeGreaterThan(6);

  world.unpublish('alice');
  world.subscribe('alice', 0);
  await world.advance(40_000);
  expect(world.published().size).toBe(0);
  expect(world.server.subscriptions).toHaveLength(0);
  expect(world.wire.violations).toEqual([]);
  expect(world.pua.stats()).toMatchObject({
    records: { publications: 0, subscriptions: 0 },
    scheduled: 0,
    dialogs: 0,
    inFlight: 0,
    queued: 0,
  });
  expect(world.disk.rows.size).toBe(0);
  await world.stop();
});
