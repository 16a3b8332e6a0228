/** Random stories: what owners, network, server and fate do to a world; and what must be true when it is calm again. */
import type { PuaResult } from '@pua/core';
import * as fc from 'fast-check';
import type { World } from './world';

export type Deed =
  | { readonly kind: 'publish' | 'insert'; readonly who: number }
  | { readonly kind: 'unpublish' | 'subscribe' | 'unsubscribe'; readonly who: number }
  | {
      readonly kind: 'answer';
      readonly method: 'PUBLISH' | 'SUBSCRIBE';
      readonly status: number;
      readonly times: number;
    }
  | { readonly kind: 'terminate'; readonly reason: string }
  | { readonly kind: 'notify-first' | 'forget' | 'away' | 'back' | 'kill' | 'calm' | 'storm' }
  | { readonly kind: 'wait'; readonly ms: number };

const USERS = 4;

export const deeds = (kinds: { readonly kills?: boolean } = {}): fc.Arbitrary<Deed[]> => {
  const who = fc.nat(USERS - 1);
  const of = (kind: 'publish' | 'insert' | 'unpublish' | 'subscribe' | 'unsubscribe') =>
    fc.record({ kind: fc.constant(kind), who }) as fc.Arbitrary<Deed>;
  const only = (...names: string[]) => fc.constantFrom(...names).map((kind) => ({ kind }) as Deed);
  return fc.array(
    fc.oneof(
      { weight: 6, arbitrary: of('publish') },
      { weight: 1, arbitrary: of('insert') },
      { weight: 2, arbitrary: of('unpublish') },
      { weight: 3, arbitrary: of('subscribe') },
      { weight: 1, arbitrary: of('unsubscribe') },
      {
        weight: 3,
        arbitrary: fc.record({
          kind: fc.constant('answer'),
          method: fc.constantFrom('PUBLISH', 'SUBSCRIBE'),
          status: fc.constantFrom(401, 403, 408, 412, 423, 481, 500, 503),
          times: fc.integer({ min: 1, max: 3 }),
        }) as fc.Arbitrary<Deed>,
      },
      {
        weight: 1,
        arbitrary: fc.record({
          kind: fc.constant('terminate'),
          reason: fc.constantFrom('deactivated', 'timeout', 'probation', 'giveup', ''),
        }) as fc.Arbitrary<Deed>,
      },
      { weight: 2, arbitrary: only('notify-first', 'forget', 'away', 'back', 'storm', 'calm') },
      ...(kinds.kills ? [{ weight: 2, arbitrary: only('kill') }] : []),
      {
        weight: 8,
        arbitrary: fc.record({
          kind: fc.constant('wait'),
          ms: fc.constantFrom(1, 20, 60, 400, 5_000, 50_000),
        }) as fc.Arbitrary<Deed>,
      },
    ),
    { minLength: 3, maxLength: 40 },
  );
};

const HEADERS: Record<number, readonly (readonly [string, string])[]> = {
  401: [['WWW-Authenticate', 'Digest realm="x", nonce="n", qop="auth"']],
  423: [['Min-Expires', '90']],
  503: [['Retry-After', '20']],
};

export interface Wish {
  /** Newest note that is wanted, undefined: nothing. */
  readonly notes: (string | undefined)[];
  readonly subscribed: boolean[];
  /** Users with a kill or a lost answer in their past: the server may hold more until it lapses. */
  kills: number;
}

