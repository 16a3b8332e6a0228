/**
 * Walks both machines at random through every cell of their tables. What a step returns must be among the states its
 * cell names, and every state a cell names must really be reached: the table is neither wrong nor boastful. On the way
 * nobody who waits is forgotten or told twice, and a record that rests has a time when it goes on.
 */
import type { Answer } from '../dist/policy/answer.js';
import { DEFAULT_POLICY } from '../dist/policy/policy.js';
import { Publication, type PublicationInput } from '../dist/publication/state.js';
import { PUBLICATION_TABLE, stepPublication } from '../dist/publication/table.js';
import { Subscription, type SubscriptionInput } from '../dist/subscription/state.js';
import { SUBSCRIPTION_TABLE, stepSubscription } from '../dist/subscription/table.js';
import { pick, seeded } from './support/random';

const STEPS = 200_000;
const NEVER = Number.POSITIVE_INFINITY;
interface State {
  readonly phase: string;
  readonly deadline: number;
  readonly notBefore: number;
  readonly op: object | null;
  readonly flightOp: object | null;
  readonly next: { readonly op: object | null } | null;
}
type Step = (state: never, input: never, context: object, out: Effect[]) => State;
type Effect = { readonly kind: string; readonly op?: object };
const RESTING = ['published', 'subscribed', 'waiting', 'closing'];
const LANDED = [...RESTING, 'queued', 'parked', 'ended'];
type Table = Record<string, Record<string, { to: readonly string[] }>>;

function walk(
  table: Table,
  step: Step,
  start: (random: () => number, now: number) => object,
  make: (kind: string, state: never, random: () => number, now: number) => object,
) {
  const random = seeded(7);
  const wrong = new Set<string>();
  const waiting = new Set<object>();
  const reached = new Set<string>();
  let now = 1_000;
  let state = start(random, now) as State;
  for (let i = 0; i < STEPS; i++) {
    if (state.phase === 'ended') state = start(random, now) as State;
    const row = table[state.phase]!;
    const kind = pick(random, Object.keys(row));
    // Ends are rarer than the rest, or no dialog would live long enough.
    if ((kind === 'unsubscribe' || kind === 'unbound') && random() < 0.8) continue;
    // Timers fire when they are due, and not before.
    if (kind === 'timer') {
      if (state.deadline === Number.POSITIVE_INFINITY) continue;
      now = Math.max(now, state.deadline);
    } else now += random() < 0.2 ? random() * 120_000 : random() * 20;
    const { phase: from, notBefore } = state;
    const input = make(kind, state as never, random, now) as { op?: object | null };
    if (input.op) waiting.add(input.op);
    const out: Effect[] = [];
    state = step(state as never, input as never, { now, random, policy: DEFAULT_POLICY }, out);
    const cell = `${from} ${kind} ${state.phase}`;
    reached.add(cell);
    if (!row[kind]!.to.includes(state.phase)) wrong.add(cell);
    for (const effect of out) {
      if (effect.kind === 'settle' && !waiting.delete(effect.op!)) wrong.add(`${cell}: told twice`);
      if (effect.kind === 'send' && notBefore > now) wrong.add(`${cell}: before its time`);
    }
    const { op, flightOp, next } = state;
    for (const one of waiting) {
      if (one === op || one === flightOp || one === next?.op) continue;
      wrong.add(`${cell}: never told`);
      waiting.delete(one);
    }
    if (RESTING.includes(state.phase) !== state.deadline < NEVER && state.phase !== 'parked')
      wrong.add(`${cell}: hangs`);
    if (flightOp && LANDED.includes(state.phase)) wrong.add(`${cell}: nothing is in flight`);
  }
  const listed = Object.entries(table).flatMap(([from, row]) =>
    Object.entries(row).flatMap(([kind, cell]) => cell.to.map((to) => `${from} ${kind} ${to}`)),
  );
  return { wrong: [...wrong].sort(), missing: listed.filter((cell) => !reached.has(cell)) };
}

function answer(random: () => number, subscribing: boolean, now: number): Answer {
  const barredUntil = random() < 0.1 ? now + random() * 60_000 : 0;
  if (random() < 0.15) return { kind: 'unreachable', cause: 'test', sent: random() < 0.5, barredUntil, cseq: 1 };
  const good = random() < 0.5;
  const status = good ? 200 : pick(random, [302, 401, 403, 404, 408, 412, 415, 415, 415, 423, 481, 489, 491, 500, 503]);
  return {
    kind: 'response',
    status,
    reason: 'test',
    etag: good && random() < 0.95 ? `e${random()}` : '',
    expires: pick(random, [undefined, 0, 60, 60, 3600, 3600, 3600]),
    minExpires: pick(random, [undefined, 600, 7200, 100_000]),
    retryAfter: pick(random, [undefined, 0, 30]),
    barredUntil,
    cseq: 2,
    toTag: subscribing ? 'remote' : '',
    contact: 'sip:notifier@example.com',
    recordRoute: [],
    binding: pick(random, ['', 'a', 'b', null]),
  };
}

