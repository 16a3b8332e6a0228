/** Parts that the steps of a publication share. Each changes the step's own copy of the state. */
import { askForSlot, desiredEnd, NEVER } from '../lifecycle.js';
import { type Context, settle } from '../machine.js';
import { refreshDelay } from '../policy/timing.js';
import { Publication, type PublicationEffect, type PublishInput } from './state.js';

export type Out = PublicationEffect[];

/** Does the server hold something of ours that can be matched by its entity-tag? */
export const holds = (s: Readonly<Publication>, now: number): boolean => s.etag !== '' && now < s.expiresAt;

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
    s.version = input.version;
  }
  s.asked = input.expires;
  s.publishExpires = input.publishExpires;
  s.desiredUntil = desiredEnd(input.expires, c);
  if (input.extraHeaders) s.extraHeaders = input.extraHeaders;
  if (input.outboundProxy !== '') s.outboundProxy = input.outboundProxy;
  s.onLost = input.onLost;
  s.strict = input.etag === '' ? 0 : s.wish;
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

export function enqueue(s: Publication, c: Context, out: Out): void {
  askForSlot(s, s.end || s.wish > s.held, c, out);
}

export function rest(s: Publication): void {
  s.phase = 'published';
  // The last refresh of a finite lifetime has asked for the rest: nothing more to send.
  s.deadline = s.expiresAt >= s.desiredUntil ? s.desiredUntil : s.refreshAt;
}

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
