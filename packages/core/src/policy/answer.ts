/** What a machine is told of its request: the end of the first pass over all routes. */

export type Answer = ResponseAnswer | UnreachableAnswer;

export interface ResponseAnswer {
  readonly kind: 'response';
  readonly status: number;
  readonly reason: string;
  /** SIP-ETag; empty when absent. */
  readonly etag: string;
  /** Expires, seconds; undefined when absent or not a number. */
  readonly expires: number | undefined;
  /** Min-Expires, seconds. */
  readonly minExpires: number | undefined;
  /** Retry-After, seconds. */
  readonly retryAfter: number | undefined;
  /** Monotonic time before which every route is barred (503 with Retry-After); 0 = none is. */
  readonly barredUntil: number;
  /** CSeq that was really sent. */
  readonly cseq: number;
  /** Dialog, for SUBSCRIBE: To tag, Contact URI, Record-Route as received (top first). */
  readonly toTag: string;
  readonly contact: string;
  readonly recordRoute: readonly string[];
  /** What the dialog's NOTIFYs depend on in the engine; empty: nothing; null: they go nowhere. */
  readonly binding: string | null;
}

export interface UnreachableAnswer {
  readonly kind: 'unreachable';
  readonly cause: string;
  /** A request may have arrived although nobody answered. */
  readonly sent: boolean;
  readonly barredUntil: number;
  readonly cseq: number;
}
