/** Random stories: what owners, network, server and fate do to a world; and what must be true when it is calm again. */
import * as fc from 'fast-check';
import type { World } from '../../dist/world/world.js';

export type Deed =
  | { readonly kind: 'publish' | 'insert'; readonly who: number }
  | { readonly kind: 'unpublish' | 'subscribe' | 'unsubscribe'; readonly who: number }
  | AnswerDeed
  | TerminateDeed
  /** What a server does; `at` counts servers. */
  | { readonly kind: 'notify-first' | 'forget' | 'away' | 'back'; readonly at: number }
  | { readonly kind: 'kill' | 'calm' | 'storm' }
  | { readonly kind: 'wait'; readonly ms: number };

/** The next answers of a server. */
export interface AnswerDeed {
  readonly kind: 'answer';
  readonly method: 'PUBLISH' | 'SUBSCRIBE';
  readonly status: number;
  readonly times: number;
  readonly headers?: readonly (readonly [string, string])[];
  readonly at: number;
}

/** A server ends one of its subscriptions; an empty reason: none is given. */
export interface TerminateDeed {
  readonly kind: 'terminate';
  readonly reason: string;
  readonly retryAfter?: number;
  readonly at: number;
}

const USERS = 4;
export const REASONS = ['deactivated', 'timeout', 'probation', 'giveup', ''] as const;

const HEADERS: Record<number, readonly (readonly [string, string])[]> = {
  401: [['WWW-Authenticate', 'Digest realm="x", nonce="n", qop="auth"']],
  423: [['Min-Expires', '90']],
  503: [['Retry-After', '20']],
};

/** Which of the servers. */
export const server = fc.nat(7);
export const method = fc.constantFrom('PUBLISH' as const, 'SUBSCRIBE' as const);

const anyAnswer: fc.Arbitrary<AnswerDeed> = fc
  .record({
    method,
    status: fc.constantFrom(401, 403, 408, 412, 423, 481, 500, 503),
    times: fc.integer({ min: 1, max: 3 }),
    at: server,
  })
  .map((deed) => ({ kind: 'answer', ...deed, headers: HEADERS[deed.status] ?? [] }));

const anyTermination: fc.Arbitrary<TerminateDeed> = fc
  .record({ reason: fc.constantFrom(...REASONS), at: server })
  .map((deed) => ({ kind: 'terminate', ...deed }));

export interface Kinds {
  readonly kills?: boolean;
  readonly answers?: fc.Arbitrary<AnswerDeed>;
  readonly terminations?: fc.Arbitrary<TerminateDeed>;
}

export const deeds = ({
  kills = false,
  answers = anyAnswer,
  terminations = anyTermination,
}: Kinds = {}): fc.Arbitrary<Deed[]> => {
  const who = fc.nat(USERS - 1);
  const of = (kind: 'publish' | 'insert' | 'unpublish' | 'subscribe' | 'unsubscribe') =>
    fc.record({ kind: fc.constant(kind), who }) as fc.Arbitrary<Deed>;
  const only = (...kinds: ('kill' | 'calm' | 'storm')[]) => fc.constantFrom(...kinds).map((kind): Deed => ({ kind }));
  const atServer = fc.record({
    kind: fc.constantFrom('notify-first' as const, 'forget' as const, 'away' as const, 'back' as const),
    at: server,
  });
  return fc.array<Deed>(
    fc.oneof(
      { weight: 6, arbitrary: of('publish') },
      { weight: 1, arbitrary: of('insert') },
      { weight: 2, arbitrary: of('unpublish') },
      { weight: 3, arbitrary: of('subscribe') },
      { weight: 1, arbitrary: of('unsubscribe') },
      { weight: 3, arbitrary: answers },
      { weight: 1, arbitrary: terminations },
      {
        weight: 2,
        arbitrary: fc.oneof({ weight: 2, arbitrary: atServer }, { weight: 1, arbitrary: only('calm', 'storm') }),
      },
      ...(kills ? [{ weight: 2, arbitrary: only('kill') }] : []),
      {
        weight: 8,
        arbitrary: fc.record({
          kind: fc.constant('wait' as const),
          ms: fc.constantFrom(1, 20, 60, 400, 5_000, 50_000),
        }),
      },
    ),
    { minLength: 3, maxLength: 40 },
  );
};

