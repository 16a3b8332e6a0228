/** One operation of a record on its way over the next hops, from its turn at the gate to the answer of its machine. */
import type { Outcome } from '../ports/sip.js';
import type { Draft, Job } from './job.js';
import type { Redirects } from './redirects.js';
import type { NextHop } from './routes.js';

export class Pass {
  priority: number;
  /** Hops to choose from: the record's own, or those of a redirect target. */
  hops: readonly NextHop[];
  /** Names of those that were used. */
  tried: readonly string[] = [];
  hop: NextHop | null = null;
  /** The request; null until a hop has room for it. */
  draft: Draft | null = null;
  /** The last one that may have been seen by somebody. */
  cseq = 0;
  /** One of the hops may have got it without a word. */
  sent = false;
  /** What the last hop made of it, when it goes on at another one. */
  outcome: Outcome | null = null;
  /** Challenges answered so far, and the realms. */
  challenges = 0;
  realms: Set<string> | undefined = undefined;
  redirects: Redirects | undefined = undefined;
  /** It goes to where a redirect has sent it. */
  redirected = false;

  constructor(
    readonly job: Job,
    /** The record's own next hops. */
    readonly home: readonly NextHop[],
  ) {
    this.priority = job.priority;
    this.hops = home;
  }
}
