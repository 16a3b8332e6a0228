/** What both machines share: the shape of a table and of a step. */
import type { Cause, PuaResult, Reply } from './api.js';
import type { Policy } from './policy/policy.js';

export interface Context {
  /** Monotonic ms. */
  readonly now: number;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly policy: Policy;
}

/** Changes `state`, which is the step's own copy; effects are appended to `out` in the order they are to happen. */
export type Handler<S, I, E> = (state: S, input: I, context: Context, out: E[]) => void;

/** One cell of a transition table: what is done, and every state it may lead to. */
export interface Transition<S, I, E, P extends string> {
  readonly does: Handler<S, I, E>;
  readonly to: readonly P[];
}

/** Opaque to the machines: whoever waits for the result. */
export type Op = object | null;

/** Effects of both machines; each has its own besides. */
export type SharedEffect =
  /** Ask for a slot; many may wait, ordered by deadline. */
  | { readonly kind: 'queue'; readonly deadline: number }
  | { readonly kind: 'settle'; readonly op: Op; readonly result: PuaResult }
  /** For the callbacks of the source. */
  | { readonly kind: 'report'; readonly cause: Cause; readonly reply: Reply }
  | { readonly kind: 'emit'; readonly event: RecordEvent }
  | { readonly kind: 'persist' };

/** What a record tells besides answers; `without-...` is what a peer owes us by its RFC. */
export type RecordEvent =
  | 'expired'
  | 'lost'
  | 'lapsed'
  | 'terminated'
  | 'document-needed'
  /** 2xx to a PUBLISH without SIP-ETag (RFC 3903 6): published anew when the refresh is due. */
  | 'without-etag'
  /** No NOTIFY within 64*T1 (RFC 6665 4.1.2.4). */
  | 'without-notify'
  /** NOTIFY without Subscription-State (RFC 6665 8.2.3): taken as active. */
  | 'without-state';

export function settle(out: { push(effect: SharedEffect): unknown }, op: Op, result: PuaResult): void {
  if (op) out.push({ kind: 'settle', op, result });
}
