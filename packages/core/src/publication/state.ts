/** Publication (RFC 3903): state, inputs and effects. What each input does in each state stands in table.ts. */
import type { Op, SharedEffect } from '../machine.js';
import type { Answer } from '../policy/answer.js';
import type { Headers } from '../ports/sip.js';

const NO_HEADERS: Headers = [];

/**
 * What is wished and what the server holds, kept apart: the next request is always derived from the difference, so
 * that it does not matter which of many changes came while a request was on the wire.
 *
 * A step works on a copy: outside it a state never changes. (A class, because copying one field by field is thirty
 * times faster than spreading an object of this size.)
 */
export class Publication {
  phase: PublicationPhase = 'absent';

  // The wish.
  body: string | Uint8Array | null = null;
  contentType = '';
  /** Seconds asked for; negative: default, for ever. */
  asked = -1;
  /** Most seconds to ask for in one PUBLISH; 0: all that is wished. */
  publishExpires = 0;
  /** End of the lifetime asked for, monotonic ms; Infinity: for ever. */
  desiredUntil = Number.POSITIVE_INFINITY;
  extraHeaders: Headers = NO_HEADERS;
  outboundProxy = '';
  onLost: 'republish' | 'report' = 'republish';
  /** Counts the requests of the owner ... */
  wish = 0;
  /** ... and is the number of the one that brought `body`. */
  bodyWish = 0;
  /** Number of the newest wish that named an entity-tag: until it is accepted a 412 is reported, not repaired. */
  strict = 0;
  /** The owner wants it removed ... */
  end = false;
  /** ... and then this one opened. */
  next: PublishInput | null = null;

  // What the server holds.
  etag = '';
  /** Number of the wish that the entity-tag stands for. */
  held = 0;
  /** End of the granted lifetime, monotonic ms; 0: it holds nothing that we know of. */
  expiresAt = 0;
  refreshAt = Number.POSITIVE_INFINITY;
  /** For the body processor. */
  version = 0;
  /** Version of the newest document that went out; -1: none did. */
  sentVersion = -1;
  tupleId: string | null = null;

  // The request on the wire.
  flightWish = 0;
  flightOp: Op = null;
  flightExpires = 0;

  /** Who waits for the newest wish. */
  op: Op = null;

  // What failures taught.
  failures = 0;
  delay = 0;
  /** Consecutive 412s and 423s that were repaired at once. */
  losses = 0;
  briefs = 0;
  /** Learned Min-Expires, seconds. */
  minExpires = 0;
  notBefore = 0;

  /** When the timer is to fire, monotonic ms; Infinity: not at all. */
  deadline = Number.POSITIVE_INFINITY;

  copy(): Publication {
    const to = new Publication();
    to.phase = this.phase;
    to.body = this.body;
    to.contentType = this.contentType;
    to.asked = this.asked;
    to.publishExpires = this.publishExpires;
    to.desiredUntil = this.desiredUntil;
    to.extraHeaders = this.extraHeaders;
    to.outboundProxy = this.outboundProxy;
    to.onLost = this.onLost;
    to.wish = this.wish;
    to.bodyWish = this.bodyWish;
    to.strict = this.strict;
    to.end = this.end;
    to.next = this.next;
    to.etag = this.etag;
    to.held = this.held;
    to.expiresAt = this.expiresAt;
    to.refreshAt = this.refreshAt;
    to.version = this.version;
    to.sentVersion = this.sentVersion;
    to.tupleId = this.tupleId;
    to.flightWish = this.flightWish;
    to.flightOp = this.flightOp;
    to.flightExpires = this.flightExpires;
    to.op = this.op;
    to.failures = this.failures;
    to.delay = this.delay;
    to.losses = this.losses;
    to.briefs = this.briefs;
    to.minExpires = this.minExpires;
    to.notBefore = this.notBefore;
    to.deadline = this.deadline;
    return to;
  }
}

export type PublicationPhase =
  | 'absent'
  | 'queued'
  | 'publishing'
  | 'modifying'
  | 'refreshing'
  | 'removing'
  | 'published'
  | 'waiting'
  | 'parked'
  | 'ended';

export interface PublishInput {
  readonly kind: 'publish';
  readonly op: Op;
  /** null: only the lifetime is prolonged. */
  readonly body: string | Uint8Array | null;
  readonly contentType: string;
  /** Seconds, negative for the default, never 0. */
  readonly expires: number;
  /** Most seconds to ask for in one PUBLISH; 0: all. */
  readonly publishExpires: number;
  readonly insert: boolean;
  /** Must be the record's entity-tag; empty: any. */
  readonly etag: string;
  /** null: as before. */
  readonly extraHeaders: Headers | null;
  /** Empty: as before. */
  readonly outboundProxy: string;
  readonly onLost: 'republish' | 'report';
  readonly version: number;
  readonly tupleId: string | null;
}

export interface UnpublishInput {
  readonly kind: 'unpublish';
  readonly op: Op;
  readonly etag: string;
}

export type PublicationInput =
  | PublishInput
  | UnpublishInput
  /** The record may send now. */
  | { readonly kind: 'slot' }
  | { readonly kind: 'answer'; readonly answer: Answer }
  | { readonly kind: 'timer' };

export type PublicationEffect =
  | SharedEffect
  | {
      readonly kind: 'send';
      readonly request: 'initial' | 'modify' | 'refresh' | 'remove';
      readonly expires: number;
      readonly etag: string;
      readonly body: string | Uint8Array | null;
    };
