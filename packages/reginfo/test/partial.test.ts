/** `partial`: changes alone, as long as the server is known to have the rest. */
import { binding, FakeRegistrar, HOUR } from './support/registrar';
import { type Node, World } from './support/world';

let world: World;
let registrar: FakeRegistrar;
let node: Node;

beforeEach(async () => {
  world = await World.start();
  registrar = new FakeRegistrar();
  node = await world.node({ source: registrar, partial: 1 });
});
afterEach(async () => {
  await world.stop();
  expect(world.faults).toEqual([]);
});

/** Of every document: state, version, number of contacts. */
const documents = () =>
  world.publishes
    .filter(({ body }) => body !== '')
    .map(({ body }) => {
      const [, version, state] = /version="(\d+)" state="(\w+)"/.exec(body)!;
      return `${state} ${version}: ${body.match(/<contact /g)?.length ?? 0}`;
    });

async function three() {
  const all = [binding({ expiresAt: 0 }), binding(), binding()];
  for (const one of all) registrar.insert(one);
  await world.advance(20);
  return all;
}

test('a full one first, then changes with rising versions, the end in full', async () => {
  const [one, other, third] = await three();
  registrar.update(one!);
  await world.advance(20);
  registrar.expire(other!);
  await world.advance(20);
  registrar.delete(third!);
  registrar.delete(one!);
  await world.advance(20);
  expect(documents()).toEqual(['full 0: 3', 'partial 1: 1', 'partial 2: 1', 'full 3: 2']);
});

test('one that is not accepted yet may be replaced by the next: that is a full one', async () => {
  const [one, other] = await three();
  world.network.setFaults({ delay: [100, 100] });
  registrar.update(one!);
  await world.advance(20);
  registrar.update(other!);
  await world.advance(1_000);
  registrar.update(one!);
  await world.advance(1_000);
  expect(documents()).toEqual(['full 0: 3', 'partial 1: 1', 'full 2: 3', 'partial 3: 1']);
});

test('another set of identities: a full one', async () => {
  const [one] = await three();
  registrar.identities = async () => ['sip:alias@example.com'];
  registrar.update(one!);
  await world.advance(20);
  registrar.update(one!);
  await world.advance(20);
  expect(documents()).toEqual(['full 0: 3', 'full 1: 6', 'partial 2: 2']);
});

test('a server that has lost it gets it in full, also when a refresh finds that out', async () => {
  const [one] = await three();
  world.server.restart({ forget: true });
  registrar.update(one!);
  await world.advance(100);
  expect(documents()).toEqual(['full 0: 3', 'partial 1: 1', 'full 0: 3']);
  world.server.restart({ forget: true });
  await world.advance(2 * HOUR);
  expect(documents().slice(3)).toEqual(['full 0: 3']);
  expect(world.server.publications).toHaveLength(1);
});

test('a server that was away for longer than it keeps things', async () => {
  const [one] = await three();
  world.server.away();
  registrar.update(one!);
  await world.advance(3 * HOUR);
  world.server.back();
  await world.advance(HOUR);
  expect(documents().at(-1)).toMatch(/^full \d+: 1$/);
  expect(world.server.publications).toHaveLength(1);
});

test('after a restart the first one is full', async () => {
  const [one] = await three();
  registrar.update(one!);
  await world.advance(20);
  await world.stopNode(node);
  node = await world.node({ source: registrar, rows: node.rows, partial: 1 });
  expect(documents()).toEqual(['full 0: 3', 'partial 1: 1', 'full 2: 3']);
});

test('a new one after a removal is full', async () => {
  const one = registrar.insert(binding());
  await world.advance(20);
  registrar.delete(one);
  await world.advance(31_000);
  registrar.insert(binding());
  await world.advance(20);
  expect(documents()).toEqual(['full 0: 1', 'full 1: 1', 'full 0: 1']);
});
