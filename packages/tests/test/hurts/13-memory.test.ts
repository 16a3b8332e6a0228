/**
 * What a caller hands in belongs to its record, and goes with it on every path: its callback is called once, and then
 * nothing of it is reachable. That the heap stays what it was is for the soak to show.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { PuaHandle } from '@pua/core';
import { document, World } from '../../dist/world/world.js';
import { mutant } from '../world/mutant';
import { GRANT, POLICY } from '../world/story';
import { harmless } from './hurt';

type Records = typeof import('../../../core/src/records.js');
type Handles = typeof import('../../../core/src/handle.js');

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;
/** A WeakRef that was made or read keeps its object until the turn is over. */
const turn = () => new Promise((resolve) => setImmediate(resolve));

/** Callers that are watched: each hands in an object of its own, with which it can be told whether they are still held. */
class Callers {
  readonly calls: number[] = [];
  readonly #held: WeakRef<object>[] = [];

  /** @param expires as of publ_info and subs_info */
  ask(world: World, kind: 'publish' | 'subscribe' | 'fetch', user: string, expires = -1): void {
    const param = { of: user };
    const caller = this.calls.push(0) - 1;
    const callback = () => void this.calls[caller]!++;
    const presUri = `sip:${user}@example.com`;
    const common = { presUri, event: 'presence', cbParam: param, callback };
    let handle: PuaHandle;
    if (kind === 'publish') {
      const body = expires === 0 ? {} : { body: document(user, caller) };
      handle = world.pua.sendPublish({ ...common, ...body, sourceFlag: 'RPC_PUBLISH', expires });
    } else {
      const watcherUri = 'sip:watcher@example.com';
      const onNotify = () => void param;
      const fetch = kind === 'fetch';
      handle = world.pua.sendSubscribe({
        ...common,
        sourceFlag: 'RPC_SUBSCRIBE',
        watcherUri,
        expires,
        fetch,
        onNotify,
      });
    }
    this.#held.push(new WeakRef(param), new WeakRef(callback), new WeakRef(handle));
  }

  async held(): Promise<number> {
    for (let round = 0; round < 3; round++) {
      await turn();
      collect();
    }
    return this.#held.filter((ref) => ref.deref() !== undefined).length;
  }
}

/** Odd paths: what the server does before the caller asks, with PUBLISH and SUBSCRIBE. */
const PATHS: Readonly<Record<string, (world: World) => void>> = {
  accepted: () => {},
  'refused for good': ({ server }) => server.answerNext({ status: 405, times: 2 }),
  'refused for an hour': ({ server }) => server.answerNext({ status: 403, times: 2 }),
  challenged: ({ server }) =>
    server.answerNext({ status: 401, times: 2, headers: [['WWW-Authenticate', 'Digest realm="x", nonce="n"']] }),
  'without answer': ({ server }) => server.ignoreNext({ times: 4 }),
  'an answer that comes twice': ({ network }) => network.setFaults({ duplicate: 1, delay: [1, 200] }),
  'a NOTIFY that overtakes the 2xx': ({ server }) => server.shapeNext({ method: 'SUBSCRIBE', notifyFirst: true }),
  'no NOTIFY': ({ server }) => server.loseNotifies({ times: 3 }),
  'a grant of nothing': ({ server }) => server.shapeNext({ grant: 0, times: 2 }),
};

describe('13: memory growth (kamailio#3928, #4503, #3403, #4808, #997, #1001; sofia-sip#340; pjsip#291, #1164)', () => {
  for (const [path, prepare] of Object.entries(PATHS)) {
    harmless(
      `${path}: every callback once, and nothing is held afterwards`,
      async (create) => {
        const world = await World.start({ seed: 1, createPua: create, grant: GRANT, pua: { policy: POLICY } });
        const callers = new Callers();
        prepare(world);
        for (const kind of ['publish', 'subscribe', 'fetch'] as const) callers.ask(world, kind, 'alice');
        // Some that are superseded at once, and some that find a request on the wire.
        callers.ask(world, 'publish', 'alice');
        callers.ask(world, 'subscribe', 'alice');
        await world.advance(10);
        callers.ask(world, 'publish', 'alice');
        callers.ask(world, 'subscribe', 'alice');
        await world.advance(100_000);
        for (const kind of ['publish', 'subscribe'] as const) callers.ask(world, kind, 'alice', 0);
        // Ends that find nothing to end.
        for (const kind of ['publish', 'subscribe'] as const) callers.ask(world, kind, 'nobody', 0);
        await world.advance(100_000);
        expect(callers.calls).toEqual(callers.calls.map(() => 1));
        expect(world.pua.stats().records).toEqual({ publications: 0, subscriptions: 0 });
        expect(await callers.held()).toBe(0);
        await world.stop();
      },
      {
        'an ended record stayed in the table': mutant<Records>('records.js', ({ Records }) => ({
          Records: class extends Records {
            readonly #ended: unknown[] = [];
            override remove(...[record]: Parameters<InstanceType<typeof Records>['remove']>): void {
              this.#ended.push(record);
              super.remove(record);
            }
          },
        })),
      },
    );
  }

  harmless(
    'the process stops with requests on the wire and in the queue: everybody is told, once',
    async (create) => {
      const ceiling = { perSecond: 0, inFlight: 2 };
      const world = await World.start({ seed: 1, createPua: create, pua: { ceiling } });
      world.server.away();
      const callers = new Callers();
      for (let i = 0; i < 10; i++) callers.ask(world, i % 2 ? 'publish' : 'subscribe', `u${i}`);
      await world.advance(1_000);
      await world.stop();
      expect(callers.calls).toEqual(callers.calls.map(() => 1));
    },
    {
      'a record did not tell those who wait': mutant<Handles>('handle.js', ({ Handle }) => ({
        Handle: class extends Handle {
          override settle(...[result]: Parameters<InstanceType<typeof Handle>['settle']>): void {
            if (result.outcome !== 'stopped') super.settle(result);
          }
        },
      })),
    },
  );
});
