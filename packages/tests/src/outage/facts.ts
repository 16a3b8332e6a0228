/** What the program of the large outage and its test have in common. */

export const CEILING = { perSecond: 2_000, inFlight: 500 };
/** Lifetime that the server grants, seconds. */
export const GRANT = 1_800;
export const OUTAGE_MS = 600_000;
/** A hop that was silent is tried again after 30 s at the latest, a record after its back-off (120 s) more. */
export const RETURN_MS = 30_000 + 120_000;

/** How long so many requests take under the ceiling, of which 95 % are used. */
export const pacedMs = (requests: number, perSecond = CEILING.perSecond): number => (requests / perSecond) * 1100;

export interface Facts {
  readonly published: number;
  readonly publishedMs: number;
  readonly answeredWhileAway: number;
  /** New requests in the last three minutes of the outage. */
  readonly sentAtLast: number;
  /** Publications that the server has forgotten by then. */
  readonly lapsed: number;
  readonly recovered: boolean;
  readonly recoveredMs: number;
  readonly wanted: number;
  /** Where the server does not hold just the newest documents, once. */
  readonly differences: readonly string[];
  /** Requests in any second of the whole run: new ones; and all datagrams. */
  readonly peak: number;
  readonly peakWithRepetitions: number;
  readonly repetitions: number;
  readonly most: {
    readonly queued: number;
    readonly inFlight: number;
    readonly scheduled: number;
    readonly transactions: number;
  };
  readonly left: { readonly inFlight: number; readonly queued: number; readonly timers: number };
  /** Bytes in use: all published, end of the outage, all recovered. */
  readonly heap: { readonly before: number; readonly during: number; readonly after: number };
  readonly cpuMs: number;
}
