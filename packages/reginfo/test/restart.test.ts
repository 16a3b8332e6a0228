/** A new process on the same database: what is published against what there is now. */
import type { Registration } from '@pua/documents';
import { ALICE, binding, FakeRegistrar, HOUR, NOW } from './support/registrar';
import { type Node, type NodeOptions, World } from './support/world';

let world: World;
let registrar: FakeRegistrar;
let node: Node;

beforeEach(async () => {
  world = await World.start();
  registrar = new FakeRegistrar();
  node = await world.node({ source: registrar });
});
afterEach(async () => {
  await world.stop();
  expect(world.faults).toEqual([]);
});

const outline = ({ state, contacts = [] }: Registration) =>
  [state, ...contacts.map((one) => `${one.state}/${one.event}`)].join(' ');

/** Stops, lets the registrar change, starts; the PUBLISHes since then. */
async function restart(meanwhile: () => unknown, options: NodeOptions = {}) {
  await world.stopNode(node);
  await meanwhile();
  const before = world.publishes.length;
  node = await world.node({ source: registrar, rows: node.rows, ...options });
  await world.advance(100);
  return world.publishes.slice(before);
}

test('nothing has changed: nothing is published, and the publication goes on', async () => {
  registrar.insert(binding());
  registrar.insert(binding({ expiresAt: 0 }));
  registrar.insert(binding({ aor: 'bob@example.com' }));
  await world.advance(20);
  expect(await restart(() => {})).toEqual([]);
  await world.advance(4 * HOUR);
  expect(world.server.publications.map(({ presentity }) => presentity)).toEqual([ALICE]);
});

test('an AOR that is missing is published; a further contact, too', async () => {
  registrar.insert(binding());
  await world.advance(20);
  const sent = await restart(() => {
    registrar.insert(binding());
    registrar.insert(binding({ aor: 'bob@example.com' }));
  });
  expect(sent.map(({ uri, ifMatch }) => [uri, ifMatch === undefined])).toEqual([
    [`sip:${ALICE}`, false],
    ['sip:bob@example.com', true],
  ]);
  expect(world.server.publications).toHaveLength(2);
});

test('a contact that was refreshed: the lifetime is prolonged', async () => {
  const one = registrar.insert(binding());
  await world.advance(20);
  const sent = await restart(() => registrar.update(one, { expiresAt: NOW + 2 * HOUR }));
  expect(sent).toHaveLength(1);
  expect(sent[0]!.expires).toBeGreaterThan(7190);
});

test('a contact that is gone is told as expired', async () => {
  const one = registrar.insert(binding());
  registrar.insert(binding());
  await world.advance(20);
  await restart(() => registrar.delete(one));
  expect(world.document.registrations.map(outline)).toEqual(['active active/registered terminated/expired']);
});

test('an AOR that is gone is told as terminated, then removed', async () => {
  registrar.insert(binding());
  await world.advance(20);
  await restart(() => registrar.held.clear());
  expect(world.document.registrations.map(outline)).toEqual(['terminated terminated/expired']);
  await world.advance(30_000);
  expect(world.server.publications).toEqual([]);
});

test('a terminated document is removed when its time has come', async () => {
  registrar.delete(registrar.insert(binding()));
  await world.advance(20);
  expect(await restart(() => world.advance(10_000))).toEqual([]);
  await world.advance(18_000);
  expect(world.server.publications).toHaveLength(1);
  await world.advance(2_000);
  expect(world.last).toMatchObject({ expires: 0, status: 200 });
  expect(world.server.publications).toEqual([]);
});

test('the last contact went while we were away for longer than the document lived', async () => {
  registrar.insert(binding());
  await world.advance(20);
  const sent = await restart(async () => {
    registrar.held.clear();
    await world.advance(2 * HOUR);
  });
  expect(sent).toEqual([]);
});

