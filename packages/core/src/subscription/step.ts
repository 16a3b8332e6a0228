/** What the owner's requests, slots, answers and timers do to a subscription; NOTIFYs stand in notify.ts. */
import type { Cause } from '../api.js';
import type { Context } from '../machine.js';
import type { Answer, ResponseAnswer } from '../policy/answer.js';
import { endsRemoval, endsSubscription } from '../policy/responses.js';
import { judge, rowOf } from '../policy/verdict.js';
import type { Op } from '../publication/state.js';
import { failure, replyOf } from '../publication/step.js';
import {
  adopt,
  alive,
  backOff,
  enqueue,
  finish,
  gone,
  granted,
  landed,
  type Out,
  reopen,
  rest,
  settle,
  terminated,
  wait,
  withoutDialog,
} from './parts.js';
import { NO_DIALOG, type SubscribeInput, type Subscription } from './state.js';

type AnswerInput = { readonly kind: 'answer'; readonly answer: Answer };
type SlotInput = { readonly contact: string; readonly callId: string; readonly localTag: string };
type EndInput = { readonly op: Op };

/** CSeq must stay below 2^31 (RFC 3261 8.1.1.5): long before that the dialog is replaced. */
const LAST_CSEQ = 2 ** 31 - 2_000;

// ---------------------------------------------------------------------------------------------- the owner's requests

export function open(s: Subscription, input: SubscribeInput, c: Context, out: Out): Subscription {
  out.push({ kind: 'persist' });
  return enqueue(adopt(s, input, c.now), c, out);
}

export function nothingToEnd(s: Subscription, input: EndInput, _c: Context, out: Out): Subscription {
  settle(out, input.op, { outcome: 'nothing-to-do' });
  return { ...s, phase: 'ended' };
}

export function wish(s: Subscription, input: SubscribeInput, c: Context, out: Out): Subscription {
  const noted = note(s, input, c, out);
  return s.phase === 'queued' || s.end ? noted : enqueue(noted, c, out);
}

/** While a request is on the wire, or the end is under way: noted, what comes next is decided then. */
export function note(s: Subscription, input: SubscribeInput, c: Context, out: Out): Subscription {
  out.push({ kind: 'persist' });
  if (s.end) {
    if (s.next) settle(out, s.next.op, { outcome: 'superseded' });
    return { ...s, next: input };
  }
  if (s.op !== s.flightOp) settle(out, s.op, { outcome: 'superseded' });
  if (input.insert && (alive(s, c.now) || s.flightWish > 0)) return { ...s, end: true, op: null, next: input };
  return adopt(s, input, c.now);
}

export function end(s: Subscription, input: EndInput, c: Context, out: Out): Subscription {
  const ending = endMeanwhile(s, input, c, out);
  if (!alive(ending, c.now)) {
    settle(out, ending.op, { outcome: 'nothing-to-do' });
    return gone(ending, out);
  }
  return s.phase === 'queued' ? ending : enqueue(ending, c, out);
}

/** A provisional dialog can't be ended yet: the 2xx or the NOTIFY is waited for, then Expires 0 is sent. */
export function endMeanwhile(s: Subscription, input: EndInput, _c: Context, out: Out): Subscription {
  if (s.next) settle(out, s.next.op, { outcome: 'superseded' });
  if (s.op !== s.flightOp) settle(out, s.op, { outcome: 'superseded' });
  out.push({ kind: 'persist' });
  return { ...s, end: true, op: input.op, next: null };
}

// ------------------------------------------------------------------------------------------------------ sending

export function slot(given: Subscription, input: SlotInput, c: Context, out: Out): Subscription {
  let s = given;
  const there = alive(s, c.now);
  if (there && s.cseq >= LAST_CSEQ && !s.end) s = { ...s, renew: true };
  if (s.end && !there) {
    settle(out, s.op, { outcome: 'nothing-to-do' });
    return finish(s, c, out);
  }
  const contact = s.ownContact || input.contact;
  const flight = { flightOp: s.op, flightWish: s.wish, sentAt: c.now, contact };
  if (there && (s.end || s.renew)) {
    out.push({ kind: 'send', request: 'unsubscribe', expires: 0 }, { kind: 'persist' });
    return { ...s, ...flight, phase: 'unsubscribing', cseq: s.cseq + 1, flightExpires: 0 };
  }
  if (c.now >= s.desiredUntil) return expire(s, out);
  const expires = s.fetch ? 0 : lifetime(s, c);
  if (!there) {
    out.push({ kind: 'send', request: s.fetch ? 'fetch' : 'initial', expires }, { kind: 'persist' });
    return {
      ...s,
      ...NO_DIALOG,
      ...flight,
      phase: 'subscribing',
      callId: input.callId,
      localTag: input.localTag,
      cseq: 1,
      openedAt: c.now,
      notifyBy: c.now + 64 * c.policy.t1,
      flightExpires: expires,
    };
  }
  if (s.wish > s.held || c.now >= s.refreshAt) {
    out.push({ kind: 'send', request: 'refresh', expires }, { kind: 'persist' });
    return { ...s, ...flight, phase: 'refreshing', cseq: s.cseq + 1, flightExpires: expires };
  }
  return rest(s);
}

