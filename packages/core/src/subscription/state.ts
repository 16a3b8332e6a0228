/** Subscription (RFC 6665, the subscriber's side): state, inputs and effects. Transitions stand in table.ts. */
import type { Cause, PuaResult, Reply } from '../api.js';
import type { Answer } from '../policy/answer.js';
import type { Op } from '../publication/state.js';

export interface Subscription {
  readonly phase: SubscriptionPhase;

  // The wish.
  /** Seconds asked for; negative: default, for ever. */
  readonly asked: number;
  /** Monotonic ms; Infinity: for ever. */
  readonly desiredUntil: number;
  /** Contact the caller gave; empty: the engine's. */
  readonly ownContact: string;
  /** Route of the request that opens a dialog. */
  readonly preloadedRoutes: readonly string[];
  /** One NOTIFY is wanted, nothing is kept (RFC 6665 4.4.3). */
  readonly fetch: boolean;
  readonly wish: number;
  readonly end: boolean;
  readonly next: SubscribeInput | null;

  // The dialog; an empty callId is none.
  readonly callId: string;
  readonly localTag: string;
  readonly remoteTag: string;
  /** Last CSeq of ours. */
  readonly cseq: number;
  /** Last CSeq of theirs; 0 = none yet. */
  readonly remoteCseq: number;
  readonly routeSet: readonly string[];
  readonly remoteTarget: string;
  /** Contact that went out last. */
  readonly contact: string;
  /** A NOTIFY has established it (4.4.1); until then what the 2xx said is provisional. */
  readonly confirmed: boolean;
  /** Subscription-State: active, pending, or empty. */
  readonly status: string;
  /** When the dialog was opened, monotonic ms. */
  readonly openedAt: number;
  /** Number of the wish it stands for. */
  readonly held: number;
  /** End by the last 2xx; a NOTIFY may only shorten it. */
  readonly grantedUntil: number;
  readonly expiresAt: number;
  readonly refreshAt: number;
  /** Timer N: a NOTIFY must have come by then. */
  readonly notifyBy: number;
  /** After an unsubscribe: forgotten then at the latest. */
  readonly closeBy: number;
  /** The dialog is to be ended and a new one opened. */
  readonly renew: boolean;
  /** A NOTIFY ended it while a request was on the wire: dealt with at the answer. */
  readonly over: Termination | null;

  // The request on the wire.
  readonly flightWish: number;
  readonly flightOp: Op;
  readonly flightExpires: number;
  readonly sentAt: number;

  readonly op: Op;

  readonly failures: number;
  readonly delay: number;
  /** Consecutive dialogs that were replaced at once, and consecutive 423s. */
  readonly losses: number;
  readonly briefs: number;
  readonly minExpires: number;
  readonly notBefore: number;

  readonly deadline: number;
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
  | { readonly kind: 'timer' };

export type SubscriptionEffect =
  | { readonly kind: 'queue'; readonly deadline: number }
  | {
      readonly kind: 'send';
      readonly request: 'initial' | 'refresh' | 'unsubscribe' | 'fetch';
      readonly expires: number;
    }
  | { readonly kind: 'settle'; readonly op: Op; readonly result: PuaResult }
  | { readonly kind: 'report'; readonly cause: Cause; readonly reply: Reply }
  /** How a NOTIFY is answered; its body is delivered with 200. */
  | { readonly kind: 'notified'; readonly status: 200 | 481 | 500 }
  | { readonly kind: 'emit'; readonly event: 'expired' | 'lapsed' | 'terminated' | 'lost' }
  | { readonly kind: 'persist' };

const NEVER = Number.POSITIVE_INFINITY;

/** What a record is without a dialog. */
export const NO_DIALOG = {
  callId: '',
  localTag: '',
  remoteTag: '',
  cseq: 0,
  remoteCseq: 0,
  routeSet: [] as readonly string[],
  remoteTarget: '',
  confirmed: false,
  status: '',
  openedAt: 0,
  held: 0,
  grantedUntil: 0,
  expiresAt: 0,
  refreshAt: NEVER,
  notifyBy: NEVER,
  closeBy: NEVER,
  renew: false,
  over: null,
} as const;

export const NO_SUBSCRIPTION: Subscription = {
  phase: 'absent',
  asked: -1,
  desiredUntil: NEVER,
  ownContact: '',
  preloadedRoutes: [],
  fetch: false,
  wish: 0,
  end: false,
  next: null,
  contact: '',
  ...NO_DIALOG,
  flightWish: 0,
  flightOp: null,
  flightExpires: 0,
  sentAt: 0,
  op: null,
  failures: 0,
  delay: 0,
  losses: 0,
  briefs: 0,
  minExpires: 0,
  notBefore: 0,
  deadline: NEVER,
};
