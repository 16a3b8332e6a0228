/** What each input does to a publication. Which of these functions runs when stands in table.ts. */
import type { PuaResult } from '../api.js';
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
import { endsRemoval } from '../policy/responses.js';
import { judge, rowOf } from '../policy/verdict.js';
import { adopt, enqueue, expire, finish, forget, gone, granted, holds, type Out, rest } from './parts.js';
import type { Publication, PublishInput, UnpublishInput } from './state.js';

type AnswerInput = { readonly answer: Answer };

// ---------------------------------------------------------------------------------------------- the owner's requests

/** First request for a key. */
export function open(s: Publication, input: PublishInput, c: Context, out: Out): void {
  if (input.etag !== '') return refuse(s, input.op, { outcome: 'wrong-etag' }, out);
  if (input.body === null) return refuse(s, input.op, { outcome: 'no-body' }, out);
  out.push({ kind: 'persist' });
  adopt(s, input, c);
  enqueue(s, c, out);
}

export function nothingToEnd(s: Publication, input: UnpublishInput, _c: Context, out: Out): void {
  refuse(s, input.op, { outcome: input.etag === '' ? 'nothing-to-do' : 'wrong-etag' }, out);
}

/** A new document or lifetime while nothing is on the wire. */
export function wish(s: Publication, input: PublishInput, c: Context, out: Out): void {
  const ending = s.end;
  const noted = note(s, input, c, out);
  if (noted && s.phase !== 'queued' && !ending) enqueue(s, c, out);
}

/** The same while a request is on the wire: its answer decides what goes next, the newest document waits. */
export function wishMeanwhile(s: Publication, input: PublishInput, c: Context, out: Out): void {
  note(s, input, c, out);
}

/** False when it was refused. */
function note(s: Publication, input: PublishInput, c: Context, out: Out): boolean {
  if (input.etag !== '' && (s.end || input.etag !== s.etag)) {
    settle(out, input.op, wrongEtag(s));
    return false;
  }
  const nothingToPublish = input.body === null && (s.end || input.insert || (s.body === null && !holds(s, c.now)));
  if (nothingToPublish) {
    settle(out, input.op, { outcome: 'no-body' });
    return false;
  }
  out.push({ kind: 'persist' });
  if (s.end) {
    // An end wins over what came before it; what comes after it opens a new publication once the end is done.
    if (s.next) settle(out, s.next.op, { outcome: 'superseded' });
    s.next = input;
    return true;
  }
  if (s.op !== s.flightOp) settle(out, s.op, { outcome: 'superseded' });
  if (input.insert && (holds(s, c.now) || s.flightWish > 0)) {
    s.end = true;
    s.op = null;
    s.next = input;
  } else adopt(s, input, c);
  return true;
}

/** Removal while nothing is on the wire. */
export function end(s: Publication, input: UnpublishInput, c: Context, out: Out): void {
  if (!takeEnd(s, input, out)) return;
  if (!holds(s, c.now)) {
    settle(out, s.op, { outcome: 'nothing-to-do' });
    gone(s, out);
  } else if (s.phase !== 'queued') enqueue(s, c, out);
}

export function endMeanwhile(s: Publication, input: UnpublishInput, _c: Context, out: Out): void {
  takeEnd(s, input, out);
}

/** False when it was refused. */
function takeEnd(s: Publication, input: UnpublishInput, out: Out): boolean {
  if (input.etag !== '' && input.etag !== s.etag) {
    settle(out, input.op, wrongEtag(s));
    return false;
  }
  noteEnd(s, input.op, out);
  return true;
}

// ------------------------------------------------------------------------------------------------------ sending

/** The record may send: the request is made from what is wished and what the server holds *now*. */
export function slot(s: Publication, _input: object, c: Context, out: Out): void {
  const held = holds(s, c.now);
  if (s.end && !held) {
    settle(out, s.op, { outcome: 'nothing-to-do' });
    return finish(s, c, out);
  }
  if (!s.end && c.now >= s.desiredUntil) return expire(s, out);
  if (!held && s.body === null) return needDocument(s, out);

  s.flightOp = s.op;
  s.flightWish = s.wish;
  const sendsBody = !s.end && (!held || s.bodyWish > s.held);
  if (sendsBody) s.sentVersion = s.version;
  s.flightExpires = s.end ? 0 : lifetime(s, c, s.publishExpires);
  if (s.end) {
    s.phase = 'removing';
    out.push({ kind: 'send', request: 'remove', expires: 0, etag: s.etag, body: null });
  } else if (!held) {
    s.phase = 'publishing';
    s.etag = '';
    s.held = 0;
    out.push({ kind: 'send', request: 'initial', expires: s.flightExpires, etag: '', body: s.body });
  } else if (sendsBody) {
    s.phase = 'modifying';
    out.push({ kind: 'send', request: 'modify', expires: s.flightExpires, etag: s.etag, body: s.body });
  } else {
    s.phase = 'refreshing';
    out.push({ kind: 'send', request: 'refresh', expires: s.flightExpires, etag: s.etag, body: null });
  }
}

/** No route is open: as if all of them had just failed, but nothing was sent. */
export function noRoute(s: Publication, { answer }: AnswerInput, c: Context, out: Out): void {
  settle(out, s.op, failure(answer, true));
  if (s.op) out.push({ kind: 'report', cause: 'request', reply: replyOf(answer) });
  s.op = null;
  wait(s, judge(answer, s.delay, c), out);
}

