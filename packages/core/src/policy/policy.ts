/** Numbers of the response policy; every one can be set. Milliseconds unless the name says seconds. */
export interface Policy {
  /** Lifetime when none is given, seconds (`default_expires`). */
  readonly defaultExpires: number;
  /** Non-zero lifetimes are raised to it, seconds (`min_expires`). */
  readonly minExpires: number;
  /** A Min-Expires above it is not accepted, seconds. */
  readonly maxMinExpires: number;
  readonly t1: number;
  /** Back-off with decorrelated jitter starts here ... */
  readonly backoffBase: number;
  /** ... and never exceeds this. */
  readonly backoffCap: number;
  /** 403, 404, 410, 603 ... */
  readonly longRetry: number;
  /** Cap of Retry-After. */
  readonly retryAfterCap: number;
  /** Consecutive 412s that are repaired at once by a full PUBLISH; the next one backs off. */
  readonly maxLosses: number;
  /** Consecutive 423s that are retried at once. */
  readonly maxBriefs: number;
  /**
   * A refresh without NOTIFY within 64*T1 ends the dialog, as RFC 6665 4.1.2.2 wants it. Many notifiers send none, so
   * the default is a warning.
   */
  readonly strictTimerN: boolean;
}

export const DEFAULT_POLICY: Policy = {
  defaultExpires: 3600,
  minExpires: 0,
  maxMinExpires: 86_400,
  t1: 500,
  backoffBase: 1_000,
  backoffCap: 120_000,
  longRetry: 3_600_000,
  retryAfterCap: 3_600_000,
  maxLosses: 1,
  maxBriefs: 3,
  strictTimerN: false,
};