export interface Wish {
  /** Newest note that is wanted, undefined: nothing. */
  readonly notes: (string | undefined)[];
  readonly subscribed: boolean[];
}

export async function tell(
  world: World,
  story: readonly Deed[],
  onKill?: (world: World) => Promise<void>,
): Promise<Wish> {
  const wish: Wish = { notes: Array(USERS).fill(undefined), subscribed: Array(USERS).fill(false) };
  let note = 0;
  const user = (who: number) => `u${who}`;
  const at = ({ at: index }: { readonly at: number }) => world.servers[index % world.servers.length]!;
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
      case 'answer': {
        const { method, status, times, headers = [] } = deed;
        at(deed).answerNext({ method, status, times, headers });
        break;
      }
      case 'terminate': {
        const [subscription] = at(deed).subscriptions;
        const { reason, retryAfter } = deed;
        const how = { ...(reason === '' ? {} : { reason }), ...(retryAfter === undefined ? {} : { retryAfter }) };
        if (subscription) at(deed).terminate(subscription, how);
        break;
      }
      case 'notify-first':
        at(deed).shapeNext({ method: 'SUBSCRIBE', notifyFirst: true });
        break;
      case 'forget':
        at(deed).restart({ forget: true });
        break;
      case 'away':
        at(deed).away();
        break;
      case 'back':
        at(deed).back();
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
 * The world is left alone until the longest retry and the longest granted lifetime have passed: then the servers hold
 * exactly what is wanted, once.
 */
export async function calm(world: World): Promise<void> {
  world.network.setFaults({});
  for (const server of world.servers) {
    server.clearScript();
    server.back();
  }
  await world.advance(CALM_MS);
}

/** Policy of these worlds: no wait is longer than the lifetimes, so that being calm does not take a simulated hour. */
export const POLICY = { longRetry: 60_000, backoffCap: 20_000, retryAfterCap: 60_000 };
export const GRANT = 120;
const CALM_MS = 400_000;

/** Random stories per property. */
const RUNS = Number(process.env['PUA_RUNS'] ?? 60);

/** Limit of a property, milliseconds. */
export const TIME_MS = 60_000 + RUNS * 200;

/**
 * For fast-check: the first failure as it is, with what was wrong in the message. A mutant is given so many `tries`, the same
 * ones each time.
 */
export const report = (tries?: number) => ({
  ...(tries === undefined ? { numRuns: RUNS } : { numRuns: tries, seed: 4 }),
  endOnFailure: true,
  includeErrorInReport: true,
});

/** What is wrong with a calm world. */
export function faultsOf(world: World, wish: Wish): string[] {
  const found: string[] = [...world.wire.violations];
  const published = world.published();
  const subscriptions = world.servers.flatMap((server) => server.subscriptions);
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

/** All owners end what they have. */
export function endAll(world: World): void {
  for (let who = 0; who < USERS; who++) {
    world.unpublish(`u${who}`);
    world.subscribe(`u${who}`, 0);
  }
}

/** What a load may leave behind. */
export function leftovers(world: World): object {
  const { records, states, inFlight, queued, scheduled, dialogs, hops } = world.pua.stats();
  const { clientTransactions, unanswered } = world.sip.stats();
  const busyHops = hops.filter((hop) => hop.inFlight + hop.queued > 0);
  return {
    ...{ records, states, inFlight, queued, scheduled, dialogs, busyHops, clientTransactions, unanswered },
    rows: world.disk.rows.size,
    unwritten: world.store.unwritten.size,
    listed: [...world.pua.list()].length,
    timers: world.process.timers,
  };
}
