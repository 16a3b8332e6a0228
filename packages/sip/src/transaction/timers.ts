/** RFC 3261 17.1.1.1, table 4: milliseconds. */
export interface Timers {
  /** Round-trip time estimate. */
  readonly t1: number;
  /** Longest interval between retransmissions. */
  readonly t2: number;
  /** Longest time a message stays in the network. */
  readonly t4: number;
}

/** A handler that is silent for so long has its request answered with 500. */
export const SILENT_MS = 10_000;
