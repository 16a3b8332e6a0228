/** After a stop that was not clean. */
import type { Statements } from './session.js';

/** RFC 3261 8.1.1.5: a CSeq stays below 2^31. */
const CSEQ_MOST = 2 ** 31 - 1;
const CSEQ_RAISE = 1000;

/**
 * Requests that left after the last write used CSeqs that are not on disk (RFC 3261 12.2.1.1: they must rise).
 * @param table quoted
 */
export async function raiseCseqs(on: Statements, table: string): Promise<void> {
  await on.run(
    `update ${table} set cseq = case when cseq > ? then ? else cseq + ? end where watcher_uri <> '' and call_id <> ''`,
    [CSEQ_MOST - CSEQ_RAISE, CSEQ_MOST, CSEQ_RAISE],
  );
}
