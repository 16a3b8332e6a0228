/** What a failed request means for time: the part of the response policy that both machines share. */
import type { Context } from '../machine.js';
import type { Answer } from './answer.js';
import { honoursRetryAfter, type ResponseRow, responseRow } from './responses.js';
import { backoffDelay, credentialsDelay, longDelay, pendingDelay, retryAfterMs } from './timing.js';

export interface Verdict {
  readonly row: ResponseRow;
  /** Next try, monotonic ms. */
  readonly retryAt: number;
  /** Hard limit: nothing goes out for the record before it, whoever asks (Retry-After); 0 = none. */
  readonly notBefore: number;
  /** Delay of the back-off, to be handed in again next time. */
  readonly delay: number;
}

export const rowOf = (answer: Answer): ResponseRow =>
  answer.kind === 'response' ? responseRow(answer.status) : 'unavailable';

/** Time before which nothing may go out for the record: its Retry-After, or every route is closed; 0 = none. */
export function notBeforeOf(answer: Answer, { now, policy }: Context): number {
  const barred = answer.barredUntil > now ? answer.barredUntil : 0;
  if (answer.kind !== 'response' || answer.retryAfter === undefined || !honoursRetryAfter(answer.status)) return barred;
  return Math.max(barred, now + retryAfterMs(policy, answer.retryAfter));
}

/**
 * The next try at `at`, or after `notBefore`: many records may have been sent away with the same time, so they come back
 * one after the other, over the delay they had or a tenth of the wait.
 */
export function spreadAfter(notBefore: number, at: number, delay: number, { now, random }: Context): number {
  return notBefore > now && notBefore >= at ? notBefore + Math.max(delay, (notBefore - now) / 10) * random() : at;
}

export function judge(answer: Answer, previousDelay: number, context: Context): Verdict {
  const { now, random, policy } = context;
  const row = rowOf(answer);
  let delay = previousDelay;
  let retryAt: number;
  switch (row) {
    case 'unauthorized':
      retryAt = now + credentialsDelay(random());
      break;
    case 'pending':
      retryAt = now + pendingDelay(random());
      break;
    case 'refused':
    case 'no-dialog':
    case 'brief':
      retryAt = now + longDelay(policy, random());
      break;
    default:
      delay = backoffDelay(policy, previousDelay, random());
      retryAt = now + delay;
  }
  const notBefore = notBeforeOf(answer, context);
  // The server named a time: it replaces the long retry, and only lengthens a back-off (0 s is no invitation to a loop).
  if (row === 'refused' && notBefore > 0) {
    delay = backoffDelay(policy, previousDelay, random());
    retryAt = now + delay;
  }
  return { row, retryAt: spreadAfter(notBefore, retryAt, delay, context), notBefore, delay };
}
