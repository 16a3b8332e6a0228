import type { Clock, Random } from '@pua/core';
import type { NameService } from './resolve/names.js';
import type { BindDatagram } from './transport/datagram.js';
import type { SipTlsOptions } from './transport/tls.js';

export interface EmbeddedSipOptions {
  /** `udp:127.0.0.1:5060`, `tcp:[::1]:0`, also tls, ws, wss; port 0 takes a free one. */
  readonly listen: readonly string[];
  /** `host` or `host:port` for Via sent-by and Contact when peers see us under another address (NAT, cloud). */
  readonly advertise?: string | null;
  /** Certificates for `tls` and `wss`; verification is always on. */
  readonly tls?: SipTlsOptions;
  /** Value of User-Agent in requests and Server in answers; none by default. */
  readonly userAgent?: string;
  /** Default: systemClock. */
  readonly clock?: Clock;
  /** Default: systemRandom. */
  readonly random?: Random;
  /**
   * Binds a UDP socket; default: node:dgram. A simulated network gives its own; then nothing goes by another transport
   * unless `listen` names one.
   */
  readonly bindDatagram?: BindDatagram;
  /** Looks host names up; default: the name servers of the system, then its hosts file. */
  readonly names?: NameService;
  /**
   * Requests with more bytes go by TCP when the hop is UDP and TCP works there (RFC 3261 18.1.1); default 1300,
   * Infinity: never.
   */
  readonly udpMtu?: number;
  /** Most connections that are accepted, and most that are opened; beyond, they are refused. Default 10 000. */
  readonly maxConnections?: number;
  /**
   * Web pages that may connect to `ws` and `wss`, such as `https://phone.example.com`; `*`: all. Default none. Peers that
   * are no browsers don't say where they are from and may connect.
   */
  readonly webSocketOrigins?: readonly string[];
  /** RFC 3261 T1 in milliseconds; default 500. */
  readonly t1?: number;
  /** RFC 3261 T2 in milliseconds; default 4000. */
  readonly t2?: number;
  /** RFC 3261 T4 in milliseconds; default 5000. */
  readonly t4?: number;
  /** Methods for Allow in answers to OPTIONS and in 405; default OPTIONS and NOTIFY. */
  readonly allow?: () => readonly string[];
  /** Body types for Accept in answers to OPTIONS; default: any. */
  readonly accept?: () => readonly string[];
  /** Event packages for Allow-Events in answers to OPTIONS; default none. */
  readonly allowEvents?: () => readonly string[];
  /** Extensions (option tags) that handlers know. A request that requires another one gets 420. Default none. */
  readonly supported?: () => readonly string[];
  /** Most received requests that wait for their answer; beyond, new ones get 503 with Retry-After. Default 100 000. */
  readonly maxServerTransactions?: number;
  /**
   * Most answers kept for retransmissions of their request, 128 MiB of them; beyond, the oldest is forgotten before its
   * 64*T1.
   * Default 100 000.
   */
  readonly maxKeptAnswers?: number;
}
