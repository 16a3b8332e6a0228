/** Subscription (RFC 6665, the subscriber's side): state, inputs and effects. Transitions stand in table.ts. */
import type { Op, SharedEffect } from '../machine.js';
import type { Answer } from '../policy/answer.js';

const NEVER = Number.POSITIVE_INFINITY;
const NONE: readonly string[] = [];

/** See the note at Publication on why it is a class. */
export class Subscription {
  phase: SubscriptionPhase = 'absent';

  // The wish.
  /** Seconds asked for; negative: default, for ever. */
  asked = -1;
  /** Monotonic ms; Infinity: for ever. */
  desiredUntil = NEVER;
  /** Contact the caller gave; empty: the engine's. */
  ownContact = '';
  /** Route of the request that opens a dialog. */
  preloadedRoutes: readonly string[] = NONE;
  /** One NOTIFY is wanted, nothing is kept (RFC 6665 4.4.3). */
  fetch = false;
  wish = 0;
  end = false;
  next: SubscribeInput | null = null;

  // The dialog; an empty callId is none.
  callId = '';
  localTag = '';
  remoteTag = '';
  /** Last CSeq of ours. */
  cseq = 0;
  /** Last CSeq of theirs; 0 = none yet. */
  remoteCseq = 0;
  routeSet: readonly string[] = NONE;
  remoteTarget = '';
  /** Contact that went out last. */
  contact = '';
  /** A NOTIFY has established it (4.4.1); until then what the 2xx said is provisional. */
  confirmed = false;
  /** Subscription-State: active, pending, or empty. */
  status = '';
  /** When the dialog was opened, monotonic ms. */
  openedAt = 0;
  /** Number of the wish it stands for. */
  held = 0;
  /** What its NOTIFYs depend on in the engine; empty: nothing. */
  binding = '';
  /** NOTIFYs don't come any more: to be replaced, and nothing to be waited for in it. */
  deaf = false;
  /** End by the last 2xx; a NOTIFY may only shorten it. */
  grantedUntil = 0;
  /** End that a NOTIFY has named since the last request went out; 0: none. */
  saidUntil = 0;
  expiresAt = 0;
  refreshAt = NEVER;
  /** Timer N: a NOTIFY must have come by then. */
  notifyBy = NEVER;
  /** After an unsubscribe: forgotten then at the latest. */
  closeBy = NEVER;
  /** The dialog is to be ended and a new one opened. */
  renew = false;
  /** One of several dialogs that one SUBSCRIBE has opened (RFC 6665 5.4.9): it never opens one itself. */
  fork = false;
  /** A NOTIFY ended it while a request was on the wire: dealt with at the answer. */
  over: Termination | null = null;

  // The request on the wire.
  flightWish = 0;
  flightOp: Op = null;
  flightExpires = 0;
  sentAt = 0;

  op: Op = null;

  failures = 0;
  delay = 0;
  /** Consecutive dialogs that were replaced at once, and consecutive 423s. */
  losses = 0;
  briefs = 0;
  minExpires = 0;
  notBefore = 0;

  deadline = NEVER;

  copy(): Subscription {
    const to = new Subscription();
    to.phase = this.phase;
    to.asked = this.asked;
    to.desiredUntil = this.desiredUntil;
    to.ownContact = this.ownContact;
    to.preloadedRoutes = this.preloadedRoutes;
    to.fetch = this.fetch;
    to.wish = this.wish;
    to.end = this.end;
    to.next = this.next;
    to.callId = this.callId;
    to.localTag = this.localTag;
    to.remoteTag = this.remoteTag;
    to.cseq = this.cseq;
    to.remoteCseq = this.remoteCseq;
    to.routeSet = this.routeSet;
    to.remoteTarget = this.remoteTarget;
    to.contact = this.contact;
    to.confirmed = this.confirmed;
    to.status = this.status;
    to.openedAt = this.openedAt;
    to.held = this.held;
    to.binding = this.binding;
    to.deaf = this.deaf;
    to.grantedUntil = this.grantedUntil;
    to.saidUntil = this.saidUntil;
    to.expiresAt = this.expiresAt;
    to.refreshAt = this.refreshAt;
    to.notifyBy = this.notifyBy;
    to.closeBy = this.closeBy;
    to.renew = this.renew;
    to.fork = this.fork;
    to.over = this.over;
    to.flightWish = this.flightWish;
    to.flightOp = this.flightOp;
    to.flightExpires = this.flightExpires;
    to.sentAt = this.sentAt;
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

  /** Forgets the dialog and all that came with it. */
  dropDialog(): void {
    this.callId = '';
    this.localTag = '';
    this.remoteTag = '';
    this.cseq = 0;
    this.remoteCseq = 0;
    this.routeSet = NONE;
    this.remoteTarget = '';
    this.confirmed = false;
    this.status = '';
    this.openedAt = 0;
    this.held = 0;
    this.binding = '';
    this.deaf = false;
    this.grantedUntil = 0;
    this.saidUntil = 0;
    this.expiresAt = 0;
    this.refreshAt = NEVER;
    this.notifyBy = NEVER;
    this.closeBy = NEVER;
    this.renew = false;
    this.over = null;
  }
}

export type SubscriptionPhase =
  | 'absent'
  | 'queued'
  | 'subscribing'
  | 'refreshing'
  | 'unsubscribing'
  | 'subscribed'
  | 'closing'
  | 'waiting'
  | 'parked'
  | 'ended';

export interface Termination {
  /** Event reason in lower case; empty when none was given. */
  readonly reason: string;
  /** Seconds. */
  readonly retryAfter: number | undefined;
}

export interface SubscribeInput {
  readonly kind: 'subscribe';
  readonly op: Op;
  /** Seconds, negative for the default, never 0. */
  readonly expires: number;
  readonly insert: boolean;
  readonly fetch: boolean;
  readonly ownContact: string;
  readonly preloadedRoutes: readonly string[];
}

export interface NotifyInput {
  readonly kind: 'notify';
  readonly fromTag: string;
  readonly cseq: number;
  /** Contact URI; empty when absent. */
  readonly contact: string;
  /** As received, top first: the route set of a subscriber (RFC 3261 12.1.1). */
  readonly recordRoute: readonly string[];
  readonly state: 'active' | 'pending' | 'terminated';
  readonly termination: Termination;
  /** Seconds. */
  readonly expires: number | undefined;
}

export type SubscriptionInput =
  | SubscribeInput
  | { readonly kind: 'unsubscribe'; readonly op: Op }
  /** The record may send now; contact is the engine's for the hop it goes to. */
  | { readonly kind: 'slot'; readonly contact: string; readonly callId: string; readonly localTag: string }
  | { readonly kind: 'answer'; readonly answer: Answer }
  | NotifyInput
  /** The engine has lost what the dialog's NOTIFYs depend on. */
  | { readonly kind: 'unbound' }
  | { readonly kind: 'timer' };

export type SubscriptionEffect =
  | SharedEffect
  | {
      readonly kind: 'send';
      readonly request: 'initial' | 'refresh' | 'unsubscribe' | 'fetch';
      readonly expires: number;
    }
  /** How a NOTIFY is answered; its body is delivered with 200. */
  | { readonly kind: 'notified'; readonly status: 200 | 481 | 500 };
