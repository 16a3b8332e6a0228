/** In the end every lamp is off, and who is registered, and nobody else, is seen online. */
import * as fc from 'fast-check';
import { complaints, describeWithSchemas, temporaryFolder } from '../../../documents/test/xmllint';
import { broken } from './broken';
import { accepted, faultsOfDialogs, lit, registrations, samples } from './judge';
import { COMPANIONS, type Companions, Life, type Plan } from './life';

const CALLS = 100;
/** Lives per property: 1200 calls in all. */
const LIVES = Number(process.env['PUA_LIVES'] ?? 4);
/** In which there are a kill and calls that end during it. */
const SMALL: Plan = { seed: 2, calls: 40, aggregate: 0, calledBy: 'source' };

async function holds(companions: Companions, plan: Plan): Promise<void> {
  const life = await Life.begin(plan, companions);
  const { world } = life;
  await life.run();
  expect(accepted(life, 'dialog').length).toBeGreaterThan(2 * plan.calls);
  expect(lit(life)).toEqual([]);
  expect(life.stats).toMatchObject({ calls: 0, publications: 0 });
  expect(faultsOfDialogs(life)).toEqual([]);
  const { bound, open, active } = await registrations(life);
  expect({ open, active }).toEqual({ open: bound, active: bound });
  expect(world.wire.violations).toEqual([]);
  await life.leave();
  expect(await registrations(life)).toEqual({ bound: [], open: [], active: [] });
  expect([...world.pua.list()]).toEqual([]);
  expect(world.disk.rows.size).toBe(0);
  await life.stop();
}

test.each([
  ['one publication per dialog', { aggregate: 0, calledBy: 'source' }],
  ['one per presentity', { aggregate: 1, calledBy: 'source' }],
  ['by webhook', { aggregate: 0, calledBy: 'webhook' }],
] as const)(
  'random calls and registrations: %s',
  async (_name, how) => {
    const property = fc.asyncProperty(fc.nat(), (seed) => holds(COMPANIONS, { seed, calls: CALLS, ...how }));
    await fc.assert(property, {
      numRuns: LIVES,
      seed: Number(process.env['PUA_SEED'] ?? 4),
      endOnFailure: true,
      includeErrorInReport: true,
    });
  },
  120_000,
);

type Dialoginfo = Pick<Companions, 'dialoginfo'>;
type Usrloc = Pick<Companions, 'usrloc'>;
type Reginfo = Pick<Companions, 'reginfo'>;
type Forks = typeof import('../../../dialoginfo/src/forks.js');
type Heartbeat = typeof import('../../../dialoginfo/src/heartbeat.js');
type Restore = typeof import('../../../dialoginfo/src/restore.js');
type Identity = typeof import('../../../usrloc/src/identity.js');
type Mapping = typeof import('../../../reginfo/src/mapping.js');

const mutants: Readonly<Record<string, Partial<Companions>>> = {
  'a call that is over could begin anew': broken<Dialoginfo, Forks>('@pua/dialoginfo', 'forks.js', ({ tell }) => ({
    tell: (...[call, event]: Parameters<typeof tell>) => {
      if (call.ended) call.forks.length = 0;
      call.ended = false;
      return tell(call, event);
    },
  })),
  'nobody asked which calls live': broken<Dialoginfo, Heartbeat>('@pua/dialoginfo', 'heartbeat.js', (actual) => ({
    Heartbeat: class extends actual.Heartbeat {
      override start(): void {}
    },
  })),
  'a start knew nothing of the run before it': broken<Dialoginfo, Restore>('@pua/dialoginfo', 'restore.js', () => ({
    restore: async () => {},
  })),
  'an AOR had one publication': broken<Usrloc, Identity>('@pua/usrloc', 'identity.js', () => ({
    identityOf: ({ aor }: { aor: string }) => aor,
  })),
  'documents named what has changed, and nothing else': broken<Reginfo, Mapping>(
    '@pua/reginfo',
    'mapping.js',
    ({ regInfo }) => ({ regInfo: (input: Parameters<typeof regInfo>[0]) => regInfo({ ...input, live: [] }) }),
  ),
};

test.each(Object.entries(mutants))(
  'it is noticed if %s',
  async (_what, mutant) => {
    // By what it expects, not by a crash.
    await expect(holds({ ...COMPANIONS, ...mutant }, SMALL)).rejects.toThrow(/expect\(/);
  },
  60_000,
);

const SCHEMAS = {
  'urn:ietf:params:xml:ns:dialog-info': 'dialog-info',
  'urn:ietf:params:xml:ns:pidf': 'pidf',
  'urn:ietf:params:xml:ns:reginfo': 'reginfo',
};

describeWithSchemas('by the schemas of the RFCs', () => {
  const folder = temporaryFolder();
  test.each([0, 1] as const)('what the server has accepted (aggregate %i)', async (aggregate) => {
    const life = await Life.begin({ ...SMALL, aggregate }, COMPANIONS);
    await life.run();
    const documents = samples(life, 4);
    expect(documents.length).toBeGreaterThan(40);
    expect(complaints(folder(), SCHEMAS, documents)).toBe('');
    await life.stop();
  });
});
