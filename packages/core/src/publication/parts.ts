/** Parts that the steps of a publication share. Each changes the step's own copy of the state. */
import { type Context, settle } from '../machine.js';
import { refreshDelay } from '../policy/timing.js';
import type { Verdict } from '../policy/verdict.js';
import { Publication, type PublicationEffect, type PublishInput } from './state.js';

export type Out = PublicationEffect[];
export const NEVER = Number.POSITIVE_INFINITY;

/** Does the server hold something of ours that can be matched by its entity-tag? */
export const holds = (s: Readonly<Publication>, now: number): boolean => s.etag !== '' && now < s.expiresAt;

/** The request on the wire is over. */
export function land(s: Publication): void {
  s.flightOp = null;
  s.flightWish = 0;
  s.flightExpires = 0;
}

/** The server holds nothing any more. */
export function forget(s: Publication): void {
  s.etag = '';
  s.held = 0;
  s.expiresAt = 0;
  s.refreshAt = NEVER;
}

export function adopt(s: Publication, input: PublishInput, c: Context): void {
  s.wish++;
  s.op = input.op;
  if (input.body !== null) {
    s.bodyWish = s.wish;
    s.body = input.body;
    s.contentType = input.contentType;
  }
  s.asked = input.expires;
  // What is raised for the server is raised for us: a record that is gone before the server's is published twice.
  s.desiredUntil = input.expires < 0 ? NEVER : c.now + Math.max(input.expires, c.policy.minExpires) * 1000;
  if (input.extraHeaders) s.extraHeaders = input.extraHeaders;
  if (input.outboundProxy !== '') s.outboundProxy = input.outboundProxy;
  s.onLost = input.onLost;
  s.strict = input.etag === '' ? 0 : s.wish;
  s.version = input.version;
  s.tupleId = input.tupleId;
}

/** What a 2xx gave. Without an entity-tag it can't be refreshed: it is published anew when the refresh is due. */
export function granted(s: Publication, etag: string, seconds: number, c: Context): void {
  const ms = seconds * 1000;
  s.etag = etag;
  s.held = etag === '' ? 0 : s.flightWish;
  s.expiresAt = c.now + ms;
  s.refreshAt = c.now + refreshDelay(ms, c.random());
  s.failures = 0;
  s.delay = 0;
  s.losses = 0;
  s.briefs = 0;
  s.notBefore = 0;
}

/** Asks for a slot, unless a Retry-After forbids it: then whoever waits is told at once. */
export function enqueue(s: Publication, c: Context, out: Out): void {
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
  // What is due by its owner goes before refreshes, which have until the granted lifetime ends.
  out.push({ kind: 'queue', deadline: s.end || s.wish > s.held ? c.now : s.expiresAt });
  s.phase = 'queued';
  s.deadline = NEVER;
}

export function rest(s: Publication): void {
  s.phase = 'published';
  // The last refresh of a finite lifetime has asked for the rest: nothing more to send.
  s.deadline = s.expiresAt >= s.desiredUntil ? s.desiredUntil : s.refreshAt;
}

export function wait(s: Publication, verdict: Verdict, out: Out): void {
  out.push({ kind: 'persist' });
  s.phase = 'waiting';
  s.failures++;
  s.delay = verdict.delay;
  s.notBefore = verdict.notBefore;
  s.deadline = soonest(s, verdict.retryAt);
}

/** A waiting record wakes earlier when its lifetime ends before the next try. */
const soonest = (s: Publication, at: number): number => Math.min(at, s.end ? s.expiresAt : s.desiredUntil);

/** The end is done: what came after it is opened, or nothing is left. */
export function finish(s: Publication, c: Context, out: Out): void {
  const { next, wish, minExpires, outboundProxy, notBefore } = s;
  gone(s, out);
  if (!next) return;
  Object.assign(s, { wish, minExpires, outboundProxy, notBefore });
  adopt(s, next, c);
  enqueue(s, c, out);
}

export function gone(s: Publication, out: Out): void {
  out.push({ kind: 'persist' });
  Object.assign(s, new Publication(), { phase: 'ended', wish: s.wish });
}

export function expire(s: Publication, out: Out): void {
  settle(out, s.op, { outcome: 'expired' });
  out.push({ kind: 'emit', event: 'expired' });
  gone(s, out);
}
