/** What the owner's requests, slots, answers and timers do to a subscription; NOTIFYs stand in notify.ts. */
import {
  carryOver,
  heed,
  land,
  lifetime,
  NEVER,
  noteEnd,
  park,
  report as reportAnswer,
  tooBrief,
  wait,
} from '../lifecycle.js';
import { type Context, type Op, settle } from '../machine.js';
import type { Answer, ResponseAnswer } from '../policy/answer.js';
import { failure, replyOf } from '../policy/outcome.js';
import { endsRemoval, endsSubscription } from '../policy/responses.js';
import { judge, rowOf } from '../policy/verdict.js';
import {
  adopt,
  alive,
  backOff,
  delayBefore,
  enqueue,
  expire,
  finish,
  gone,
  granted,
  type Out,
  parkedUntil,
  reopen,
  rest,
  terminated,
} from './parts.js';
import type { SubscribeInput, Subscription } from './state.js';

type AnswerInput = { readonly answer: Answer };
type SlotInput = { readonly contact: string; readonly callId: string; readonly localTag: string };
type EndInput = { readonly op: Op };

/** CSeq must stay below 2^31 (RFC 3261 8.1.1.5): long before that the dialog is replaced. */
const LAST_CSEQ = 2 ** 31 - 2_000;

// ---------------------------------------------------------------------------------------------- the owner's requests

export function open(s: Subscription, input: SubscribeInput, c: Context, out: Out): void {
  out.push({ kind: 'persist' });
  adopt(s, input, c);
  enqueue(s, c, out);
}

export function nothingToEnd(s: Subscription, input: EndInput, _c: Context, out: Out): void {
  settle(out, input.op, { outcome: 'nothing-to-do' });
  s.phase = 'ended';
}

export function wish(s: Subscription, input: SubscribeInput, c: Context, out: Out): void {
  const ending = s.end;
  note(s, input, c, out);
  if (s.phase !== 'queued' && !ending) enqueue(s, c, out);
}

/** While a request is on the wire, or the end is under way: noted, what comes next is decided then. */
export function note(s: Subscription, input: SubscribeInput, c: Context, out: Out): void {
  out.push({ kind: 'persist' });
  if (s.end) {
    // A fork is not opened again: the record it branched off is, and its SUBSCRIBE is forked anew.
    if (s.fork) return settle(out, input.op, { outcome: 'superseded' });
    if (s.next) settle(out, s.next.op, { outcome: 'superseded' });
    s.next = input;
    return;
  }
  if (s.op !== s.flightOp) settle(out, s.op, { outcome: 'superseded' });
  if (input.insert && (alive(s, c.now) || s.flightWish > 0)) {
    s.end = true;
    s.op = null;
    s.next = input;
  } else adopt(s, input, c);
}

export function end(s: Subscription, input: EndInput, c: Context, out: Out): void {
  endMeanwhile(s, input, c, out);
  if (!alive(s, c.now)) {
    settle(out, s.op, { outcome: 'nothing-to-do' });
    gone(s, out);
  } else if (s.phase !== 'queued') enqueue(s, c, out);
}

/** A provisional dialog can't be ended yet: the 2xx or the NOTIFY is waited for, then Expires 0 is sent. */
export function endMeanwhile(s: Subscription, input: EndInput, _c: Context, out: Out): void {
  noteEnd(s, input.op, out);
}

// ------------------------------------------------------------------------------------------------------ sending