export function noRoute(s: Subscription, { answer }: AnswerInput, c: Context, out: Out): Subscription {
  settle(out, s.op, failure(answer, !s.fetch));
  if (s.op) out.push({ kind: 'report', cause: 'request', reply: replyOf(answer) });
  return s.fetch ? gone(s, out) : wait({ ...s, op: null }, judge(answer, s.delay, c), out);
}

export function due(s: Subscription, _input: object, c: Context, out: Out): Subscription {
  if (s.end) {
    if (alive(s, c.now)) return enqueue(s, c, out);
    out.push({ kind: 'emit', event: 'lapsed' });
    return finish(s, c, out);
  }
  if (c.now >= s.desiredUntil) return expire(s, out);
  // Timer N: accepted, but no NOTIFY came. Expires 0 in the dialog, then a new one under back-off.
  if (s.phase === 'subscribed' && c.now >= s.notifyBy) return enqueue({ ...s, renew: true }, c, out);
  return enqueue(s, c, out);
}

/** 64*T1 after an unsubscribe without a NOTIFY `terminated`. */
export function closed(s: Subscription, _input: object, c: Context, out: Out): Subscription {
  return finish(s, c, out);
}

// ------------------------------------------------------------------------------------------------------ answers

/** Answer to the SUBSCRIBE that opens a dialog. */
export function opened(s: Subscription, { answer: a }: AnswerInput, c: Context, out: Out): Subscription {
  report(s, a, out);
  out.push({ kind: 'persist' });
  if (a.kind === 'response' && a.status < 300) return established(s, a, c, out);
  if (a.kind === 'unreachable' && s.confirmed && !s.over) {
    // The answer was lost, but a NOTIFY came: the subscription is there.
    settle(out, s.flightOp, {
      outcome: 'accepted',
      status: 200,
      reason: 'NOTIFY received',
      expires: Math.round((s.expiresAt - c.now) / 1000),
    });
    return afterGrant({ ...s, held: s.flightWish, cseq: Math.max(s.cseq, a.cseq) }, c, out);
  }
  if (s.fetch) {
    settle(out, s.flightOp, failure(a, false));
    return gone(s, out);
  }
  // A time-out leaves the Call-ID open for a NOTIFY that is late; a refusal does not.
  return failed(a.kind === 'unreachable' && !s.over ? { ...s, expiresAt: 0 } : withoutDialog(s), a, c, out);
}

function established(s: Subscription, a: ResponseAnswer, c: Context, out: Out): Subscription {
  const seconds = a.expires ?? s.flightExpires;
  const dialog: Subscription = {
    ...s,
    cseq: a.cseq,
    held: s.flightWish,
    ...(s.confirmed ? {} : { remoteTag: a.toTag, routeSet: [...a.recordRoute].reverse(), remoteTarget: a.contact }),
  };
  settle(out, s.flightOp, { outcome: 'accepted', status: a.status, reason: a.reason, expires: seconds });
  if (s.fetch) {
    const fetched = { ...landed(dialog), op: null };
    return s.over ? gone(fetched, out) : { ...fetched, phase: 'closing', closeBy: s.notifyBy, deadline: s.notifyBy };
  }
  if (s.over) return ended(dialog, c, out);
  if (seconds <= 0) return backOff({ ...withoutDialog(landed(dialog)), op: s.op === s.flightOp ? null : s.op }, c, out);
  // A NOTIFY that was faster may have shortened the lifetime; it never lengthens it.
  const shortened = s.confirmed && s.expiresAt > 0 && s.expiresAt < c.now + seconds * 1000 - 1000;
  const timed = granted(dialog, seconds, c);
  return afterGrant(
    shortened ? { ...timed, expiresAt: s.expiresAt, refreshAt: Math.min(s.refreshAt, timed.refreshAt) } : timed,
    c,
    out,
  );
}

function afterGrant(s: Subscription, c: Context, out: Out): Subscription {
  const held: Subscription = landed({
    ...s,
    op: s.op === s.flightOp ? null : s.op,
    failures: 0,
    delay: 0,
    briefs: 0,
    notBefore: 0,
  });
  return s.end || s.wish > s.flightWish ? enqueue(held, c, out) : rest(held);
}

