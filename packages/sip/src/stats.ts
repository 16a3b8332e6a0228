/** Counters of the engine; those under `alive` return to zero when nothing is going on. */

export interface SipStats {
  /** Client transactions that wait for a final answer. */
  readonly clientTransactions: number;
  /** Server transactions: unanswered ones and those that keep their answer for retransmissions. */
  readonly serverTransactions: number;
  /** Of these, the ones whose handler has not answered yet. */
  readonly unanswered: number;
  /** Messages since the start, retransmissions included. */
  readonly sent: number;
  readonly received: number;
  /** Requests sent again by timer E, and answers sent again because their request came again. */
  readonly retransmitted: { readonly requests: number; readonly responses: number };
  readonly connections: ConnectionStats;
  readonly dropped: Readonly<DropCounts>;
  /** Requests refused without a look by the handler: 400 and 505; 503. */
  readonly refused: Readonly<RefuseCounts>;
}

export interface ConnectionCounts {
  /** Closed at once, because there were too many. */
  refused: number;
  /** Closed by a fault of the peer: no SIP, too large, too slow, a handshake that failed. */
  broken: number;
}

export interface ConnectionStats extends Readonly<ConnectionCounts> {
  /** Alive, opened by us; those that are being opened included. */
  readonly opened: number;
  /** Alive, accepted. */
  readonly accepted: number;
}

export interface DropCounts {
  /** Not SIP, or a response that can't be read. */
  malformed: number;
  /** Empty datagrams, line ends and STUN: keep-alives. */
  keepAlive: number;
  /** A response to a transaction that has its final answer (timer K). */
  late: number;
  /** A response to a transaction that was never ours. */
  stray: number;
  /** ACKs of refused INVITEs. */
  ack: number;
  /** Requests that came again before their answer was known. */
  repeated: number;
  /** Answers that could not be sent. */
  unsent: number;
}

export interface RefuseCounts {
  malformed: number;
  overload: number;
}

export class Counters {
  sent = 0;
  received = 0;
  requests = 0;
  responses = 0;
  readonly dropped: DropCounts = { malformed: 0, keepAlive: 0, late: 0, stray: 0, ack: 0, repeated: 0, unsent: 0 };
  readonly connections: ConnectionCounts = { refused: 0, broken: 0 };
  readonly refused: RefuseCounts = { malformed: 0, overload: 0 };
}