export function slot(s: Subscription, input: SlotInput, c: Context, out: Out): void {
  const there = alive(s, c.now);
  if (s.end && !there) return finish(s, c, out);
  if (s.fork && !there) return lapse(s, out);
  if (!s.end && c.now >= s.desiredUntil) return expire(s, out);
  // A NOTIFY named a time while this waited for its slot.
  if (s.notBefore > c.now) return enqueue(s, c, out);
  if (there && s.cseq >= LAST_CSEQ) s.renew = true;

  const leaving = there && (s.end || s.renew);
  if (!there) {
    s.dropDialog();
    s.callId = input.callId;
    s.localTag = input.localTag;
    s.openedAt = c.now;
  }
  // Timer N runs from the request (RFC 6665 4.1.2.4); the one for the first NOTIFY goes on.
  if (leaving) s.notifyBy = NEVER;
  else if (s.confirmed || s.notifyBy === NEVER) s.notifyBy = c.now + 64 * c.policy.t1;
  s.saidUntil = 0;
  s.cseq++;
  s.contact = s.ownContact || input.contact;
  s.sentAt = c.now;
  // Whoever waits for a dialog that is replaced waits for the next one.
  s.flightOp = leaving && !s.end ? null : s.op;
  s.flightWish = s.wish;
  s.flightExpires = leaving || s.fetch ? 0 : lifetime(s, c);
  out.push({ kind: 'persist' });
  if (leaving) {
    s.phase = 'unsubscribing';
    out.push({ kind: 'send', request: 'unsubscribe', expires: 0 });
  } else if (there) {
    s.phase = 'refreshing';
    out.push({ kind: 'send', request: 'refresh', expires: s.flightExpires });
  } else {
    s.phase = 'subscribing';
    out.push({ kind: 'send', request: s.fetch ? 'fetch' : 'initial', expires: s.flightExpires });
  }
}

/** No route is open: as if all of them had just failed, but nothing was sent. */
export function noRoute(s: Subscription, { answer }: AnswerInput, c: Context, out: Out): void {
  settle(out, s.op, failure(answer, !s.fetch));
  if (s.op) out.push({ kind: 'report', cause: 'request', reply: replyOf(answer) });
  s.op = null;
  if (s.fetch) gone(s, out);
  else wait(s, judge(answer, delayBefore(s), c), out);
}

export function due(s: Subscription, _input: object, c: Context, out: Out): void {
  if (s.end && !alive(s, c.now)) {
    out.push({ kind: 'emit', event: 'lapsed' });
    return finish(s, c, out);
  }
  if (!s.end && c.now >= s.desiredUntil) return expire(s, out);
  // Nothing else is parked for less.
  if (s.phase === 'parked') return lapse(s, out);
  if (s.phase === 'subscribed' && c.now >= s.notifyBy) {
    out.push({ kind: 'emit', event: 'without-notify' });
    s.notifyBy = NEVER;
    // Accepted, but no NOTIFY came. Expires 0 in the dialog, then a new one under back-off.
    if (!s.confirmed || c.policy.strictTimerN) s.renew = true;
    else {
      rest(s);
      if (s.deadline > c.now) return;
    }
  }
  enqueue(s, c, out);
}

/** A fork whose dialog has run out. */
function lapse(s: Subscription, out: Out): void {
  out.push({ kind: 'emit', event: 'lapsed' });
  gone(s, out);
}

/**
 * The dialog is there, but its NOTIFYs don't reach us: it is replaced.
 *
 *   SUBSCRIBE Expires: 0 ->     200 <-     SUBSCRIBE (new Call-ID, new tag) ->
 */
export function deafen(s: Subscription, _input: object, _c: Context, _out: Out): void {
  s.renew = true;
  s.deaf = true;
}

export function replace(s: Subscription, input: object, c: Context, out: Out): void {
  deafen(s, input, c, out);
  enqueue(s, c, out);
}

/** 64*T1 after an unsubscribe without a NOTIFY `terminated`. */
export function closed(s: Subscription, _input: object, c: Context, out: Out): void {
  finish(s, c, out);
}

// ------------------------------------------------------------------------------------------------------ answers

