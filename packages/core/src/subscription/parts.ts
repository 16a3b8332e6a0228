/** Parts that the steps of a subscription share. Each changes the step's own copy of the state. */
import { askForSlot, desiredEnd, wait } from '../lifecycle.js';
import { type Context, settle } from '../machine.js';
import { backoffDelay, refreshDelay, retryAfterMs } from '../policy/timing.js';
import { spreadAfter } from '../policy/verdict.js';
import { type SubscribeInput, Subscription, type SubscriptionEffect, type Termination } from './state.js';

export type Out = SubscriptionEffect[];

/** Is there a dialog that a request can be sent in? */
export const alive = (s: Readonly<Subscription>, now: number): boolean =>
  s.callId !== '' && s.remoteTag !== '' && now < s.expiresAt;

export function adopt(s: Subscription, input: SubscribeInput, c: Context): void {
  s.op = input.op;
  s.wish++;
  s.asked = input.expires;
  s.desiredUntil = desiredEnd(input.expires, c);
  if (input.ownContact !== '') s.ownContact = input.ownContact;
  s.preloadedRoutes = input.preloadedRoutes;
  s.fetch = input.fetch;
}

/** The request on the wire goes out once more, to another hop: what is counted from it is counted anew. */
export function resent(s: Subscription, c: Context): void {
  const timerN = 64 * c.policy.t1;
  if (s.openedAt === s.sentAt) s.openedAt = c.now;
  if (s.notifyBy === s.sentAt + timerN) s.notifyBy = c.now + timerN;
  s.sentAt = c.now;
}

export function enqueue(s: Subscription, c: Context, out: Out): void {
  askForSlot(s, s.end || s.renew || s.wish > s.held, c, out);
}

export function rest(s: Subscription): void {
  s.phase = 'subscribed';
  const last = s.expiresAt >= s.desiredUntil;
  s.deadline = Math.min(last ? s.desiredUntil : s.refreshAt, s.notifyBy);
}

export function backOff(s: Subscription, c: Context, out: Out): void {
  const delay = backoffDelay(c.policy, s.delay, c.random());
  wait(s, { delay, notBefore: 0, retryAt: spreadAfter(s.notBefore, c.now + delay, delay, c) }, out);
}

const AT_ONCE = new Set(['deactivated', 'timeout']);
const FOR_GOOD = new Set(['rejected', 'noresource', 'invariant', 'badfilter']);

/** The retry-after of a NOTIFY, where it means something (RFC 6665 4.1.3): also for what is opened after an end. */
export function heedTermination(s: Subscription, { reason, retryAfter }: Termination, c: Context): void {
  if (retryAfter === undefined || AT_ONCE.has(reason) || FOR_GOOD.has(reason)) return;
  s.notBefore = Math.max(s.notBefore, c.now + retryAfterMs(c.policy, retryAfter));
}

/**
 * The delay that the next one grows from. A 2xx that opens a dialog does not reset it, for the notifier may end that
 * dialog at once; but it says that the failures before it are over.
 */
export const delayBefore = (s: Subscription): number => (s.failures > 0 ? s.delay : 0);

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
    const atOnce = s.deaf;
    s.dropDialog();
    if (atOnce) enqueue(s, c, out);
    else backOff(s, c, out);
  } else gone(s, out);
}

export function gone(s: Subscription, out: Out): void {
  out.push({ kind: 'persist' });
  Object.assign(s, new Subscription(), { phase: 'ended', wish: s.wish });
}

/** A dialog beside that of `s`, as the NOTIFY that establishes it finds it: with the lifetime the SUBSCRIBE got. */
export function forkOf(s: Readonly<Subscription>, remoteTag: string, c: Context): Subscription {
  const fork = new Subscription();
  fork.phase = 'subscribed';
  fork.fork = true;
  fork.asked = s.asked;
  fork.desiredUntil = s.desiredUntil;
  fork.ownContact = s.ownContact;
  fork.wish = 1;
  fork.held = 1;
  fork.callId = s.callId;
  fork.localTag = s.localTag;
  fork.remoteTag = remoteTag;
  fork.cseq = s.cseq;
  fork.contact = s.contact;
  fork.openedAt = c.now;
  fork.sentAt = s.sentAt;
  const asked = s.asked < 0 ? c.policy.defaultExpires : s.asked;
  fork.grantedUntil = s.grantedUntil || s.sentAt + asked * 1000;
  fork.expiresAt = fork.grantedUntil;
  fork.refreshAt = c.now + refreshDelay(Math.max(0, fork.expiresAt - c.now), c.random());
  fork.binding = s.binding;
  fork.minExpires = s.minExpires;
  return fork;
}

/** When one whose request will never do is given up; a fork does not outlive its dialog. */
export const parkedUntil = (s: Readonly<Subscription>): number =>
  s.fork ? Math.min(s.expiresAt, s.desiredUntil) : s.desiredUntil;

/** A fork that has lost its dialog is over: opening another one is up to the record it branched off. */
export function endFork(s: Subscription, out: Out): void {
  out.push({ kind: 'emit', event: 'terminated' });
  gone(s, out);
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
export function terminated(s: Subscription, { reason }: Termination, c: Context, out: Out): void {
  if (s.end || s.fetch) return finish(s, c, out);
  if (!shortLived(s, c)) s.delay = 0;
  if (AT_ONCE.has(reason)) return reopen(s, c, out);
  if (FOR_GOOD.has(reason)) {
    settle(out, s.op, { outcome: 'rejected', status: 200, reason: `terminated: ${reason}`, retrying: false });
    out.push({ kind: 'emit', event: 'terminated' });
    return gone(s, out);
  }
  s.dropDialog();
  backOff(s, c, out);
}

/** What a 2xx gave. A NOTIFY that overtook it may have named an earlier end; a later one it never does. */
export function granted(s: Subscription, seconds: number, c: Context): void {
  s.grantedUntil = c.now + seconds * 1000;
  s.expiresAt = s.saidUntil > 0 && s.saidUntil < s.grantedUntil - 1000 ? s.saidUntil : s.grantedUntil;
  s.refreshAt = c.now + refreshDelay(Math.max(0, s.expiresAt - c.now), c.random());
}
