/** Which events lead to a PUBLISH at all. */
import type { BindingHints, PuaModule } from '@pua/core';
import type { UsrlocOptions } from '@pua/usrloc';
import { binding, FakeRegistrar, HOUR, NOW } from './support/registrar';
import { inWorld, type World } from './support/world';

/** Number of PUBLISHes after an insert, an update and a delete with the same hints. */
async function lifeOf(world: World, change: object, hints?: BindingHints): Promise<number> {
  const before = world.sent.length;
  const one = world.registrar.insert(binding(change), hints);
  await world.advance(100);
  const refreshed = world.registrar.update(one, { expiresAt: NOW + 2 * HOUR }, hints);
  await world.advance(100);
  world.registrar.delete(refreshed, hints);
  await world.advance(100);
  return world.sent.length - before;
}

const ALL = 3;
const NONE = 0;
const FLAG_3 = 1 << 3;

test.each<[string, UsrlocOptions, object, BindingHints | undefined, number]>([
  ['no rule: every binding', {}, {}, undefined, ALL],
  ['the predicate says yes (pua_set_publish)', { publish: () => true }, {}, undefined, ALL],
  ['the predicate says no', { publish: () => false }, {}, undefined, NONE],
  ['the event says yes, the predicate no', { publish: () => false }, {}, { publish: true }, ALL],
  ['the event says no, the predicate yes', { publish: () => true }, {}, { publish: false }, NONE],
  ['the event says no, nothing else is said', {}, {}, { publish: false }, NONE],
  ['the binding says no, as it was registered so', {}, { publish: false }, undefined, NONE],
  ['the binding says yes, the predicate no', { publish: () => false }, { publish: true }, undefined, ALL],
  ['the event says yes, the binding no', {}, { publish: false }, { publish: true }, ALL],
  ['branch_flag is set', { branchFlag: 3 }, { flags: FLAG_3 | 1 }, undefined, ALL],
  ['branch_flag 31 is set', { branchFlag: 31 }, { flags: 2 ** 31 }, undefined, ALL],
  ['branch_flag is not set', { branchFlag: 3 }, { flags: FLAG_3 - 1 }, undefined, NONE],
  ['branch_flag, but the binding has no flags', { branchFlag: 3 }, {}, undefined, NONE],
  ['branch_flag is not set, whatever the predicate says', { branchFlag: 3, publish: () => true }, {}, undefined, NONE],
  [
    'branch_flag is set, whatever the predicate says',
    { branchFlag: 3, publish: () => false },
    { flags: FLAG_3 },
    undefined,
    ALL,
  ],
  ['the event says yes, branch_flag is not set', { branchFlag: 3 }, {}, { publish: true }, ALL],
  ['of another node', {}, {}, { origin: 'replica' }, NONE],
  ['of a NOTIFY of reg', {}, {}, { origin: 'reginfo' }, NONE],
  ['of another node, even if the event says yes', {}, {}, { origin: 'replica', publish: true }, NONE],
  ['local', {}, {}, { origin: 'local' }, ALL],
  ['its binding is of another node', {}, { origin: 'replica' }, undefined, NONE],
  ['its binding came by a NOTIFY of reg', {}, { origin: 'reginfo' }, undefined, NONE],
  [
    'its binding is of another node, but this change was made here',
    {},
    { origin: 'replica' },
    { origin: 'local' },
    ALL,
  ],
])('%s', async (_name, usrloc, change, hints, publishes) => {
  await inWorld({ usrloc }, async (world) => {
    expect(await lifeOf(world, change, hints)).toBe(publishes);
    expect(world.server.publications).toHaveLength(0);
  });
});

test('BETTER: every contact of a REGISTER is handled, each by the decision of its event', async () => {
  await inWorld({}, async (world) => {
    const callId = 'one-register';
    for (const publish of [true, false, true]) world.registrar.insert(binding({ callId }), { publish });
    await world.advance(100);
    expect(world.server.publications).toHaveLength(2);
  });
});

test.each(['expire', 'delete'] as const)(
  'BETTER: an %s needs no mark: what was published is un-published, what was not stays silent',
  async (kind) => {
    await inWorld({ usrloc: { publish: () => false } }, async (world) => {
      const shown = world.registrar.insert(binding({ aor: 'shown@example.com' }), { publish: true });
      const hidden = world.registrar.insert(binding({ aor: 'hidden@example.com' }));
      await world.advance(100);
      expect([...world.documents.keys()]).toEqual(['shown@example.com']);
      world.registrar[kind](shown);
      world.registrar[kind](hidden);
      await world.advance(100);
      expect(world.sent.map(({ uri, expires }) => [uri, expires])).toEqual([
        ['sip:shown@example.com', 3601],
        ['sip:shown@example.com', 0],
      ]);
      expect(world.pua.stats().records.publications).toBe(0);
    });
  },
);

test('an end that another node tells about ends what was published here', async () => {
  await inWorld({}, async (world) => {
    const one = world.registrar.insert(binding());
    await world.advance(100);
    world.registrar.delete(one, { origin: 'replica' });
    await world.advance(100);
    expect(world.server.publications).toHaveLength(0);
  });
});

test('a refresh that is not to be published is not sent: the publication ends in its time', async () => {
  await inWorld({}, async (world) => {
    const one = world.registrar.insert(binding());
    await world.advance(100);
    world.registrar.update(one, { expiresAt: NOW + 2 * HOUR }, { publish: false });
    await world.advance(HOUR - 100);
    expect(world.server.publications).toHaveLength(1);
    await world.advance(2_000);
    expect(world.server.publications).toHaveLength(0);
  });
});

test.each<[string, UsrlocOptions, object]>([
  ['a farewell', { explicitOffline: 5 }, {}],
  ['the end of a tuple', { aggregate: 1 }, { expiresAt: NOW + 5_000 }],
])(
  'other modules take long to stop: %s falls due meanwhile, which neither throws nor is told',
  async (_name, usrloc, change) => {
    let over = () => {};
    const other: PuaModule = {
      name: 'other',
      setup: () => {},
      stop: () =>
        new Promise((resolve) => {
          over = resolve;
        }),
    };
    await inWorld({ usrloc, modules: [other] }, async (world) => {
      const one = world.registrar.insert(binding(change));
      if (usrloc.explicitOffline) world.registrar.delete(one);
      await world.advance(100);
      const before = world.sent.length;
      const stopped = world.pua.stop(0);
      await world.advance(10_000);
      over();
      await world.advance(100);
      await stopped;
      expect(world.sent).toHaveLength(before);
    });
  },
);

test('during shutdown nothing is sent and nothing is told', async () => {
  const registrar = new FakeRegistrar();
  const one = binding();
  // Stopped before usrloc: what it ends on its way is heard there.
  const other: PuaModule = { name: 'other', setup: () => {}, stop: () => registrar.expire(one) };
  await inWorld({ registrar, modules: [other] }, async (world) => {
    const [listener] = registrar.listeners;
    registrar.insert(one);
    await world.advance(100);
    await world.stopPua();
    expect(registrar.listeners.size).toBe(0);
    void listener!({ kind: 'insert', binding: binding() });
    await world.advance(100);
    expect(world.sent).toHaveLength(1);
  });
});
