/** Whatever happens to bindings and on the network, in the end the server has what is bound. */
import { readRegInfo } from '@pua/documents';
import { SimRandom } from '@pua/testkit';
import * as fc from 'fast-check';
import { binding, FakeRegistrar, HOUR, NOW } from './support/registrar';
import { World } from './support/world';

const AORS = ['alice@example.com', 'bob@example.com'];

const deed = fc.record({
  what: fc.constantFrom('insert', 'insert', 'update', 'move', 'delete', 'expire', 'restart', 'forget'),
  aor: fc.constantFrom(...AORS),
  after: fc.constantFrom(0, 0, 3, 30, 700, 5_000, 60_000),
});

test.each([
  ['full documents', 0],
  ['partial documents', 1],
])(
  'random events, losses, delays, restarts: %s',
  async (_name, partial) => {
    await fc.assert(
      fc.asyncProperty(fc.nat(), fc.array(deed, { minLength: 1, maxLength: 30 }), async (seed, story) => {
        const faults = { loss: 0.15, duplicate: 0.1, delay: [5, 400] as const };
        const world = await World.start({ seed, faults, grant: 900 });
        const registrar = new FakeRegistrar();
        const random = new SimRandom(seed);
        let node = await world.node({ source: registrar, partial });
        for (const { what, aor, after } of story) {
          const there = registrar.of(aor);
          const one = there.length > 0 ? random.pick(there) : undefined;
          const expiresAt = random.pick([0, NOW + 9 * HOUR, NOW + 10 * HOUR]);
          if (what === 'insert' || one === undefined) registrar.insert(binding({ aor, expiresAt }));
          else if (what === 'update') registrar.update(one, { expiresAt, cseq: (one.cseq ?? 0) + 1 });
          else if (what === 'move') registrar.update(one, { contact: `${one.contact};n=${random.int(99)}` });
          else if (what === 'delete') registrar.delete(one);
          else if (what === 'expire') registrar.expire(one);
          else if (what === 'forget') world.server.restart({ forget: true });
          else {
            await world.stopNode(node);
            if (random.uniform() < 0.5) registrar.held.delete([...registrar.held.keys()][0]!);
            node = await world.node({ source: registrar, partial, rows: node.rows });
          }
          await world.advance(after);
        }
        // The network is quiet: refreshes find what a server has forgotten.
        world.network.setFaults({});
        await world.advance(2 * HOUR);
        expect(published(world, partial === 1)).toEqual(bound(registrar));
        for (const one of [...registrar.held.values()]) registrar.delete(one);
        await world.advance(2 * HOUR);
        expect(world.server.publications).toEqual([]);
        expect([...node.pua.list()]).toEqual([]);
        await world.stop();
        expect(world.faults).toEqual([]);
      }),
      { numRuns: 10 },
    );
  },
  60_000,
);

const bound = (registrar: FakeRegistrar): string[] =>
  [...registrar.held.values()].map(({ aor, contact }) => `sip:${aor} ${contact}`).sort();

/** Active contacts of all documents that the server holds; of partial ones, put together with those before them. */
function published(world: World, partial: boolean): string[] {
  const found: string[] = [];
  for (const { presentity, body } of world.server.publications) {
    const chain = partial ? documentsOf(world, presentity) : [body.text()];
    const contacts = new Map<string, string>();
    for (const text of chain) {
      const document = readRegInfo(text);
      if (document.state === 'full') contacts.clear();
      for (const { aor, contacts: named = [] } of document.registrations) {
        for (const { id, state, uri } of named) {
          if (state === 'active') contacts.set(id, `${aor} ${uri}`);
          else contacts.delete(id);
        }
      }
    }
    found.push(...contacts.values());
  }
  return found.sort();
}

/** What the server has accepted of an AOR, in order. */
const documentsOf = (world: World, presentity: string): string[] =>
  world.publishes
    .filter(({ uri, body, status }) => uri === `sip:${presentity}` && body !== '' && status === 200)
    .map(({ body }) => body);
