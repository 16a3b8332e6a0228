/** Location events -> PUBLISH (sections 4.1 and 4.2 of the behaviour of pua_reginfo). */
import type { Registration } from '@pua/documents';
import { ALICE, binding, FakeRegistrar, HOUR, NOW } from './support/registrar';
import { type NodeOptions, World } from './support/world';

let world: World;
let registrar: FakeRegistrar;

beforeEach(async () => {
  world = await World.start();
  registrar = new FakeRegistrar();
});
afterEach(async () => {
  await world.stop();
  expect(world.faults).toEqual([]);
});

const start = (options: NodeOptions = {}) => world.node({ source: registrar, ...options });

/** `state: contact state/event, ...` */
const outline = ({ state, contacts = [] }: Registration) =>
  [state, ...contacts.map((one) => `${one.state}/${one.event}`)].join(' ');

/** Runs the clock through the coalescing and a round trip; the outline of the document that was published then. */
async function published(): Promise<string | undefined> {
  const before = world.publishes.length;
  await world.advance(20);
  expect(world.publishes.length).toBeLessThanOrEqual(before + 1);
  return world.publishes.length > before ? outline(world.document.registrations[0]!) : undefined;
}

describe('kamailio: rows of 4.1', () => {
  test('INSERT of the first contact', async () => {
    await start();
    registrar.insert(binding());
    expect(await published()).toBe('active active/created');
    expect(world.last).toMatchObject({ uri: `sip:${ALICE}`, ifMatch: undefined, expires: 3601, status: 200 });
  });
});
