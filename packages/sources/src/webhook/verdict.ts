/** What becomes of an event, and the answer that counts it. */
import type { HttpAnswer } from '@pua/core';

/** `duplicate`: it has been told before; `stale`: it is older than what has been told. */
export type Verdict = 'accepted' | 'duplicate' | 'stale';

export function counted(verdicts: readonly Verdict[]): HttpAnswer {
  const count = (of: Verdict) => verdicts.filter((verdict) => verdict === of).length;
  return {
    status: 200,
    body: { accepted: count('accepted'), duplicates: count('duplicate'), stale: count('stale') },
  };
}

/** By the numbers that a sender gives; undefined: they don't tell. */
export function bySequence(given: number | undefined, last: number | undefined): Verdict | undefined {
  if (given === undefined || last === undefined || given > last) return undefined;
  return given === last ? 'duplicate' : 'stale';
}
