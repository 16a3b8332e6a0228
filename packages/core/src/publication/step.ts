/** What each input does to a publication. Which of these functions runs when stands in table.ts. */
import type { Cause, PuaResult, Reply } from '../api.js';
import type { Context } from '../machine.js';
import type { Answer, ResponseAnswer } from '../policy/answer.js';
import { endsRemoval } from '../policy/responses.js';
import { refreshDelay } from '../policy/timing.js';
import { judge, rowOf, type Verdict } from '../policy/verdict.js';
import {
  ABSENT,
  type Op,
  type Publication,
  type PublicationEffect,
  type PublishInput,
  type UnpublishInput,
} from './state.js';

type Out = PublicationEffect[];
type AnswerInput = { readonly kind: 'answer'; readonly answer: Answer };
const NEVER = Number.POSITIVE_INFINITY;

// ---------------------------------------------------------------------------------------------- the owner's requests

/** First request for a key. */
export function open(s: Publication, input: PublishInput, c: Context, out: Out): Publication {
  if (input.etag !== '') return refuse(s, input.op, { outcome: 'wrong-etag' }, out);
  if (input.body === null) return refuse(s, input.op, { outcome: 'no-body' }, out);
  out.push({ kind: 'persist' });
  return enqueue(adopt(s, input, c), c, out);
}

export function nothingToEnd(s: Publication, input: UnpublishInput, _c: Context, out: Out): Publication {
  return refuse(s, input.op, input.etag === '' ? { outcome: 'nothing-to-do' } : { outcome: 'wrong-etag' }, out);
}

/** A new document or lifetime while nothing is on the wire. */
export function wish(s: Publication, input: PublishInput, c: Context, out: Out): Publication {
  const noted = note(s, input, c, out);
  return noted === s || s.phase === 'queued' || s.end ? noted : enqueue(noted, c, out);
}

/** The same while a request is on the wire: its answer decides what goes next, the newest document waits. */
export function wishMeanwhile(s: Publication, input: PublishInput, c: Context, out: Out): Publication {
  return note(s, input, c, out);
}

function note(s: Publication, input: PublishInput, c: Context, out: Out): Publication {
  if (input.etag !== '' && (s.end || input.etag !== s.etag)) {
    settle(out, input.op, wrongEtag(s));
    return s;
  }
  if (s.end) {
    // An end wins over what came before it; what comes after it opens a new publication once the end is done.
    if (input.body === null) {
      settle(out, input.op, { outcome: 'no-body' });
      return s;
    }
    if (s.next) settle(out, s.next.op, { outcome: 'superseded' });
    out.push({ kind: 'persist' });
    return { ...s, next: input };
  }
  if (input.body === null && s.body === null && !holds(s, c.now)) {
    settle(out, input.op, { outcome: 'no-body' });
    return s;
  }
  if (s.op !== s.flightOp) settle(out, s.op, { outcome: 'superseded' });
  out.push({ kind: 'persist' });
  if (input.insert && input.body !== null && (holds(s, c.now) || inFlight(s))) {
    return { ...s, end: true, op: null, next: input };
  }
  return adopt(s, input, c);
}

/** Removal while nothing is on the wire. */
export function end(s: Publication, input: UnpublishInput, c: Context, out: Out): Publication {
  const ending = endMeanwhile(s, input, c, out);
  if (ending === s) return s;
  if (!holds(ending, c.now)) {
    settle(out, ending.op, { outcome: 'nothing-to-do' });
    return gone(ending, out);
  }
  return s.phase === 'queued' ? ending : enqueue(ending, c, out);
}

export function endMeanwhile(s: Publication, input: UnpublishInput, _c: Context, out: Out): Publication {
  if (input.etag !== '' && input.etag !== s.etag) {
    settle(out, input.op, wrongEtag(s));
    return s;
  }
  if (s.next) settle(out, s.next.op, { outcome: 'superseded' });
  if (s.op !== s.flightOp) settle(out, s.op, { outcome: 'superseded' });
  out.push({ kind: 'persist' });
  return { ...s, end: true, op: input.op, next: null };
}

// ------------------------------------------------------------------------------------------------------ sending

