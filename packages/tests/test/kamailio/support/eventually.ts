import { setTimeout as pause } from 'node:timers/promises';

const POLL_MS = 20;

/**
 * Looks until there is something to see: for what a peer does without telling us.
 * @throws Error with what was seen last when nothing comes within `ms`
 */
export async function eventually<T>(
  what: string,
  look: () => Promise<T> | T,
  fits: (seen: T) => boolean,
  ms = 10_000,
): Promise<T> {
  const deadline = performance.now() + ms;
  for (;;) {
    const seen = await look();
    if (fits(seen)) return seen;
    if (performance.now() > deadline) throw new Error(`not within ${ms} ms: ${what}; seen: ${JSON.stringify(seen)}`);
    await pause(POLL_MS);
  }
}
