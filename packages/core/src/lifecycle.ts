/** The part of both machines that is the same: waiting, asking for a slot, lifetimes, 423, the end of a request. */
import type { Cause } from './api.js';
import { type Context, type Op, type SharedEffect, settle } from './machine.js';
import type { Answer } from './policy/answer.js';
import { replyOf } from './policy/outcome.js';
import { notBeforeOf, spreadAfter, type Verdict } from './policy/verdict.js';

export const NEVER = Number.POSITIVE_INFINITY;

/** What the states of both machines have; explained at their classes. */
export interface Lifecycle {
  phase: string;
  readonly asked: number;
  readonly desiredUntil: number;
  readonly wish: number;
  end: boolean;
  next: { readonly op: Op } | null;
  readonly held: number;
  readonly expiresAt: number;
  flightWish: number;
  flightOp: Op;
  flightExpires: number;
  op: Op;
  failures: number;
  delay: number;
  briefs: number;
  minExpires: number;
  notBefore: number;
  deadline: number;
}

type Out = { push(...effects: SharedEffect[]): unknown };

/** The request on the wire is over. */
export function land(s: Lifecycle): void {
  s.flightOp = null;
  s.flightWish = 0;
  s.flightExpires = 0;
}

/**
 * Asks for a slot, unless a Retry-After forbids it: then whoever waits is told at once. What is due by its owner goes
 * before refreshes, which have until the granted lifetime ends.
 */
export function askForSlot(s: Lifecycle, urgent: boolean, c: Context, out: Out): void {
  if (s.notBefore > c.now) {
    settle(out, s.op, {
      outcome: 'unreachable',
      cause: 'not to be tried yet (Retry-After, or the next hop is set aside)',
      retrying: true,
    });
    s.op = null;
    s.phase = 'waiting';
    s.deadline = soonest(s, spreadAfter(s.notBefore, c.now, 0, c));
    return;
  }
  out.push({ kind: 'queue', deadline: urgent ? c.now : s.expiresAt });
  s.phase = 'queued';
  s.deadline = NEVER;
}

export function wait(s: Lifecycle, verdict: Pick<Verdict, 'delay' | 'notBefore' | 'retryAt'>, out: Out): void {
  out.push({ kind: 'persist' });
  s.phase = 'waiting';
  s.failures++;
  s.delay = verdict.delay;
  s.notBefore = Math.max(s.notBefore, verdict.notBefore);
  s.deadline = soonest(s, verdict.retryAt);
}

/** A waiting record wakes earlier when its lifetime ends before the next try. */
const soonest = (s: Lifecycle, at: number): number => Math.min(at, s.end ? s.expiresAt : s.desiredUntil);

/** The same request will never do: nothing is tried until the owner changes something. */
export function park(s: Lifecycle, until: number): void {
  s.failures++;
  s.phase = 'parked';
  s.deadline = until;
}

/** What the failed request taught, for the newer one that goes next. */
export function carryOver(s: Lifecycle, verdict: Verdict): void {
  s.delay = verdict.delay;
  s.failures++;
}

/** The owner wants it ended; that wins over all it asked for before. */
export function noteEnd(s: Lifecycle, op: Op, out: Out): void {
  if (s.next) settle(out, s.next.op, { outcome: 'superseded' });
  if (s.op !== s.flightOp) settle(out, s.op, { outcome: 'superseded' });
  out.push({ kind: 'persist' });
  s.end = true;
  s.op = op;
  s.next = null;
}

/** What an answer says about all that comes later, whatever becomes of its own request. */
export function heed(s: Lifecycle, a: Answer, c: Context): void {
  s.notBefore = Math.max(s.notBefore, notBeforeOf(a, c));
  s.minExpires = raisedTo(s, a, c) || s.minExpires;
}

/**
 * A 423 that can be met at once. One that keeps rising is met at the next try.
 *
 *   PUBLISH Expires: 60 ->   423 Min-Expires: 600 <-   PUBLISH Expires: 600 ->
 */
export function tooBrief(s: Lifecycle, a: Answer, c: Context): boolean {
  if (raisedTo(s, a, c) === 0 || s.briefs >= c.policy.maxBriefs) return false;
  s.briefs++;
  return true;
}

/** Min-Expires of a 423, when it is a reason and can be met; else 0. */
function raisedTo(s: Lifecycle, a: Answer, { policy }: Context): number {
  if (a.kind !== 'response' || a.status !== 423 || a.minExpires === undefined || s.flightExpires === 0) return 0;
  return a.minExpires > s.flightExpires && a.minExpires <= policy.maxMinExpires ? a.minExpires : 0;
}

/** Seconds to ask for; `most`: in one request, 0 for no limit. */
export function lifetime(s: Lifecycle, { now, policy }: Context, most = 0): number {
  const wished = s.asked < 0 ? most || policy.defaultExpires : Math.ceil((s.desiredUntil - now) / 1000);
  const asked = most > 0 ? Math.min(wished, most) : wished;
  return Math.max(asked, policy.minExpires, s.minExpires);
}

/** End of the lifetime asked for. What is raised for the server is raised for us: else we would forget it first. */
export function desiredEnd(expires: number, { now, policy }: Context): number {
  return expires < 0 ? NEVER : now + Math.max(expires, policy.minExpires) * 1000;
}

/** `routine`: a request of this kind goes out when all is well, too. */
export function report(s: Lifecycle, a: Answer, routine: boolean, out: Out): void {
  const cause: Cause = s.flightOp ? 'request' : routine && s.failures === 0 ? 'refresh' : 'recovery';
  out.push({ kind: 'report', cause, reply: replyOf(a) });
}
