/** What becomes of an event, and the answer that counts it. */
import type { HttpAnswer } from '@pua/core';

/** `duplicate`: it has been told before; `stale`: it is older than what has been told. */
export type Verdict = 'accepted' | 'duplicate' | 'stale';

export interface Judged<E> {
  readonly verdict: Verdict;
  /** To be told; a repeated snapshot of a call is told as a sign of life. */
  readonly event?: E;
}

/** All of one request; resolves `handing` when the listeners are done. */
export function judgeAll<T, E>(
  entries: readonly T[],
  judge: (entry: T) => Judged<E>,
  tell: (event: E) => Promise<void>,
): { readonly verdicts: readonly Verdict[]; readonly handing: readonly Promise<void>[] } {
  const judged = entries.map((entry) => {
    const { verdict, event } = judge(entry);
    return { verdict, told: event && tell(event) };
  });
  return {
    verdicts: judged.map(({ verdict }) => verdict),
    handing: judged.flatMap(({ told }) => told ?? []),
  };
}

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
