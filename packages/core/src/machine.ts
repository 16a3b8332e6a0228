/** What both machines share: the shape of a table and of a step. */
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