/** Answer to the SUBSCRIBE that opens a dialog. */
export function opened(s: Subscription, { answer: a }: AnswerInput, c: Context, out: Out): void {
  heed(s, a, c);
  report(s, a, out);
  out.push({ kind: 'persist' });
  s.cseq = Math.max(s.cseq, a.cseq);
  if (a.kind === 'response' && a.status < 300) return established(s, a, c, out);
  if (s.fetch) {
    settle(out, s.flightOp, failure(a, false));
    return gone(s, out);
  }
  if (a.kind === 'response' || s.over) s.dropDialog();
  else if (s.confirmed) {
    // The answer was lost, but a NOTIFY came: the subscription is there.
    const left = Math.round((s.expiresAt - c.now) / 1000);
    settle(out, s.flightOp, { outcome: 'accepted', status: 200, reason: 'NOTIFY received', expires: left });
    return afterGrant(s, c, out);
  } else {
    // The Call-ID stays open for a NOTIFY that is late.
    s.expiresAt = 0;
  }
  failed(s, a, c, out);
}

function established(s: Subscription, a: ResponseAnswer, c: Context, out: Out): void {
  const seconds = a.expires ?? s.flightExpires;
  // 204: no NOTIFY follows (RFC 5839).
  if (a.status === 204) s.notifyBy = NEVER;
  if (!s.confirmed) {
    // Provisional until the NOTIFY. Record-Route of a response is reversed (RFC 3261 12.1.2).
    s.remoteTag = a.toTag;
    s.routeSet = [...a.recordRoute].reverse();
    s.remoteTarget = a.contact;
  }
  s.binding = a.binding ?? '';
  if (seconds <= 0 && !s.fetch && !s.over) return withoutGrant(s, a, c, out);
  settle(out, s.flightOp, { outcome: 'accepted', status: a.status, reason: a.reason, expires: seconds });
  if (s.fetch) {
    land(s);
    s.op = null;
    if (s.over) return gone(s, out);
    s.phase = 'closing';
    s.closeBy = s.sentAt + 64 * c.policy.t1;
    s.deadline = s.closeBy;
    return;
  }
  if (s.over) return ended(s, c, out);
  granted(s, seconds, c);
  afterGrant(s, c, out);
}

function afterGrant(s: Subscription, c: Context, out: Out): void {
  const changed = s.end || s.renew || s.wish > s.flightWish;
  if (s.op === s.flightOp) s.op = null;
  s.held = s.flightWish;
  s.failures = 0;
  s.briefs = 0;
  s.notBefore = 0;
  land(s);
  if (changed) enqueue(s, c, out);
  else rest(s);
}

/** Accepted for no time at all: a failure, whatever the status says. */
function withoutGrant(s: Subscription, a: ResponseAnswer, c: Context, out: Out): void {
  settle(out, s.flightOp, failure({ ...a, status: 500, reason: 'granted no lifetime' }, !s.end));
  if (s.op === s.flightOp) s.op = null;
  land(s);
  s.dropDialog();
  if (s.end) return finish(s, c, out);
  backOff(s, c, out);
}

/** Answer to a refresh. */
export function refreshed(s: Subscription, { answer: a }: AnswerInput, c: Context, out: Out): void {
  heed(s, a, c);
  report(s, a, out);
  out.push({ kind: 'persist' });
  s.cseq = Math.max(s.cseq, a.cseq);
  if (a.kind === 'response' && a.status < 300) {
    const seconds = a.expires ?? s.flightExpires;
    if (seconds <= 0 && !s.over) return withoutGrant(s, a, c, out);
    settle(out, s.flightOp, { outcome: 'accepted', status: a.status, reason: a.reason, expires: seconds });
    if (s.over) return ended(s, c, out);
    if (a.contact !== '') s.remoteTarget = a.contact;
    if (a.status === 204) s.notifyBy = NEVER;
    if (a.binding === null) s.renew = s.deaf = true;
    else if (a.binding !== s.binding) {
      s.binding = a.binding;
      // The engine had to make the dialog anew: now it hears of it.
      if (s.deaf) s.renew = s.deaf = false;
    }
    s.losses = 0;
    s.delay = 0;
    granted(s, seconds, c);
    return afterGrant(s, c, out);
  }
  // Nothing was accepted, so no NOTIFY is owed.
  if (s.confirmed) s.notifyBy = NEVER;
  if (s.over) {
    settle(out, s.flightOp, failure(a, true));
    return ended(s, c, out);
  }
  if (a.kind === 'response' && a.status === 481 && !s.end) {
    // SUBSCRIBE (dialog) ->   481 <-   SUBSCRIBE (new Call-ID, new tag) ->
    if (s.op !== s.flightOp) settle(out, s.flightOp, { outcome: 'superseded' });
    land(s);
    return reopen(s, c, out);
  }
  if (a.kind === 'response' && endsSubscription(a.status)) s.dropDialog();
  failed(s, a, c, out);
}