/** The record may send: the request is made from what is wished and what the server holds *now*. */
export function slot(s: Publication, _input: object, c: Context, out: Out): Publication {
  const held = holds(s, c.now);
  if (s.end) {
    if (!held) {
      settle(out, s.op, { outcome: 'nothing-to-do' });
      return finish(s, c, out);
    }
    out.push({ kind: 'send', request: 'remove', expires: 0, etag: s.etag, body: null });
    return { ...s, phase: 'removing', flightOp: s.op, flightWish: s.wish, flightExpires: 0 };
  }
  if (c.now >= s.desiredUntil) return expire(s, out);
  const expires = lifetime(s, c);
  const flight = { flightOp: s.op, flightWish: s.wish, flightExpires: expires };
  if (!held) {
    if (s.body === null) return needDocument(s, out);
    out.push({ kind: 'send', request: 'initial', expires, etag: '', body: s.body });
    return { ...s, ...flight, phase: 'publishing', etag: '', held: 0 };
  }
  if (s.bodyWish > s.held) {
    out.push({ kind: 'send', request: 'modify', expires, etag: s.etag, body: s.body });
    return { ...s, ...flight, phase: 'modifying' };
  }
  if (s.wish > s.held || c.now >= s.refreshAt) {
    out.push({ kind: 'send', request: 'refresh', expires, etag: s.etag, body: null });
    return { ...s, ...flight, phase: 'refreshing' };
  }
  return rest(s);
}

/** No route is open: as if all of them had just failed, but nothing was sent. */
export function noRoute(s: Publication, { answer }: AnswerInput, c: Context, out: Out): Publication {
  settle(out, s.op, failure(answer, true));
  if (s.op) out.push({ kind: 'report', cause: 'request', reply: replyOf(answer) });
  return wait({ ...s, op: null }, judge(answer, s.delay, c), out);
}

/** The timer of a resting record. */
export function due(s: Publication, _input: object, c: Context, out: Out): Publication {
  if (s.end) {
    if (holds(s, c.now)) return enqueue(s, c, out);
    out.push({ kind: 'emit', event: 'lapsed' });
    return finish(s, c, out);
  }
  return c.now >= s.desiredUntil ? expire(s, out) : enqueue(s, c, out);
}

// ------------------------------------------------------------------------------------------------------ answers

/** Answer to an initial, modifying or refreshing PUBLISH. */
export function answer(s: Publication, input: AnswerInput, c: Context, out: Out): Publication {
  const a = input.answer;
  if (a.kind === 'response' && a.status < 300) return accepted(s, a, c, out);
  const row = rowOf(a);
  const current = s.op === s.flightOp;

  if (row === 'lost' && s.phase !== 'publishing') {
    // PUBLISH If-Match ->   412 <-   PUBLISH (full, no If-Match) ->
    const forgotten: Publication = { ...s, etag: '', held: 0, expiresAt: 0, refreshAt: NEVER };
    if (!s.end && s.onLost === 'report') {
      settle(out, s.flightOp, failure(a, false));
      if (!current) settle(out, s.op, failure(a, false));
      report(s, a, out);
      out.push({ kind: 'emit', event: 'lost' });
      return gone(forgotten, out);
    }
    if (!s.end && s.losses < c.policy.maxLosses && s.body !== null) {
      if (!current) settle(out, s.flightOp, { outcome: 'superseded' });
      out.push({ kind: 'persist' });
      return enqueue(landed({ ...forgotten, losses: s.losses + 1 }), c, out);
    }
    return failed(forgotten, a, c, out);
  }

  if (row === 'brief' && a.kind === 'response' && a.minExpires !== undefined) {
    const learned = a.minExpires > s.flightExpires && a.minExpires <= c.policy.maxMinExpires;
    if (learned && s.briefs < c.policy.maxBriefs) {
      if (!current) settle(out, s.flightOp, { outcome: 'superseded' });
      out.push({ kind: 'persist' });
      return enqueue(landed({ ...s, minExpires: a.minExpires, briefs: s.briefs + 1 }), c, out);
    }
  }
  return failed(s, a, c, out);
}

