/** Parts that the steps of a subscription share. */
import type { PuaResult } from '../api.js';
import type { Context } from '../machine.js';
import { backoffDelay, refreshDelay, retryAfterMs } from '../policy/timing.js';
import type { Verdict } from '../policy/verdict.js';
import type { Op } from '../publication/state.js';
import {
  NO_DIALOG,
  NO_SUBSCRIPTION,
  type SubscribeInput,
  type Subscription,
  type SubscriptionEffect,
  type Termination,
} from './state.js';

export type Out = SubscriptionEffect[];
export const NEVER = Number.POSITIVE_INFINITY;
/** One transaction: a dialog that ends sooner after it was opened counts as lost. */
const ONE_TRANSACTION_T1 = 64;

export function settle(out: Out, op: Op, result: PuaResult): void {
  if (op) out.push({ kind: 'settle', op, result });
}

/** Is there a dialog that a request can be sent in? */
export const alive = (s: Subscription, now: number): boolean =>
  s.callId !== '' && s.remoteTag !== '' && now < s.expiresAt;

export const landed = (s: Subscription): Subscription => ({ ...s, flightOp: null, flightWish: 0, flightExpires: 0 });

export const withoutDialog = (s: Subscription): Subscription => ({ ...s, ...NO_DIALOG });

export function adopt(s: Subscription, input: SubscribeInput, now: number): Subscription {
  return {
    ...s,
    op: input.op,
    wish: s.wish + 1,
    asked: input.expires,
    desiredUntil: input.expires < 0 ? NEVER : now + input.expires * 1000,
    ownContact: input.ownContact || s.ownContact,
    preloadedRoutes: input.preloadedRoutes,
    fetch: input.fetch,
  };
}

export function enqueue(s: Subscription, c: Context, out: Out): Subscription {
  if (s.notBefore > c.now) {
    settle(out, s.op, {
      outcome: 'unreachable',
      cause: 'the server asked not to be tried yet (Retry-After)',
      retrying: true,
    });
    return { ...s, op: null, phase: 'waiting', deadline: latest(s, s.notBefore) };
  }
  const urgent = s.end || s.renew || s.wish > s.held;
  out.push({ kind: 'queue', deadline: urgent ? c.now : s.expiresAt });
  return { ...s, phase: 'queued', deadline: NEVER };
}

export function rest(s: Subscription): Subscription {
  const last = s.expiresAt >= s.desiredUntil;
  return { ...s, phase: 'subscribed', deadline: Math.min(last ? s.desiredUntil : s.refreshAt, s.notifyBy) };
}

export function wait(
  s: Subscription,
  verdict: Pick<Verdict, 'delay' | 'notBefore' | 'retryAt'>,
  out: Out,
): Subscription {
  out.push({ kind: 'persist' });
  return {
    ...s,
    phase: 'waiting',
    failures: s.failures + 1,
    delay: verdict.delay,
    notBefore: verdict.notBefore,
    deadline: latest(s, verdict.retryAt),
  };
}

export function backOff(s: Subscription, c: Context, out: Out, retryAfter?: number): Subscription {
  const delay = backoffDelay(c.policy, s.delay, c.random());
  const notBefore = retryAfter === undefined ? 0 : c.now + retryAfterMs(c.policy, retryAfter);
  return wait(s, { delay, notBefore, retryAt: notBefore || c.now + delay }, out);
}

const latest = (s: Subscription, at: number): number => Math.min(at, s.end ? Math.max(s.expiresAt, 0) : s.desiredUntil);

/** The dialog is done with: gone, or the next one is opened. */
export function finish(s: Subscription, c: Context, out: Out): Subscription {
  if (s.next) {
    out.push({ kind: 'persist' });
    const fresh = { ...NO_SUBSCRIPTION, wish: s.wish, minExpires: s.minExpires, notBefore: s.notBefore };
    return enqueue(adopt(fresh, s.next, c.now), c, out);
  }
  if (s.renew && !s.end) return backOff(withoutDialog(s), c, out);
  return gone(s, out);
}

export function gone(s: Subscription, out: Out): Subscription {
  out.push({ kind: 'persist' });
  return { ...NO_SUBSCRIPTION, phase: 'ended', wish: s.wish };
}

/** A dialog that is gone is replaced at once; if that repeats, under back-off. */
export function reopen(s: Subscription, c: Context, out: Out): Subscription {
  const brief = c.now - s.openedAt < ONE_TRANSACTION_T1 * c.policy.t1;
  const losses = brief ? s.losses + 1 : 1;
  const bare = { ...withoutDialog(s), losses };
  out.push({ kind: 'persist' });
  return losses > c.policy.maxLosses ? backOff(bare, c, out) : enqueue(bare, c, out);
}

/** What a NOTIFY `terminated` means (RFC 6665 4.1.3); nothing of ours is on the wire. */
export function terminated(s: Subscription, { reason, retryAfter }: Termination, c: Context, out: Out): Subscription {
  if (s.end || s.fetch) {
    settle(out, s.op, { outcome: 'nothing-to-do' });
    return finish(s, c, out);
  }
  switch (reason) {
    case 'deactivated':
    case 'timeout':
      return reopen(s, c, out);
    case 'rejected':
    case 'noresource':
    case 'invariant':
    case 'badfilter':
      settle(out, s.op, { outcome: 'rejected', status: 200, reason: `terminated: ${reason}`, retrying: false });
      out.push({ kind: 'emit', event: 'terminated' });
      return gone(s, out);
    default:
      return backOff(withoutDialog(s), c, out, retryAfter);
  }
}

/** Times of a grant, in milliseconds from now. */
export function granted(s: Subscription, seconds: number, c: Context): Subscription {
  const ms = seconds * 1000;
  return { ...s, grantedUntil: c.now + ms, expiresAt: c.now + ms, refreshAt: c.now + refreshDelay(ms, c.random()) };
}