/** Answer to an unsubscribe. */
export function unsubscribed(s: Subscription, { answer: a }: AnswerInput, c: Context, out: Out): void {
  heed(s, a, c);
  report(s, a, out);
  out.push({ kind: 'persist' });
  s.cseq = Math.max(s.cseq, a.cseq);
  const done = a.kind === 'response' && (endsRemoval(a.status) || endsSubscription(a.status));
  if (done) settle(out, s.flightOp, { outcome: 'accepted', status: a.status, reason: a.reason, expires: 0 });
  else settle(out, s.flightOp, failure(a, a.kind === 'response' || !a.sent));
  if (s.op === s.flightOp) s.op = null;
  land(s);
  // Nobody answered for 64*T1: complete too. A NOTIFY that still comes gets 481, which ends it at the notifier.
  const silent = a.kind === 'unreachable' && a.sent;
  const refused = a.kind === 'response' && a.status >= 300;
  // What is to be replaced is dropped whatever the notifier says to it: its NOTIFYs will get 481.
  const dropped = refused ? done || (s.renew && !s.end) : done && s.deaf;
  if (s.over || silent || dropped) return finish(s, c, out);
  if (done) {
    s.phase = 'closing';
    s.closeBy = s.sentAt + 64 * c.policy.t1;
    s.deadline = s.closeBy;
    return;
  }
  const verdict = judge(a, delayBefore(s), c);
  if (!s.end || !s.op) return wait(s, verdict, out);
  s.delay = verdict.delay;
  enqueue(s, c, out);
}

/** The request was not accepted, nor is there a special rule. */
function failed(s: Subscription, a: Answer, c: Context, out: Out): void {
  const row = rowOf(a);
  const current = s.op === s.flightOp;
  if (!s.end && tooBrief(s, a, c)) {
    if (!current) settle(out, s.flightOp, { outcome: 'superseded' });
    land(s);
    return enqueue(s, c, out);
  }
  const verdict = judge(a, delayBefore(s), c);
  settle(out, s.flightOp, current ? failure(a, row !== 'unsupported') : { outcome: 'superseded' });
  if (current) s.op = null;
  const changed = s.wish > s.flightWish;
  land(s);
  if (s.end) {
    if (alive(s, c.now)) return enqueue(s, c, out);
    if (a.kind === 'unreachable' && a.sent) {
      settle(out, s.op, failure(a, false));
      s.op = null;
    }
    return finish(s, c, out);
  }
  if (changed) {
    carryOver(s, verdict);
    return enqueue(s, c, out);
  }
  if (row === 'unsupported') return park(s, parkedUntil(s));
  if (row === 'no-dialog') backOff(s, c, out);
  else wait(s, verdict, out);
}

/** The NOTIFY `terminated` that came while the request was on the wire. */
function ended(s: Subscription, c: Context, out: Out): void {
  const termination = s.over!;
  if (s.op === s.flightOp) s.op = null;
  land(s);
  terminated(s, termination, c, out);
}

// ------------------------------------------------------------------------------------------------------ parts

function report(s: Subscription, a: Answer, out: Out): void {
  reportAnswer(s, a, s.phase !== 'subscribing', out);
}