/** Answer to a refresh. */
export function refreshed(s: Subscription, { answer: a }: AnswerInput, c: Context, out: Out): Subscription {
  report(s, a, out);
  out.push({ kind: 'persist' });
  if (a.kind === 'response' && a.status < 300) {
    const seconds = a.expires ?? s.flightExpires;
    settle(out, s.flightOp, { outcome: 'accepted', status: a.status, reason: a.reason, expires: seconds });
    const dialog = { ...s, cseq: a.cseq, held: s.flightWish, remoteTarget: a.contact || s.remoteTarget };
    if (s.over) return ended(dialog, c, out);
    if (seconds <= 0)
      return backOff({ ...withoutDialog(landed(dialog)), op: s.op === s.flightOp ? null : s.op }, c, out);
    return afterGrant({ ...granted(dialog, seconds, c), losses: 0 }, c, out);
  }
  const sent = { ...s, cseq: Math.max(s.cseq, a.cseq) };
  if (s.over) {
    settle(out, s.flightOp, failure(a, true));
    return ended(sent, c, out);
  }
  if (a.kind === 'response' && a.status === 481) {
    // SUBSCRIBE (dialog) ->   481 <-   SUBSCRIBE (new Call-ID, new tag) ->
    if (s.end) {
      settle(out, s.flightOp, { outcome: 'superseded' });
      settle(out, s.op, { outcome: 'nothing-to-do' });
      return finish(landed(s), c, out);
    }
    if (s.op !== s.flightOp) settle(out, s.flightOp, { outcome: 'superseded' });
    return reopen(landed(sent), c, out);
  }
  const over = a.kind === 'response' && endsSubscription(a.status);
  return failed(over ? withoutDialog(sent) : sent, a, c, out);
}

/** Answer to an unsubscribe. */
export function unsubscribed(s: Subscription, { answer: a }: AnswerInput, c: Context, out: Out): Subscription {
  report(s, a, out);
  out.push({ kind: 'persist' });
  const after: Subscription = landed({ ...s, cseq: Math.max(s.cseq, a.cseq), op: s.op === s.flightOp ? null : s.op });
  const done = a.kind === 'response' && (endsRemoval(a.status) || endsSubscription(a.status));
  if (done) settle(out, s.flightOp, { outcome: 'accepted', status: a.status, reason: a.reason, expires: 0 });
  // An Expires 0 that nobody answered for 64*T1 is complete: a NOTIFY that still comes gets 481, which ends it there too.
  else settle(out, s.flightOp, failure(a, a.kind === 'response' || !a.sent));
  if (s.over || (done && a.kind === 'response' && a.status >= 300) || (a.kind === 'unreachable' && a.sent)) {
    settle(out, after.op, { outcome: 'nothing-to-do' });
    return finish(after, c, out);
  }
  if (done) {
    settle(out, after.op, { outcome: 'nothing-to-do' });
    const closeBy = s.sentAt + 64 * c.policy.t1;
    return { ...after, op: null, phase: 'closing', closeBy, deadline: closeBy };
  }
  const verdict = judge(a, s.delay, c);
  if (after.op) return enqueue({ ...after, notBefore: verdict.notBefore, delay: verdict.delay }, c, out);
  return wait(after, verdict, out);
}

/** The request was not accepted, nor is there a special rule. */
function failed(s: Subscription, a: Answer, c: Context, out: Out): Subscription {
  const row = rowOf(a);
  const current = s.op === s.flightOp;
  if (row === 'brief' && !s.end && a.kind === 'response' && a.minExpires !== undefined) {
    const learned = a.minExpires > s.flightExpires && a.minExpires <= c.policy.maxMinExpires;
    if (learned && s.briefs < c.policy.maxBriefs) {
      if (!current) settle(out, s.flightOp, { outcome: 'superseded' });
      return enqueue(landed({ ...s, minExpires: a.minExpires, briefs: s.briefs + 1 }), c, out);
    }
  }
  const verdict = judge(a, s.delay, c);
  settle(out, s.flightOp, current ? failure(a, row !== 'unsupported') : { outcome: 'superseded' });
  const after = landed({ ...s, op: current ? null : s.op });
  if (s.end) {
    if (alive(s, c.now)) return enqueue({ ...after, notBefore: verdict.notBefore }, c, out);
    settle(out, after.op, a.kind === 'unreachable' && a.sent ? failure(a, false) : { outcome: 'nothing-to-do' });
    return finish(after, c, out);
  }
  if (s.wish > s.flightWish) {
    return enqueue({ ...after, notBefore: verdict.notBefore, delay: verdict.delay, failures: s.failures + 1 }, c, out);
  }
  if (row === 'unsupported')
    return { ...after, phase: 'parked', failures: s.failures + 1, deadline: after.desiredUntil };
  return wait(after, verdict, out);
}

/** The NOTIFY `terminated` that came while the request was on the wire. */
function ended(s: Subscription, c: Context, out: Out): Subscription {
  return terminated(landed({ ...s, op: s.op === s.flightOp ? null : s.op }), s.over!, c, out);
}

// ------------------------------------------------------------------------------------------------------ parts

function expire(s: Subscription, out: Out): Subscription {
  settle(out, s.op, { outcome: 'expired' });
  out.push({ kind: 'emit', event: 'expired' });
  return gone(s, out);
}

function lifetime(s: Subscription, c: Context): number {
  const asked = s.asked < 0 ? c.policy.defaultExpires : Math.ceil((s.desiredUntil - c.now) / 1000);
  return Math.max(asked, c.policy.minExpires, s.minExpires);
}

function report(s: Subscription, a: Answer, out: Out): void {
  const cause: Cause = s.flightOp ? 'request' : s.failures === 0 && s.phase !== 'subscribing' ? 'refresh' : 'recovery';
  out.push({ kind: 'report', cause, reply: replyOf(a) });
}
