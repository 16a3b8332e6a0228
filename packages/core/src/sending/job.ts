/** What a record shows the sender. */
import type { Answer } from '../policy/answer.js';
import type { Hop, OutgoingRequest } from '../ports/sip.js';

/** A request without its hop and credentials. */
export type Draft = Omit<OutgoingRequest, 'hop' | 'timeoutMs'>;

export interface Job {
  /** Request-URI that must not be used twice at once; empty: no such rule. */
  readonly gateKey: string;
  /** Monotonic ms by which it should be sent. */
  readonly priority: number;
  /** Monotonic ms after which the server no longer holds what the request would keep alive. */
  readonly until: number;
  /** Name of the hop that has what the request is about; empty: any will do. It comes first while it is open. */
  readonly heldAt: string;
  /** URIs that lead to the next hop, in order of preference. */
  routes(): readonly string[];
  /** There is a slot: the request as it is to go out now, or null when there is nothing to send any more. */
  draft(hop: Hop): Draft | null;
  /** The request goes on at another hop. */
  redraft(draft: Draft, hop: Hop): Draft;
  /** End of the pass over all routes, or no route was open. Follows every ask() that did not end with a null draft. `hop`: name of the last one; empty: none was used. */
  answered(answer: Answer, hop: string): void;
}