export async function tell(
  world: World,
  story: readonly Deed[],
  onKill?: (world: World) => Promise<void>,
): Promise<Wish> {
  const wish: Wish = { notes: Array(USERS).fill(undefined), subscribed: Array(USERS).fill(false), kills: 0 };
  let note = 0;
  const user = (who: number) => `u${who}`;
  for (const deed of story) {
    switch (deed.kind) {
      case 'publish':
      case 'insert':
        wish.notes[deed.who] = String(++note);
        world.publish(user(deed.who), note, { insert: deed.kind === 'insert' });
        break;
      case 'unpublish':
        wish.notes[deed.who] = undefined;
        world.unpublish(user(deed.who));
        break;
      case 'subscribe':
        wish.subscribed[deed.who] = true;
        world.subscribe(user(deed.who));
        break;
      case 'unsubscribe':
        wish.subscribed[deed.who] = false;
        world.subscribe(user(deed.who), 0);
        break;
      case 'answer':
        world.server.answerNext({
          method: deed.method,
          status: deed.status,
          times: deed.times,
          headers: HEADERS[deed.status] ?? [],
        });
        break;
      case 'terminate': {
        const subscription = world.server.subscriptions[0];
        if (subscription) world.server.terminate(subscription, deed.reason === '' ? {} : { reason: deed.reason });
        break;
      }
      case 'notify-first':
        world.server.shapeNext({ method: 'SUBSCRIBE', notifyFirst: true });
        break;
      case 'forget':
        world.server.restart({ forget: true });
        break;
      case 'away':
        world.server.away();
        break;
      case 'back':
        world.server.back();
        break;
      case 'storm':
        world.network.setFaults({ loss: 0.15, delay: [0, 300], duplicate: 0.1 });
        break;
      case 'calm':
        world.network.setFaults({});
        break;
      case 'wait':
        await world.advance(deed.ms);
        break;
      case 'kill':
        wish.kills++;
        await (onKill ?? killAndRestart)(world);
        break;
    }
  }
  return wish;
}

async function killAndRestart(world: World): Promise<void> {
  world.kill();
  await world.startPua();
}

/**
 * The world is left alone until the longest retry and the longest granted lifetime have passed: then the server holds
 * exactly what is wanted, once.
 */
export async function calm(world: World): Promise<void> {
  world.network.setFaults({});
  world.server.clearScript();
  world.server.back();
  await world.advance(CALM_MS);
}

/** Policy of these worlds: no wait is longer than the lifetimes, so that being calm does not take a simulated hour. */
export const POLICY = { longRetry: 60_000, backoffCap: 20_000, retryAfterCap: 60_000 };
export const GRANT = 120;
const CALM_MS = 400_000;

/** What is wrong with a calm world. */
export function faultsOf(world: World, wish: Wish): string[] {
  const found: string[] = [...world.wire.violations];
  const published = world.published();
  const subscriptions = world.server.subscriptions;
  for (let who = 0; who < USERS; who++) {
    const note = wish.notes[who];
    const holds = published.get(`u${who}`) ?? [];
    const expected = note === undefined ? [] : [note];
    if (JSON.stringify(holds) !== JSON.stringify(expected))
      found.push(`u${who}: server holds ${JSON.stringify(holds)}, wanted ${JSON.stringify(expected)}`);
    const dialogs = subscriptions.filter((s) => JSON.stringify(s.presentity).includes(`u${who}@`)).length;
    if (dialogs !== (wish.subscribed[who] ? 1 : 0)) found.push(`u${who}: ${dialogs} subscriptions at the server`);
  }
  const wanted = wish.notes.filter((n) => n !== undefined).length + wish.subscribed.filter(Boolean).length;
  const { records, scheduled, dialogs } = world.pua.stats();
  if (records.publications + records.subscriptions !== wanted)
    found.push(`records ${JSON.stringify(records)}, wanted ${wanted}`);
  const listed = [...world.pua.list()].length;
  if (listed !== wanted) found.push(`${listed} records in memory, wanted ${wanted}`);
  if (scheduled > wanted) found.push(`${scheduled} deadlines for ${wanted} records`);
  if (dialogs !== wish.subscribed.filter(Boolean).length) found.push(`${dialogs} dialogs in the index`);
  if (world.disk.rows.size !== wanted) found.push(`${world.disk.rows.size} rows for ${wanted} records`);
  return found;
}

export const settledOf = (handles: { result: Promise<PuaResult> }[]): Promise<PuaResult[]> =>
  Promise.all(handles.map((h) => h.result));
