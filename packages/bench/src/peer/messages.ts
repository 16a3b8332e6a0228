/** Between the client of a row and the process that answers it. */

/** `static`: always the same bytes, without a look at what came. `sip`: 200 with a new entity-tag. */
export type AnswerMode = 'static' | 'sip';

/** Sent once the socket is bound, and in answer to each message of the parent. */
export interface ServerReport {
  readonly port: number;
  /** CPU time of the process so far, microseconds. */
  readonly cpu: number;
}
