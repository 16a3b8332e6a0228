/**
 * The cut between transactions and the wire. A carrier takes whole messages to peers: a UDP socket serves any number of
 * them, a connection of a stream transport exactly one. The transaction layer asks nothing else of a transport.
 */
import type { Hop, Transport } from '@pua/core';

/** `sent` tells whether bytes may have reached the wire before it failed. */
export type SendFailed = (error: Error, sent: boolean) => void;

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
  /** `failed` is called at most once, never before send() has returned. */
  send(message: Uint8Array, host: string, port: number, failed: SendFailed): void;
}

/** One whole message; answers go by the carrier it came from. */
export type Receive = (message: Buffer, host: string, port: number, carrier: Carrier) => void;

/** The carriers of the hops: what is bound, and which of them a request takes. */
export interface Carriers {
  readonly addresses: readonly Hop[];
  /** The carrier for a hop, or why there is none. */
  toward(hop: Hop): Carrier | Error;
  /** Whether via() of a carrier of that transport gives this address to some peer. */
  isOwn(transport: string, host: string, port: number): boolean;
  /** @throws PuaError `PUA_ERR_LISTEN` */
  open(receive: Receive): Promise<void>;
  close(): Promise<void>;
}
