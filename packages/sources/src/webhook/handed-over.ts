/** Waiting until events are handed over, as long as somebody waits for the answer. */
import { Refused } from './entries/read.js';

/** @throws Refused 503 when the signal ends the wait; what has been queued is handed over all the same */
export async function handedOver(events: readonly Promise<unknown>[], signal: AbortSignal | undefined): Promise<void> {
  let onAbort: (() => void) | undefined;
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(new Refused(503, 'it is being stopped; send the request again after the next start'));
    if (signal?.aborted) onAbort();
    else signal?.addEventListener('abort', onAbort);
  });
  try {
    await Promise.race([Promise.all(events), aborted]);
  } finally {
    signal?.removeEventListener('abort', onAbort!);
  }
}
