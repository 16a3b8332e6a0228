/**
 * The cut between transactions and the wire. A carrier takes whole messages to peers: a UDP socket serves any number of
 * them, a connection of a stream transport exactly one. The transaction layer asks nothing else of a transport.
 */
import type { Hop, Transport } from '@pua/core';

/** Who sends a message, and hears when it can't reach its peer. */
export interface Sender {
  /** False when nobody waits for it any more: it need not leave. */
  readonly wanted: boolean;
  /** Whether it wants to hear when the connection is lost after the message has left. */
  readonly awaitsAnswer: boolean;
  /** At most once per message, never before send() has returned. `sent`: bytes may have reached the wire. */
  failed(cause: Error, sent: boolean): void;
}

/** How requests over a carrier say where answers go. */
export interface LocalVia {
  /** `host:port` as the peer can reach it. */
  readonly sentBy: string;
  /** The Via field up to the branch: `SIP/2.0/UDP host:port;branch=`. */
  readonly start: string;
}

export interface Carrier {
  readonly transport: Transport;
  /** Whether it retransmits by itself: no timers E and K, no kept answers. */
  readonly reliable: boolean;
  readonly maxMessageBytes: number;
  /** What goes into the Via of a request to that host. */
  via(peer: string): LocalVia;
  /** A connection has its peer; host and port are where an answer goes when that connection is gone. */
  send(message: Uint8Array, host: string, port: number, sender: Sender): void;
  /**
   * The sender awaits no answer any more: nothing is of interest that happens to its message. Returns whether that may
   * have left.
   */
  release(sender: Sender): boolean;
  /** A request was not answered in time. */
  unanswered(): void;
}

/** One whole message; answers go by the carrier it came from. */
export type Receive = (message: Buffer, host: string, port: number, carrier: Carrier) => void;

/** The carriers of the hops: what is bound, and which of them a request takes. */
export interface Carriers {
  readonly addresses: readonly Hop[];
  /** The carrier for a hop, or why there is none. A connection is opened when there is none yet. */
  toward(hop: Hop): Carrier | Error;
  /** The connection that takes what is too large for a datagram (RFC 3261 18.1.1). */
  insteadOfDatagrams(hop: Hop): Carrier | Error;
  /** What a Contact URI for requests to that hop has behind the @; undefined when nothing is bound. */
  contact(hop: Hop): string | undefined;
  /** Whether contact() of that transport gives this address to some hop. */
  isOwn(transport: string, host: string, port: number): boolean;
  /** @throws PuaError `PUA_ERR_LISTEN` */
  open(receive: Receive): Promise<void>;
  close(): Promise<void>;
}