function accepted(s: Publication, a: ResponseAnswer, c: Context, out: Out): Publication {
  const granted = a.expires ?? s.flightExpires;
  if (granted <= 0) {
    // A grant of nothing is a failure, whatever the status says.
    const nothing: Publication = { ...s, etag: '', held: 0, expiresAt: 0, refreshAt: NEVER };
    return failed(nothing, { ...a, status: 500, reason: 'granted no lifetime' }, c, out);
  }
  report(s, a, out);
  out.push({ kind: 'persist' });
  settle(out, s.flightOp, { outcome: 'accepted', status: a.status, reason: a.reason, etag: a.etag, expires: granted });
  const lifetimeMs = granted * 1000;
  const held: Publication = landed({
    ...s,
    op: s.op === s.flightOp ? null : s.op,
    // Without an entity-tag it can't be refreshed: it is published anew, in full, when the refresh would be due.
    etag: a.etag,
    held: a.etag === '' ? 0 : s.flightWish,
    expiresAt: c.now + lifetimeMs,
    refreshAt: c.now + refreshDelay(lifetimeMs, c.random()),
    failures: 0,
    delay: 0,
    losses: 0,
    briefs: 0,
    notBefore: 0,
  });
  return s.end || s.wish > s.flightWish ? enqueue(held, c, out) : rest(held);
}

/** End of the first pass without success: told to whoever waits, tried again by the rules of the row. */
function failed(s: Publication, a: Answer, c: Context, out: Out): Publication {
  const verdict = judge(a, s.delay, c);
  const current = s.op === s.flightOp;
  settle(out, s.flightOp, current ? failure(a, verdict.row !== 'unsupported') : { outcome: 'superseded' });
  report(s, a, out);
  out.push({ kind: 'persist' });
  const after: Publication = landed({ ...s, op: current ? null : s.op });
  if (s.end) {
    if (holds(s, c.now)) return enqueue({ ...after, notBefore: verdict.notBefore }, c, out);
    // Nothing that could be removed. If the request did arrive, what it made lapses by itself.
    settle(out, after.op, a.kind === 'unreachable' && a.sent ? failure(a, false) : { outcome: 'nothing-to-do' });
    return finish(after, c, out);
  }
  const changed = s.wish > s.flightWish;
  if (changed) {
    return enqueue({ ...after, notBefore: verdict.notBefore, delay: verdict.delay, failures: s.failures + 1 }, c, out);
  }
  if (verdict.row === 'unsupported') {
    return { ...after, phase: 'parked', failures: s.failures + 1, deadline: after.desiredUntil };
  }
  return wait(after, verdict, out);
}

/** Answer to a removal. */
export function removed(s: Publication, { answer: a }: AnswerInput, c: Context, out: Out): Publication {
  report(s, a, out);
  if (a.kind === 'response' && endsRemoval(a.status)) {
    settle(out, s.flightOp, { outcome: 'accepted', status: a.status, reason: a.reason, expires: 0 });
    if (s.op !== s.flightOp) settle(out, s.op, { outcome: 'nothing-to-do' });
    return finish(s, c, out);
  }
  const verdict = judge(a, s.delay, c);
  settle(out, s.flightOp, failure(a, true));
  const after = landed({ ...s, op: s.op === s.flightOp ? null : s.op });
  if (after.op) return enqueue({ ...after, notBefore: verdict.notBefore, delay: verdict.delay }, c, out);
  return wait(after, verdict, out);
}

// ------------------------------------------------------------------------------------------------------ parts

/** Does the server hold something of ours that can be matched by its entity-tag? */
export const holds = (s: Publication, now: number): boolean => s.etag !== '' && now < s.expiresAt;

const inFlight = (s: Publication): boolean => s.flightWish > 0;
const wrongEtag = (s: Publication): PuaResult =>
  s.etag === '' ? { outcome: 'wrong-etag' } : { outcome: 'wrong-etag', etag: s.etag };

function settle(out: Out, op: Op, result: PuaResult): void {
  if (op) out.push({ kind: 'settle', op, result });
}

const landed = (s: Publication): Publication => ({ ...s, flightOp: null, flightWish: 0, flightExpires: 0 });

function refuse(s: Publication, op: Op, result: PuaResult, out: Out): Publication {
  settle(out, op, result);
  return { ...s, phase: 'ended' };
}

