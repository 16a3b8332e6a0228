/** Invariant 7: kill -9 at any step, and a new start. */
import * as fc from 'fast-check';
import { type CreatePua, World } from '../../dist/world/world.js';
import { calm, deeds, faultsOf, GRANT, POLICY, report, tell } from './story';

const BUSY = new Set(['queued', 'publishing', 'modifying', 'refreshing', 'removing']);

export function killsAreHarmless(create: CreatePua, tries?: number): Promise<void> {
  // Owners, time and kills only: other faults have their own property, and here every orphan must have its kill.
  const story = deeds({ kills: true }).map((all) =>
    all.filter(
      (d) => !['answer', 'terminate', 'notify-first', 'forget', 'away', 'back', 'storm', 'calm'].includes(d.kind),
    ),
  );
  return fc.assert(
    fc.asyncProperty(fc.nat(), story, async (seed, told) => {
      const world = await World.start({
        seed,
        createPua: create,
        grant: GRANT,
        pua: { policy: POLICY },
        faults: { delay: [1, 40] },
      });
      /** user -> times of kills at which something of it was on its way */
      const excuses = new Map<string, number[]>();
      const lost = new Set<number>();
      const wish = await tell(world, told, async () => {
        const before = new Map(world.disk.rows);
        for (const record of world.pua.list({ kind: 'publication' })) {
          const user = /sip:([^@]+)@/.exec(record.presUri)![1]!;
          if (world.store.unwritten.has(record.key) || BUSY.has(record.state)) {
            excuses.set(user, [...(excuses.get(user) ?? []), world.clock.now()]);
          }
        }
        for (const key of world.store.unwritten) {
          const user = /u(\d)@/.exec(key)![1]!;
          lost.add(Number(user));
          excuses.set(`u${user}`, [...(excuses.get(`u${user}`) ?? []), world.clock.now()]);
        }
        world.kill();
        await world.startPua();
        for (const row of before.values()) {
          const record = world.pua.show(row.record_key);
          if (!record) throw new Error(`forgotten: ${row.record_key}`);
          if (row.document !== null && record.body !== row.document)
            throw new Error(`another document: ${row.record_key}`);
        }
      });
      for (const [user, notes] of world.published()) {
        const recent = (excuses.get(user) ?? []).filter((at) => at > world.clock.now() - (GRANT + 1) * 1000).length;
        if (notes.length > 1 + recent)
          throw new Error(`${user}: ${notes.length} publications, ${recent} kills to excuse them`);
      }
      // What was not on the disk is not ours to remember: its owner says it again, in a new document.
      for (const who of lost) {
        const note = wish.notes[who];
        if (note === undefined) world.unpublish(`u${who}`);
        else {
          wish.notes[who] = `${note}, again`;
          world.publish(`u${who}`, wish.notes[who]);
        }
        world.subscribe(`u${who}`, wish.subscribed[who] ? -1 : 0);
      }
      await calm(world);
      expect(faultsOf(world, wish)).toEqual([]);
      await world.stop();
    }),
    report(tries),
  );
}
