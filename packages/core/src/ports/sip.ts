/**
 * The port to the wire. An engine sends one transaction and delivers one request; dialogs, credentials, routes and
 * retries are data of core, so that recovery after a restart is the ordinary path and every engine behaves alike.
 */
import type { Clock, Random } from './runtime.js';

export type Transport = 'udp' | 'tcp' | 'tls' | 'ws' | 'wss';

/** One address to send to: what RFC 3263 makes of a SIP URI. */
export interface Hop {
  readonly transport: Transport;
  /** IP address; an IPv6 address without brackets. */
  readonly host: string;
  readonly port: number;
  /** Domain that was asked for, checked against the certificate (RFC 5922). */
  readonly serverName?: string;
}

/** Header lines in their order, names as they go out. Values carry neither CR nor LF. */
export type Headers = readonly (readonly [name: string, value: string])[];

/** Read access to received header fields; names are matched without case and in their compact form too. */
export interface HeaderView {
  /** The first field of that name, unfolded and trimmed; undefined when there is none. */
  get(name: string): string | undefined;
  /** Every field of that name in order, one entry per line (a line may hold a comma separated list). */
  all(name: string): readonly string[];
}

export interface Body {
  readonly type: string;
  readonly content: string | Uint8Array;
}

/** A received body: `text()` decodes UTF-8 when asked. */
export interface ReceivedBody {
  readonly type: string;
  readonly bytes: Uint8Array;
  text(): string;
}

/** One client transaction. The engine adds Via, Max-Forwards: 70, Content-Length and User-Agent. */
export interface OutgoingRequest {
  readonly method: string;
  /** Request-URI, passed on byte for byte. */
  readonly uri: string;
  readonly callId: string;
  readonly cseq: number;
  readonly from: { readonly uri: string; readonly tag: string };
  readonly to: { readonly uri: string; readonly tag?: string };
  /** Route set, each entry a name-addr (`<sip:proxy;lr>`), in order. */
  readonly routes: readonly string[];
  /** Contact URI, without angle brackets. */
  readonly contact?: string;
  readonly headers: Headers;
  readonly body?: Body;
  /** Where it goes; one of those resolve() gave. */
  readonly hop: Hop;
  /** Opaque, from the last 2xx in this dialog: what its NOTIFYs depend on (see onUnbound). */
  readonly binding?: string;
  /** Deadline of the whole transaction in milliseconds; default 64*T1 (timer F). */
  readonly timeoutMs?: number;
}

export type Outcome =
  | {
      readonly kind: 'response';
      /** Final status, 200..699. */
      readonly status: number;
      readonly reason: string;
      readonly headers: HeaderView;
      readonly body?: ReceivedBody;
      /** CSeq that was really sent. */
      readonly cseq: number;
      /**
       * Of a 2xx to SUBSCRIBE: kept with the dialog, handed in again with its next request. null: the dialog was refreshed,
       * but its NOTIFYs go nowhere.
       */
      readonly binding?: string | null;
    }
  | { readonly kind: 'timeout'; readonly cseq: number }
  /** `sent` false: nothing reached the wire, so another hop may be tried without a risk of a double. */
  | { readonly kind: 'unreachable'; readonly cause: Error; readonly sent: boolean }
  | { readonly kind: 'tooLarge'; readonly limit: number };

export interface IncomingRequest {
  readonly method: string;
  readonly uri: string;
  readonly headers: HeaderView;
  readonly body?: ReceivedBody;
  /** Where it came from. */
  readonly source: Hop;
  /** To tag that every answer to this request carries; undefined where the engine learns it only from its own answer. */
  readonly toTag?: string;
  /**
   * Final answer; the first call counts, later ones are ignored. The engine answers 500 when the handler throws or
   * is silent for 10 s, and repeats the answer for retransmissions. `reason` defaults to the RFC's phrase.
   */
  reply(status: number, headers?: Headers, reason?: string): void;
  /** Not ours. Embedded engine: 481 with a To tag, else 405; drachtio: next(). */
  pass(): void;
}

export interface SipPort {
  /** Time base of the engine's own timers; core schedules on the same one. */
  readonly clock: Clock;
  readonly random: Random;
  /** Largest message the engine can send, in bytes. */
  readonly maxMessageBytes: number;
  start(onRequest: (request: IncomingRequest) => void): Promise<void>;
  /** Waits at most `graceMs` for running transactions, then ends them as unreachable. */
  stop(graceMs: number): Promise<void>;
  /**
   * RFC 3263: the hops of a SIP URI in order of preference. Known answers (IP literals, cached names) come at once,
   * others as a promise; an empty list means that the name leads nowhere. Throws/rejects only for a URI it can't read.
   */
  resolve(uri: string): readonly Hop[] | Promise<readonly Hop[]>;
  /** Contact URI under which answers and NOTIFYs reach us over the socket that serves `hop`. */
  contact(user: string, hop: Hop): string;
  /** Would contact() give this URI today, but for its user part? False for one of another run or another host. */
  isOwnContact(uri: string): boolean;
  /**
   * Sends one request. `done` is called exactly once, never before request() has returned, and in the order in which
   * things came off the wire, also relative to onRequest: a NOTIFY that overtook the 2xx is seen first. Throws
   * PuaError `PUA_ERR_INVALID_MESSAGE`, before anything is sent, for a header or URI with CR, LF or NUL.
   */
  request(request: OutgoingRequest, done: (outcome: Outcome) => void): void;
  /** Dialogs with this binding get no more NOTIFYs: they are replaced. An engine without bindings never calls it. */
  onUnbound(listener: (binding: string) => void): void;
}