function adopt(s: Publication, input: PublishInput, c: Context): Publication {
  const wish = s.wish + 1;
  return {
    ...s,
    op: input.op,
    wish,
    bodyWish: input.body === null ? s.bodyWish : wish,
    body: input.body ?? s.body,
    contentType: input.body === null ? s.contentType : input.contentType,
    asked: input.expires,
    desiredUntil: input.expires < 0 ? NEVER : c.now + input.expires * 1000,
    extraHeaders: input.extraHeaders ?? s.extraHeaders,
    outboundProxy: input.outboundProxy || s.outboundProxy,
    onLost: input.etag === '' ? input.onLost : 'report',
    version: input.version,
    tupleId: input.tupleId,
  };
}

/** Asks for a slot, unless a Retry-After forbids it: then whoever waits is told at once. */
function enqueue(s: Publication, c: Context, out: Out): Publication {
  if (s.notBefore > c.now) {
    settle(out, s.op, {
      outcome: 'unreachable',
      cause: 'the server asked not to be tried yet (Retry-After)',
      retrying: true,
    });
    return { ...s, op: null, phase: 'waiting', deadline: latest(s, s.notBefore) };
  }
  // What is due by its owner goes before refreshes, which have until the granted lifetime ends.
  const urgent = s.end || s.wish > s.held;
  out.push({ kind: 'queue', deadline: urgent ? c.now : s.expiresAt });
  return { ...s, phase: 'queued', deadline: NEVER };
}

function rest(s: Publication): Publication {
  // The last refresh of a finite lifetime has asked for the rest: nothing more to send.
  const last = s.expiresAt >= s.desiredUntil;
  return { ...s, phase: 'published', deadline: last ? s.desiredUntil : s.refreshAt };
}

function wait(s: Publication, verdict: Verdict, out: Out): Publication {
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

/** A waiting record wakes earlier when its lifetime ends before the next try. */
const latest = (s: Publication, at: number): number => Math.min(at, s.end ? s.expiresAt : s.desiredUntil);

/** The end is done. */
function finish(s: Publication, c: Context, out: Out): Publication {
  if (!s.next) return gone(s, out);
  out.push({ kind: 'persist' });
  return enqueue(
    adopt(
      { ...ABSENT, wish: s.wish, minExpires: s.minExpires, outboundProxy: s.outboundProxy, notBefore: s.notBefore },
      s.next,
      c,
    ),
    c,
    out,
  );
}

function gone(s: Publication, out: Out): Publication {
  out.push({ kind: 'persist' });
  return { ...ABSENT, phase: 'ended', wish: s.wish };
}

function expire(s: Publication, out: Out): Publication {
  settle(out, s.op, { outcome: 'expired' });
  out.push({ kind: 'emit', event: 'expired' });
  return gone(s, out);
}

/** A row taken over without its document, and the server no longer holds it: only its module can tell it. */
function needDocument(s: Publication, out: Out): Publication {
  settle(out, s.op, { outcome: 'no-body' });
  out.push({ kind: 'emit', event: 'document-needed' });
  return { ...s, op: null, phase: 'parked', etag: '', held: 0, deadline: s.desiredUntil };
}

/** Seconds to ask for. */
function lifetime(s: Publication, c: Context): number {
  const asked = s.asked < 0 ? c.policy.defaultExpires : Math.ceil((s.desiredUntil - c.now) / 1000);
  return Math.max(asked, c.policy.minExpires, s.minExpires);
}

function report(s: Publication, a: Answer, out: Out): void {
  const cause: Cause = s.flightOp
    ? 'request'
    : s.failures === 0 && (s.phase === 'refreshing' || s.phase === 'removing')
      ? 'refresh'
      : 'recovery';
  out.push({ kind: 'report', cause, reply: replyOf(a) });
}

export const replyOf = (a: Answer): Reply =>
  a.kind === 'response'
    ? { status: a.status, reason: a.reason, received: true }
    : { status: a.sent ? 408 : 503, reason: a.cause, received: false };

export function failure(a: Answer, retrying: boolean): PuaResult {
  if (a.kind === 'unreachable') return { outcome: 'unreachable', cause: a.cause, retrying };
  return {
    outcome: 'rejected',
    status: a.status,
    reason: a.reason,
    retrying,
    ...(a.retryAfter === undefined ? {} : { retryAfter: a.retryAfter }),
    ...(a.minExpires === undefined ? {} : { minExpires: a.minExpires }),
  };
}