function publicationInput(kind: string, state: Publication, random: () => number, now: number): PublicationInput {
  const etag = pick(random, ['', '', '', '', 'other', state.etag]);
  switch (kind) {
    case 'publish':
      return {
        kind,
        op: {},
        body: random() < 0.7 ? 'body' : null,
        contentType: 't',
        expires: pick(random, [-1, -1, 30, 3600]),
        publishExpires: pick(random, [0, 0, 60]),
        insert: random() < 0.1,
        etag,
        extraHeaders: null,
        outboundProxy: '',
        onLost: pick(random, ['republish', 'report']),
        version: 0,
        tupleId: null,
      };
    case 'unpublish':
      return { kind, op: {}, etag };
    case 'answer':
      return {
        kind,
        answer:
          state.phase === 'queued'
            ? { kind: 'unreachable', cause: 'x', sent: false, barredUntil: 0, cseq: 0 }
            : answer(random, false, now),
      };
    default:
      return { kind: kind as 'slot' | 'timer' };
  }
}

function subscriptionInput(kind: string, state: Subscription, random: () => number, now: number): SubscriptionInput {
  switch (kind) {
    case 'subscribe':
      return {
        kind,
        op: state.fetch ? null : {},
        expires: pick(random, [-1, -1, 30, 3600]),
        insert: random() < 0.1,
        fetch: state.phase === 'absent' && random() < 0.1,
        ownContact: '',
        preloadedRoutes: [],
      };
    case 'unsubscribe':
      // A fetch has a key that nobody knows.
      return { kind, op: state.fetch ? null : {} };
    case 'slot':
      return { kind, contact: 'sip:us@example.com', callId: `c${random()}`, localTag: `t${random()}` };
    case 'answer':
      return {
        kind,
        answer:
          state.phase === 'queued'
            ? { kind: 'unreachable', cause: 'x', sent: false, barredUntil: 0, cseq: 0 }
            : answer(random, true, now),
      };
    case 'notify':
      return {
        kind,
        fromTag: pick(random, ['remote', 'remote', 'remote', 'fork']),
        cseq: state.remoteCseq + pick(random, [0, 1, 1, 1]),
        contact: '',
        recordRoute: [],
        state: pick(random, ['active', 'active', 'pending', 'terminated']),
        termination: {
          reason: pick(random, ['', 'deactivated', 'timeout', 'probation', 'giveup', 'rejected', 'noresource']),
          retryAfter: pick(random, [undefined, 10]),
        },
        expires: pick(random, [undefined, 0, 60, 3600]),
      };
    case 'unbound':
      return { kind };
    default:
      return { kind: 'timer' };
  }
}

/** Mostly nothing; now and then a row taken over without its document. */
function startPublication(random: () => number, now: number): Publication {
  if (random() < 0.9) return new Publication();
  return Object.assign(new Publication(), {
    phase: 'waiting',
    etag: 'old',
    wish: 1,
    held: 1,
    expiresAt: now + random() * 1000,
    deadline: now + 500,
  });
}

/** Now and then a dialog whose refresh the server would not have at all. */
function startSubscription(random: () => number, now: number): Subscription {
  if (random() < 0.9) return new Subscription();
  // ... or one that a late NOTIFY confirmed before the Retry-After of its next hop was over.
  if (random() < 0.5) {
    const times = {
      expiresAt: now + 3_600_000,
      refreshAt: now + 50_000,
      notBefore: now + 90_000,
      deadline: now + 50_000,
    };
    return Object.assign(
      new Subscription(),
      { callId: 'c', remoteTag: 'remote', confirmed: true, wish: 1, held: 1, phase: 'subscribed' },
      times,
    );
  }
  const dialog = { callId: 'c', localTag: 'l', remoteTag: 'remote', confirmed: true, wish: 1, held: 1 };
  const times = { openedAt: now - random() * 100_000, expiresAt: now + 3_600_000, grantedUntil: now + 3_600_000 };
  return Object.assign(new Subscription(), dialog, times, { phase: 'parked' });
}

test('publication: every cell of the table, and nothing else', () => {
  const result = walk(
    PUBLICATION_TABLE as never,
    stepPublication as never,
    startPublication,
    publicationInput as never,
  );
  expect(result).toEqual({ wrong: [], missing: [] });
});

test('subscription: every cell of the table, and nothing else', () => {
  const result = walk(
    SUBSCRIPTION_TABLE as never,
    stepSubscription as never,
    startSubscription,
    subscriptionInput as never,
  );
  expect(result).toEqual({ wrong: [], missing: [] });
});

test('an input that a state does not know is an error of the shell, not a silent no-op', () => {
  expect(() =>
    stepPublication(new Publication(), { kind: 'timer' }, { now: 0, random: Math.random, policy: DEFAULT_POLICY }, []),
  ).toThrow('publication: no transition for timer in state absent');
});
