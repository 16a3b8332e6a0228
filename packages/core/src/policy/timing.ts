/** When things are tried again. Pure: chance comes in as a number in [0, 1). */
import type { Policy } from './policy.js';

/**
 * Milliseconds from a 2xx to the refresh: 75..90 % of the granted lifetime, so that a million records never burst.
 * If that leaves less than 32 s (one transaction), 32 s before the end, but not before half of it.
 */
export function refreshDelay(grantedMs: number, u: number): number {
  const spread = grantedMs * (0.75 + 0.15 * u);
  const delay = grantedMs - spread < 32_000 ? Math.max(grantedMs / 2, grantedMs - 32_000) : spread;
  return Math.max(delay, 1_000);
}

/** Back-off with decorrelated jitter: uniform between the base and three times the delay before it. */
export function backoffDelay(policy: Policy, previous: number, u: number): number {
  const top = Math.min(policy.backoffCap, Math.max(previous * 3, policy.backoffBase * 2));
  return policy.backoffBase + u * (top - policy.backoffBase);
}

/** No or wrong credentials: 60..120 s. */
export const credentialsDelay = (u: number): number => 60_000 + u * 60_000;

/** 491: 0..10 s. */
export const pendingDelay = (u: number): number => u * 10_000;

/** A long retry is spread over a tenth of it, so that records refused together do not come back together. */
export const longDelay = (policy: Policy, u: number): number => policy.longRetry * (1 + 0.1 * u);

/** Milliseconds of a Retry-After in seconds, capped. */
export const retryAfterMs = (policy: Policy, seconds: number): number => Math.min(seconds * 1000, policy.retryAfterCap);