/** The timer of a resting record. */
export function due(s: Publication, _input: object, c: Context, out: Out): void {
  if (s.end && !holds(s, c.now)) {
    out.push({ kind: 'emit', event: 'lapsed' });
    finish(s, c, out);
  } else if (!s.end && c.now >= s.desiredUntil) expire(s, out);
  else enqueue(s, c, out);
}

// ------------------------------------------------------------------------------------------------------ answers

/** Answer to an initial, modifying or refreshing PUBLISH. */
export function answer(s: Publication, { answer: a }: AnswerInput, c: Context, out: Out): void {
  heed(s, a, c);
  if (a.kind === 'response' && a.status < 300) return accepted(s, a, c, out);
  const row = rowOf(a);
  if (row === 'lost' && s.phase !== 'publishing') return lost(s, a, c, out);
  if (tooBrief(s, a, c)) return again(s, c, out);
  failed(s, a, c, out);
}

/** PUBLISH If-Match ->   412 <-   PUBLISH (full, no If-Match) -> */
function lost(s: Publication, a: Answer, c: Context, out: Out): void {
  const repair = s.onLost === 'republish' && s.strict <= s.held;
  forget(s);
  if (s.end || (repair && (s.losses >= c.policy.maxLosses || s.body === null))) return failed(s, a, c, out);
  if (repair) {
    s.losses++;
    return again(s, c, out);
  }
  settle(out, s.flightOp, failure(a, false));
  if (s.op !== s.flightOp) settle(out, s.op, failure(a, false));
  report(s, a, out);
  out.push({ kind: 'emit', event: 'lost' });
  gone(s, out);
}

/** The same operation once more, at once: whoever waits for it goes on waiting. */
function again(s: Publication, c: Context, out: Out): void {
  if (s.op !== s.flightOp) settle(out, s.flightOp, { outcome: 'superseded' });
  out.push({ kind: 'persist' });
  land(s);
  enqueue(s, c, out);
}

function accepted(s: Publication, a: ResponseAnswer, c: Context, out: Out): void {
  const seconds = a.expires ?? s.flightExpires;
  if (seconds <= 0) {
    // A grant of nothing is a failure, whatever the status says.
    forget(s);
    return failed(s, { ...a, status: 500, reason: 'granted no lifetime' }, c, out);
  }
  report(s, a, out);
  out.push({ kind: 'persist' });
  settle(out, s.flightOp, { outcome: 'accepted', status: a.status, reason: a.reason, etag: a.etag, expires: seconds });
  if (a.etag === '') out.push({ kind: 'emit', event: 'without-etag' });
  if (s.op === s.flightOp) s.op = null;
  const changed = s.end || s.wish > s.flightWish;
  granted(s, a.etag, seconds, c);
  land(s);
  if (changed) enqueue(s, c, out);
  else rest(s);
}

/** End of the first pass without success: told to whoever waits, tried again by the rules of the row. */
function failed(s: Publication, a: Answer, c: Context, out: Out): void {
  const verdict = judge(a, s.delay, c);
  const current = s.op === s.flightOp;
  settle(out, s.flightOp, current ? failure(a, verdict.row !== 'unsupported') : { outcome: 'superseded' });
  if (current) s.op = null;
  report(s, a, out);
  out.push({ kind: 'persist' });
  const changed = s.wish > s.flightWish;
  land(s);
  if (s.end) {
    if (holds(s, c.now)) return enqueue(s, c, out);
    // Nothing that could be removed. If the request did arrive, what it made lapses by itself.
    settle(out, s.op, a.kind === 'unreachable' && a.sent ? failure(a, false) : { outcome: 'nothing-to-do' });
    return finish(s, c, out);
  }
  if (changed) {
    carryOver(s, verdict);
    return enqueue(s, c, out);
  }
  if (verdict.row === 'unsupported') return park(s, s.desiredUntil);
  wait(s, verdict, out);
}

/** Answer to a removal. A 412 never publishes again: what is not there need not be removed. */
export function removed(s: Publication, { answer: a }: AnswerInput, c: Context, out: Out): void {
  heed(s, a, c);
  report(s, a, out);
  const again = s.op === s.flightOp ? null : s.op;
  s.op = null;
  if (a.kind === 'response' && endsRemoval(a.status)) {
    settle(out, s.flightOp, { outcome: 'accepted', status: a.status, reason: a.reason, expires: 0 });
    settle(out, again, { outcome: 'nothing-to-do' });
    return finish(s, c, out);
  }
  const verdict = judge(a, s.delay, c);
  settle(out, s.flightOp, failure(a, true));
  land(s);
  if (!again) return wait(s, verdict, out);
  s.op = again;
  s.delay = verdict.delay;
  enqueue(s, c, out);
}

// ------------------------------------------------------------------------------------------------------ parts

const wrongEtag = (s: Publication): PuaResult =>
  s.etag === '' ? { outcome: 'wrong-etag' } : { outcome: 'wrong-etag', etag: s.etag };

function refuse(s: Publication, op: Op, result: PuaResult, out: Out): void {
  settle(out, op, result);
  s.phase = 'ended';
}

/** A row taken over without its document, and the server no longer holds it: only its module can tell it. */
function needDocument(s: Publication, out: Out): void {
  settle(out, s.op, { outcome: 'no-body' });
  out.push({ kind: 'emit', event: 'document-needed' });
  s.op = null;
  s.phase = 'parked';
  forget(s);
  s.refreshAt = NEVER;
  s.deadline = s.desiredUntil;
}

function report(s: Publication, a: Answer, out: Out): void {
  reportAnswer(s, a, s.phase === 'refreshing' || s.phase === 'removing', out);
}
