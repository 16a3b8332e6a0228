/** Publication (RFC 3903): state, inputs and effects. What each input does in each state stands in table.ts. */
import type { Cause, PuaResult, Reply } from '../api.js';
import type { Answer } from '../policy/answer.js';
import type { Headers } from '../ports/sip.js';

/**
 * What is wished and what the server holds, kept apart: the next request is always derived from the difference, so
 * that it does not matter which of many changes came while a request was on the wire.
 */
export interface Publication {
  readonly phase: PublicationPhase;

  // The wish.
  readonly body: string | Uint8Array | null;
  readonly contentType: string;
  /** Seconds asked for; negative: default, for ever. */
  readonly asked: number;
  /** End of the lifetime asked for, monotonic ms; Infinity: for ever. */
  readonly desiredUntil: number;
  readonly extraHeaders: Headers;
  readonly outboundProxy: string;
  readonly onLost: 'republish' | 'report';
  /** Counts the requests of the owner ... */
  readonly wish: number;
  /** ... and is the number of the one that brought `body`. */
  readonly bodyWish: number;
  /** The owner wants it removed ... */
  readonly end: boolean;
  /** ... and then this one opened. */
  readonly next: PublishInput | null;

  // What the server holds.
  readonly etag: string;
  /** Number of the wish that the entity-tag stands for. */
  readonly held: number;
  /** End of the granted lifetime, monotonic ms; 0: it holds nothing that we know of. */
  readonly expiresAt: number;
  readonly refreshAt: number;
  /** For the body processor. */
  readonly version: number;
  readonly tupleId: string | null;

  // The request on the wire.
  readonly flightWish: number;
  readonly flightOp: Op;
  readonly flightExpires: number;

  /** Who waits for the newest wish. */
  readonly op: Op;

  // What failures taught.
  readonly failures: number;
  readonly delay: number;
  /** Consecutive 412s and 423s that were repaired at once. */
  readonly losses: number;
  readonly briefs: number;
  /** Learned Min-Expires, seconds. */
  readonly minExpires: number;
  readonly notBefore: number;

  /** When the timer is to fire, monotonic ms; Infinity: not at all. */
  readonly deadline: number;
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

/** Opaque to the machines: whoever waits for the result. */
export type Op = object | null;

export interface PublishInput {
  readonly kind: 'publish';
  readonly op: Op;
  /** null: only the lifetime is prolonged. */
  readonly body: string | Uint8Array | null;
  readonly contentType: string;
  /** Seconds, negative for the default, never 0. */
  readonly expires: number;
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
  /** Ask for a slot; many may wait, ordered by deadline. */
  | { readonly kind: 'queue'; readonly deadline: number }
  | {
      readonly kind: 'send';
      readonly request: 'initial' | 'modify' | 'refresh' | 'remove';
      readonly expires: number;
      readonly etag: string;
      readonly body: string | Uint8Array | null;
    }
  | { readonly kind: 'settle'; readonly op: Op; readonly result: PuaResult }
  /** For the callbacks of the source. */
  | { readonly kind: 'report'; readonly cause: Cause; readonly reply: Reply }
  | { readonly kind: 'emit'; readonly event: 'expired' | 'lost' | 'lapsed' | 'document-needed' }
  | { readonly kind: 'persist' };

export const ABSENT: Publication = {
  phase: 'absent',
  body: null,
  contentType: '',
  asked: -1,
  desiredUntil: Number.POSITIVE_INFINITY,
  extraHeaders: [],
  outboundProxy: '',
  onLost: 'republish',
  wish: 0,
  bodyWish: 0,
  end: false,
  next: null,
  etag: '',
  held: 0,
  expiresAt: 0,
  refreshAt: Number.POSITIVE_INFINITY,
  version: 0,
  tupleId: null,
  flightWish: 0,
  flightOp: null,
  flightExpires: 0,
  op: null,
  failures: 0,
  delay: 0,
  losses: 0,
  briefs: 0,
  minExpires: 0,
  notBefore: 0,
  deadline: Number.POSITIVE_INFINITY,
};
