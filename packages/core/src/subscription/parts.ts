/** Parts that the steps of a subscription share. Each changes the step's own copy of the state. */
import { type Context, settle } from '../machine.js';
import { backoffDelay, refreshDelay, retryAfterMs } from '../policy/timing.js';
import type { Verdict } from '../policy/verdict.js';
import { type SubscribeInput, Subscription, type SubscriptionEffect, type Termination } from './state.js';

export type Out = SubscriptionEffect[];
export const NEVER = Number.POSITIVE_INFINITY;

/** Is there a dialog that a request can be sent in? */
export const alive = (s: Readonly<Subscription>, now: number): boolean =>
  s.callId !== '' && s.remoteTag !== '' && now < s.expiresAt;

/** The request on the wire is over. */
export function land(s: Subscription): void {
  s.flightOp = null;
  s.flightWish = 0;
  s.flightExpires = 0;
}

export function adopt(s: Subscription, input: SubscribeInput, c: Context): void {
  s.op = input.op;
  s.wish++;
  s.asked = input.expires;
  // What is raised for the notifier is raised for us.
  s.desiredUntil = input.expires < 0 ? NEVER : c.now + Math.max(input.expires, c.policy.minExpires) * 1000;
  if (input.ownContact !== '') s.ownContact = input.ownContact;
  s.preloadedRoutes = input.preloadedRoutes;
  s.fetch = input.fetch;
}

export function enqueue(s: Subscription, c: Context, out: Out): void {
  if (s.notBefore > c.now) {
    settle(out, s.op, {
      outcome: 'unreachable',
      cause: 'not to be tried yet (Retry-After, or the next hop is set aside)',
      retrying: true,
    });
    s.op = null;
    s.phase = 'waiting';
    s.deadline = soonest(s, s.notBefore);
    return;
  }
  const urgent = s.end || s.renew || s.wish > s.held;
  out.push({ kind: 'queue', deadline: urgent ? c.now : s.expiresAt });
  s.phase = 'queued';
  s.deadline = NEVER;
}

export function rest(s: Subscription): void {
  s.phase = 'subscribed';
  const last = s.expiresAt >= s.desiredUntil;
  s.deadline = Math.min(last ? s.desiredUntil : s.refreshAt, s.notifyBy);
}

export function wait(s: Subscription, verdict: Pick<Verdict, 'delay' | 'notBefore' | 'retryAt'>, out: Out): void {
  out.push({ kind: 'persist' });
  s.phase = 'waiting';
  s.failures++;
  s.delay = verdict.delay;
  s.notBefore = Math.max(s.notBefore, verdict.notBefore);
  s.deadline = soonest(s, verdict.retryAt);
}

export function backOff(s: Subscription, c: Context, out: Out, retryAfter?: number): void {
  const delay = backoffDelay(c.policy, s.delay, c.random());
  const notBefore = retryAfter === undefined ? 0 : c.now + retryAfterMs(c.policy, retryAfter);
  wait(s, { delay, notBefore, retryAt: Math.max(notBefore, c.now + delay) }, out);
}

/**
 * The delay that the next one grows from. A 2xx that opens a dialog does not reset it, for the notifier may end that
 * dialog at once; but it says that the failures before it are over.
 */
export const delayBefore = (s: Subscription): number => (s.failures > 0 ? s.delay : 0);

const soonest = (s: Subscription, at: number): number => Math.min(at, s.end ? s.expiresAt : s.desiredUntil);

/** The dialog is done with: what came after the end is opened, or a new dialog, or nothing is left. */
export function finish(s: Subscription, c: Context, out: Out): void {
  const { next, wish, minExpires, notBefore } = s;
  const renewing = s.renew && !s.end;
  if (!renewing) settle(out, s.op, { outcome: 'nothing-to-do' });
  if (next) {
    gone(s, out);
    Object.assign(s, { wish, minExpires, notBefore });
    adopt(s, next, c);
    enqueue(s, c, out);
  } else if (renewing) {
    s.dropDialog();
    backOff(s, c, out);
  } else gone(s, out);
}

export function gone(s: Subscription, out: Out): void {
  out.push({ kind: 'persist' });
  Object.assign(s, new Subscription(), { phase: 'ended', wish: s.wish });
}

export function expire(s: Subscription, out: Out): void {
  settle(out, s.op, { outcome: 'expired' });
  out.push({ kind: 'emit', event: 'expired' });
  gone(s, out);
}

/** A dialog that ends within one transaction's time has proven nothing: the back-off goes on from where it was. */
const shortLived = (s: Subscription, c: Context): boolean => c.now - s.openedAt < 64 * c.policy.t1;

/** A dialog that is gone is replaced at once; if that repeats within one transaction's time, under back-off. */
export function reopen(s: Subscription, c: Context, out: Out): void {
  s.losses = shortLived(s, c) ? s.losses + 1 : 1;
  s.dropDialog();
  out.push({ kind: 'persist' });
  if (s.losses > c.policy.maxLosses) backOff(s, c, out);
  else enqueue(s, c, out);
}

/** What a NOTIFY `terminated` means (RFC 6665 4.1.3); nothing of ours is on the wire. */
export function terminated(s: Subscription, { reason, retryAfter }: Termination, c: Context, out: Out): void {
  if (s.end || s.fetch) return finish(s, c, out);
  if (!shortLived(s, c)) s.delay = 0;
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
      s.dropDialog();
      backOff(s, c, out, retryAfter);
  }
}

/** What a 2xx gave. */
export function granted(s: Subscription, seconds: number, c: Context): void {
  const ms = seconds * 1000;
  s.grantedUntil = c.now + ms;
  s.expiresAt = s.grantedUntil;
  s.refreshAt = c.now + refreshDelay(ms, c.random());
}
