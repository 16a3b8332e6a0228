/** What the program of the soak and its test have in common. */

export interface Load {
  readonly seed: number;
  readonly records: number;
  readonly days: number;
  /** Asked for and granted, seconds. */
  readonly lifetime: number;
}

/** Figures that have to be what they were before the first record, once all records have ended. */
export interface Counters {
  readonly records: number;
  /** Of pua.list(). */
  readonly listed: number;
  readonly states: Readonly<Record<string, number>>;
  readonly inFlight: number;
  readonly queued: number;
  readonly scheduled: number;
  readonly dialogs: number;
  readonly atHops: number;
  readonly transactions: number;
  readonly unanswered: number;
  readonly timers: number;
  readonly rows: number;
  readonly unwritten: number;
}

export interface Facts {
  readonly load: Load;
  /** What owners and fate did, by kind. */
  readonly deeds: Readonly<Record<string, number>>;
  readonly faults: Readonly<Record<string, number>>;
  /** Requests by method and outcome, over all processes. */
  readonly requests: Readonly<Record<string, number>>;
  /** Invariants broken on the wire, and where the servers, in the end, did not hold just what was wanted, once. */
  readonly violations: readonly string[];
  readonly differences: readonly string[];
  readonly before: Counters;
  readonly after: Counters;
  /** A publication and a subscription after it all were accepted. */
  readonly open: boolean;
  /** Bytes of the heap in use with all records, after an hour and after every six. */
  readonly heap: readonly number[];
  readonly seconds: number;
}
