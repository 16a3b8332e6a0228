/**
 * Whoever asks why nothing arrives gets an answer without a packet trace: what state a record is in, since when it fails,
 * when it is tried again; what servers answered; every step as an event. Over HTTP, with what an administrator has.
 */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { PuaOptions, PuaRecord, PuaStats } from '@pua/core';
import { mi } from '@pua/mi';
import { type CreatePua, World } from '../../dist/world/world.js';
import { call } from '../kamailio/support/rpc';
import { mutant } from '../world/mutant';
import { harmless } from './hurt';

type Base = typeof import('../../../core/src/record.js');
type Stats = typeof import('../../../core/src/stats.js');

interface Office {
  readonly world: World;
  rpc<T>(method: string, params?: object): Promise<T>;
}

const worlds: World[] = [];
/** A story that fails must not leave its HTTP server open. */
afterEach(async () => {
  for (const world of worlds.splice(0)) await world.stop();
});

async function open(create: CreatePua): Promise<Office> {
  const module = mi({ listen: '127.0.0.1:0' });
  const createPua = (options: PuaOptions) => create(options).use(module);
  const world = await World.start({ seed: 1, createPua });
  worlds.push(world);
  const { url } = module.address!;
  return { world, rpc: async (method, params = {}) => (await call(url, method, params)) as never };
}

/** What a record says of its trouble; `failures` and `nextAt` count from 1 and from now. */
type Story = readonly [
  what: string,
  prepare: (world: World) => void,
  expected: object,
  wait: readonly [number, number],
];

const HOUR = 3600;
const STORIES: readonly Story[] = [
  ['the server does not answer', ({ server }) => server.away(), { state: 'waiting', failures: 1 }, [0, 5]],
  [
    'it is refused',
    ({ server }) => server.answerNext({ status: 403 }),
    { state: 'waiting', failures: 1 },
    [HOUR, 1.1 * HOUR],
  ],
  [
    'credentials are missing',
    ({ server }) => server.requireDigest({ realm: 'x', users: { alice: 'secret' } }),
    { state: 'waiting', failures: 1 },
    [60, 120],
  ],
  [
    'the server asks for patience',
    ({ server }) => server.answerNext({ status: 480, headers: [['Retry-After', '300']] }),
    { state: 'waiting', failures: 1 },
    [300, 400],
  ],
  [
    'it will never do',
    ({ server }) => server.answerNext({ status: 415 }),
    { state: 'parked', failures: 1, nextAt: 0 },
    [0, 0],
  ],
];

describe('14: blind operation (kamailio#2188, #878, #886, #2783, #1408, #4565)', () => {
  for (const [what, prepare, expected, [least, most]] of STORIES) {
    harmless(
      `${what}: pua.list names the record, pua.show says what it waits for and until when`,
      async (create) => {
        const { world, rpc } = await open(create);
        prepare(world);
        world.publish('alice', 1);
        world.publish('bob', 1);
        await world.advance(33_000);
        const { records } = await rpc<{ records: PuaRecord[] }>('pua.list', { uri: 'sip:alice@example.com' });
        expect(records).toMatchObject([{ presUri: 'sip:alice@example.com', event: 'presence', ...expected }]);
        const record = await rpc<PuaRecord>('pua.show', { key: records[0]!.key });
        expect(record).toMatchObject({ ...expected, body: expect.stringContaining('<note>1</note>') });
        if (!('nextAt' in expected)) {
          const wait = record.nextAt - (world.clock.wall() - world.clock.now()) / 1000;
          expect(wait).toBeGreaterThanOrEqual(least);
          expect(wait).toBeLessThanOrEqual(most + 33);
        }
      },
      {
        'a record did not tell what it waits for': mutant<Base>('record.js', ({ RecordBase }) => ({
          RecordBase: class extends (RecordBase as unknown as new (...args: never[]) => { blankView(): object }) {
            override blankView() {
              return { ...super.blankView(), state: '', failures: 0, nextAt: -1 };
            }
          },
        })),
      },
    );
  }

  harmless(
    'pua.stats counts what servers answered and what is under way, by state and next hop',
    async (create) => {
      const { world, rpc } = await open(create);
      world.server.answerNext({ method: 'PUBLISH', status: 403, times: 3 });
      for (let i = 0; i < 10; i++) world.publish(`u${i}`, i);
      world.subscribe('u0');
      await world.advance(1_000);
      world.server.away();
      world.publish('late', 1);
      await world.advance(1_000);
      const stats = await rpc<PuaStats>('pua.stats');
      expect(stats).toMatchObject({
        records: { publications: 11, subscriptions: 1 },
        states: {
          'publication published': 7,
          'publication waiting': 3,
          'publication publishing': 1,
          'subscription subscribed': 1,
        },
        requests: { 'PUBLISH 200': 7, 'PUBLISH 403': 3, 'SUBSCRIBE 200': 1 },
        inFlight: 1,
        hops: [{ hop: 'udp:10.0.0.9:5060', inFlight: 1 }],
      });
      expect(Object.values(stats.notifies).reduce((sum, n) => sum + n, 0)).toBeGreaterThan(0);
    },
    {
      'nothing were counted': mutant<Stats>('stats.js', ({ Counter }) => ({
        Counter: class extends Counter {
          override add(): void {}
        },
      })),
    },
  );

  harmless(
    'the watchers of the process, and what they were told last, are there to see',
    async (create) => {
      const { world, rpc } = await open(create);
      world.subscribe('alice');
      await world.advance(1_000);
      const { records } = await rpc<{ records: PuaRecord[] }>('pua.list', { kind: 'subscription' });
      expect(records).toMatchObject([
        {
          state: 'subscribed',
          subscriptionState: 'active',
          watcherUri: 'sip:watcher@example.com',
          callId: world.server.subscriptions[0]!.callId,
        },
      ]);
    },
    {
      'subscriptions were not listed': mutant<typeof import('../../../core/src/records.js')>(
        'records.js',
        ({ Records }) => ({
          Records: class extends Records {
            override all() {
              return [...super.all()].filter(({ kind }) => kind !== 'subscription')[Symbol.iterator]() as never;
            }
          },
        }),
      ),
    },
  );

  harmless(
    'every answer and what came of it is an event for logs and metrics',
    async (create) => {
      const { world } = await open(create);
      const seen: string[] = [];
      const see = (message: unknown) => {
        const { type, reply } = message as { type: string; reply?: { status: number } };
        seen.push(reply ? `${type} ${reply.status}` : type);
      };
      subscribe('pua:publication', see);
      world.server.answerNext({ status: 503 });
      world.publish('alice', 1, { expires: 60 });
      await world.advance(90_000);
      unsubscribe('pua:publication', see);
      expect(seen).toEqual(['answer 503', 'answer 200', 'expired']);
    },
    {
      'nobody were told': mutant<typeof import('../../../core/src/observe.js')>('observe.js', ({ channels }) => ({
        channels: { ...channels, publication: { hasSubscribers: false } },
      })),
    },
  );

  // Fails when a command is added without a row in the table of the README (tried by taking out the one of pua.cleanup).
  test('no command is without its documentation', async () => {
    const { createPua } = jest.requireActual<{ createPua: CreatePua }>('@pua/core');
    const { world } = await open(createPua);
    const readme = readFileSync(join(dirname(require.resolve('@pua/mi/package.json')), 'README.md'), 'utf8');
    const names = world.pua.commands().map(({ name }) => name);
    expect(names.length).toBeGreaterThan(5);
    for (const name of names) expect(readme).toMatch(new RegExp(`^\\| \`${name}\` `, 'm'));
  });
});