test('another default_domain: the former presentity is removed', async () => {
  await world.stopNode(node);
  registrar.insert(binding({ aor: 'alice' }));
  node = await world.node({ source: registrar, rows: node.rows, defaultDomain: 'old.example' });
  await restart(() => {}, { defaultDomain: 'new.example' });
  await world.advance(31_000);
  expect(world.server.publications.map(({ presentity }) => presentity)).toEqual(['alice@new.example']);
});

test('an AOR that lives under another id than before is published in full', async () => {
  registrar.insert(binding());
  await world.advance(20);
  const sent = await restart(() => {}, { node: 'other' });
  expect(sent).toHaveLength(1);
  expect(world.document.registrations.map(outline)).toEqual(['active active/registered']);
  expect(world.server.publications).toHaveLength(1);
});

test.each([
  ['no document', { document: null }],
  ['a document that cannot be read', { document: '<reginfo' }],
])('a row of ours with %s is published in full', async (_name, change) => {
  registrar.insert(binding());
  await world.advance(20);
  const sent = await restart(() => {
    for (const [key, row] of node.rows) node.rows.set(key, { ...row, ...change });
  });
  expect(sent.map(({ ifMatch, status }) => [ifMatch !== undefined, status])).toEqual([[true, 200]]);
  expect(world.document.registrations.map(outline)).toEqual(['active active/registered']);
});

test('a source that cannot tell: what is published is left alone', async () => {
  registrar = new FakeRegistrar({ snapshot: false });
  registrar.insert(binding());
  await world.stopNode(node);
  node = await world.node({ source: registrar, rows: node.rows });
  registrar.insert(binding());
  await world.advance(20);
  expect(await restart(() => registrar.held.clear())).toEqual([]);
  expect(world.server.publications).toHaveLength(1);
});

test('publications of others under the same source flag are left alone', async () => {
  const body = '<reginfo xmlns="urn:ietf:params:xml:ns:reginfo" version="0" state="full"/>';
  node.pua.sendPublish({ presUri: 'sip:x@example.com', event: 'reg', sourceFlag: 'REGINFO_PUBLISH', body });
  await world.advance(20);
  expect(await restart(() => {})).toEqual([]);
  expect(world.server.publications).toHaveLength(1);
});

test('what an event tells during the snapshot is newer', async () => {
  const one = registrar.insert(binding());
  await world.advance(20);
  await restart(() => {
    const { snapshot } = registrar;
    registrar.snapshot = async function* () {
      yield* snapshot!();
      registrar.delete(one);
    };
  });
  expect(world.document.registrations.map(outline)).toEqual(['terminated terminated/unregistered']);
});

test('what an event tells between two pages of the snapshot, though it is not to be published, tears nothing apart', async () => {
  const one = registrar.insert(binding());
  const other = registrar.insert(binding());
  await world.advance(20);
  const sent = await restart(() => {
    registrar.snapshot = async function* () {
      yield one;
      registrar.update(one, {}, { publish: false });
      yield other;
    };
  });
  expect(sent).toEqual([]);
});

test('a source that fails at first: nothing is published when nothing has changed', async () => {
  registrar.insert(binding());
  await world.advance(20);
  const sent = await restart(() => {
    registrar.identities = async () => {
      registrar.identities = async () => [];
      throw new Error('no database');
    };
  });
  await world.advance(5_000);
  expect([...sent, ...world.publishes.slice(1)]).toEqual([]);
  expect(world.faults.splice(0)).toHaveLength(1);
});

test('an AOR without domain in a snapshot is told', async () => {
  await restart(() => registrar.insert(binding({ aor: 'alice' })));
  expect(world.faults.splice(0).map(({ where }) => where)).toEqual(['reginfo: snapshot of alice']);
});

test('bindings learned elsewhere are not published after a restart either', async () => {
  expect(await restart(() => registrar.insert(binding({ origin: 'reginfo' }), { origin: 'reginfo' }))).toEqual([]);
});
