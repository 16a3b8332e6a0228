/**
 * Watches every datagram that a PUA sends and receives and holds it against the invariants that can be seen on the wire.
 * What it remembers grows with the number of records, not with the traffic.
 */
import type { Clock, OutgoingRequest, SipPort } from '@pua/core';
import { type ParsedRequest, type ParsedResponse, parseMessage } from '@pua/sip';

export interface WireLimits {
  /** Retry-After counts up to this, milliseconds. */
  readonly retryAfterCap: number;
  /** A Min-Expires above it need not be met, seconds. */
  readonly maxMinExpires: number;
}

export interface WireOptions {
  /** More than one publication per Request-URI: they can't be told apart on the wire, what is one record's is not checked. */
  readonly etagsByUri?: boolean;
  readonly limits?: WireLimits;
  /** Requests that are kept. Default 10000. */
  readonly logLimit?: number;
}

/** A request; retransmissions are not counted. */
export interface SentRequest {
  readonly at: number;
  /** `host:port` */
  readonly to: string;
  readonly method: string;
  readonly uri: string;
  readonly ifMatch: string | undefined;
  readonly expires: number;
  readonly body: string;
  readonly cseq: number;
  readonly callId: string;
}

/** What a row of the table says about these; see restarted(). */
export interface KnownRow {
  readonly watcher_uri: string;
  readonly pres_uri: string;
  readonly etag: string;
  readonly min_expires: number;
  /** Seconds since 1970. */
  readonly not_before: number;
}

interface Flight {
  readonly branch: string;
  readonly to: string;
  readonly expires: number;
  readonly body: string;
}

interface Dialog {
  readonly callId: string;
  readonly fromTag: string;
  cseq: number;
  epoch: number;
  notifyCseq: number;
}

/** What is known of one record: a publication by its Request-URI, a subscription by its To. */
class Seen {
  flight: Flight | undefined;
  /** Last entity-tag that a 2xx brought; undefined: none, or forgotten with a kill. */
  etag: string | undefined;
  /** Document that the entity-tag stands for. */
  held = '';
  tuple: string | undefined;
  dialog: Dialog | undefined;
  barredUntil = 0;
  minExpires = 0;
  /** A NOTIFY that ends the dialog and names a time: it counts when we answer it with 200. */
  notice: { readonly cseq: number; readonly until: number } | undefined;
}

const VIOLATIONS_KEPT = 100;
/** Reasons after which the retry-after of a NOTIFY says nothing (RFC 6665 4.1.3). */
const AT_ONCE_OR_NEVER = new Set(['deactivated', 'timeout', 'rejected', 'noresource', 'invariant', 'badfilter']);
/** 503 concerns the route. */
const FOR_THE_RECORD = new Set([404, 413, 480, 486, 500, 600, 603]);

const tagOf = (value: string) => /;\s*tag=([^;]+)/.exec(value)?.[1] ?? '';
const uriOf = (value: string) => /<([^>]*)>/.exec(value)?.[1] ?? '';
const branchOf = (message: ParsedRequest | ParsedResponse) =>
  /branch=([^;,\s]+)/.exec(message.headers.get('Via') ?? '')?.[1] ?? '';

/** The engine, telling the monitor of requests that it has given up. */
export function observed<T extends SipPort>(sip: T, over: (request: OutgoingRequest) => void): T {
  const request: SipPort['request'] = (outgoing, done) =>
    sip.request(outgoing, (outcome) => {
      if (outcome.kind !== 'response') over(outgoing);
      done(outcome);
    });
  return new Proxy(sip, {
    get: (target, name) => {
      const value = name === 'request' ? request : Reflect.get(target, name, target);
      return typeof value === 'function' && name !== 'request' ? value.bind(target) : value;
    },
  });
}

export class WireMonitor {
  readonly violations: string[] = [];
  /** The newest ones, at least half of `logLimit`. */
  readonly requests: SentRequest[] = [];
  /** Rises with every start of the PUA. */
  epoch = 0;
  readonly #etagsByUri: boolean;
  readonly #limits: WireLimits;
  readonly #logLimit: number;
  readonly #records = new Map<string, Seen>();
  /** `host:port` -> time before which nothing new may go there. */
  readonly #barred = new Map<string, number>();

  constructor(
    readonly clock: Clock,
    {
      etagsByUri = true,
      limits = { retryAfterCap: 3_600_000, maxMinExpires: 86_400 },
      logLimit = 10_000,
    }: WireOptions = {},
  ) {
    this.#logLimit = logLimit;
    this.#etagsByUri = etagsByUri;
    this.#limits = limits;
  }

  // -------------------------------------------------------------------------------------------------- what we send

  sent(data: Uint8Array, to = ''): void {
    const message = parseMessage(data);
    if (message.kind === 'request') this.#request(message, to);
    else if (message.kind === 'response') this.#answered(message);
  }

  #request(message: ParsedRequest, to: string): void {
    const { headers, method, uri } = message;
    const record = this.#record(method, headers.get('To') ?? '');
    const branch = branchOf(message);
    if (record.flight?.branch === branch) return;
    const at = this.clock.now();
    const request: SentRequest = {
      at,
      to,
      method,
      uri,
      ifMatch: headers.get('SIP-If-Match'),
      expires: Number(headers.get('Expires')),
      body: message.body?.text() ?? '',
      cseq: Number.parseInt(headers.get('CSeq')!, 10),
      callId: headers.get('Call-ID')!,
    };
    this.requests.push(request);
    if (this.requests.length > this.#logLimit) this.requests.splice(0, Math.ceil(this.#logLimit / 2) || 1);

    // 1: one PUBLISH per Request-URI, one SUBSCRIBE per subscription.
    if (record.flight) this.#found(`1: two requests in flight: ${method} ${uri}`);
    this.#patient(record, request);
    if (method === 'PUBLISH') this.#publish(record, request);
    else if (method === 'SUBSCRIBE') this.#subscribe(record, request, tagOf(headers.get('From')!));
    const { expires, body } = request;
    record.flight = { branch, to, expires, body };
  }

  /** 3: nothing before its Retry-After, to that route or for that record; no lifetime that is known to be too brief. */
  #patient(record: Seen, { at, to, method, uri, expires }: SentRequest): void {
    const route = this.#barred.get(to) ?? 0;
    if (at < route) this.#found(`3: ${method} ${uri} goes to ${to} ${route - at} ms before its Retry-After`);
    if (!this.#etagsByUri) return;
    const early = record.barredUntil - at;
    if (early > 0) this.#found(`3: ${method} ${uri} goes out ${early} ms before its Retry-After`);
    if (expires > 0 && expires < record.minExpires)
      this.#found(`3: Expires ${expires} of ${method} ${uri}, Min-Expires was ${record.minExpires}`);
  }

  /** 2: If-Match is the last entity-tag or absent; no body in refreshes and removals; tuple ids stay in a chain. */
  #publish(record: Seen, { uri, ifMatch, expires, body }: SentRequest): void {
    if (ifMatch === undefined) {
      if (body === '' || expires === 0) this.#found(`2: initial PUBLISH of ${uri} without body or lifetime`);
      record.tuple = undefined;
    }
    if (expires === 0 && body !== '') this.#found(`2: removal of ${uri} with a body`);
    if (!this.#etagsByUri) return;
    if (ifMatch !== undefined && ifMatch !== record.etag)
      this.#found(`2: If-Match ${ifMatch} of ${uri}, last entity-tag was ${record.etag}`);
    if (ifMatch !== undefined && body !== '' && body === record.held)
      this.#found(`2: refresh of ${uri} with the document that is held`);
    const tuple = /<tuple id="([^"]+)"/.exec(body)?.[1];
    if (tuple === undefined) return;
    if (record.tuple !== undefined && record.tuple !== tuple)
      this.#found(`2: tuple id of ${uri} went from ${record.tuple} to ${tuple}`);
    record.tuple = tuple;
  }

  /** 5: CSeq rises by one, after an unclean start by 1000 more; below 2^31; the tag stays. */
  #subscribe(record: Seen, { callId, cseq }: SentRequest, fromTag: string): void {
    if (cseq >= 2 ** 31) this.#found(`5: CSeq ${cseq}`);
    const { dialog } = record;
    if (dialog?.callId !== callId) {
      record.dialog = { callId, fromTag, cseq, epoch: this.epoch, notifyCseq: 0 };
      return;
    }
    const rise = cseq - dialog.cseq;
    const starts = this.epoch - dialog.epoch;
    const fine = starts === 0 ? rise === 1 : rise > 0 && rise <= 1001 * starts + 1;
    if (!fine) this.#found(`5: CSeq of ${callId} went from ${dialog.cseq} to ${cseq}`);
    if (fromTag !== dialog.fromTag) this.#found(`5: From tag of ${callId} changed`);
    dialog.cseq = cseq;
    dialog.epoch = this.epoch;
  }

  /** Our answer to a NOTIFY. */
  #answered({ status, headers }: ParsedResponse): void {
    const record = this.#records.get(`SUBSCRIBE ${uriOf(headers.get('From') ?? '')}`);
    const notice = record?.notice;
    if (!record || notice?.cseq !== Number.parseInt(headers.get('CSeq') ?? '', 10)) return;
    if (status < 300) record.barredUntil = Math.max(record.barredUntil, notice.until);
    record.notice = undefined;
  }

  // -------------------------------------------------------------------------------------------------- what we get

  received(data: Uint8Array): void {
    const message = parseMessage(data);
    if (message.kind === 'response') this.#response(message);
    else if (message.kind === 'request' && message.method === 'NOTIFY') this.#notify(message);
  }

  #response(message: ParsedResponse): void {
    const { headers, status } = message;
    if (status < 200) return;
    const method = /[A-Z]+$/.exec(headers.get('CSeq') ?? '')?.[0] ?? '';
    const record = this.#record(method, headers.get('To') ?? '');
    const { flight } = record;
    // A retransmitted answer, or one that nobody waits for any more, says nothing new.
    if (flight?.branch !== branchOf(message)) return;
    record.flight = undefined;
    if (method === 'PUBLISH' && status < 300) {
      record.etag = headers.get('SIP-ETag');
      if (flight.body !== '') record.held = flight.body;
    }
    // No lifetime is too brief for a removal.
    const minExpires = status === 423 && flight.expires > 0 ? Number(headers.get('Min-Expires')) : 0;
    if (minExpires > flight.expires && minExpires <= this.#limits.maxMinExpires) record.minExpires = minExpires;
    const until = this.#retryAfter(headers.get('Retry-After'));
    if (status === 503) this.#barred.set(flight.to, Math.max(until, this.#barred.get(flight.to) ?? 0));
    else if (FOR_THE_RECORD.has(status)) record.barredUntil = Math.max(until, record.barredUntil);
  }

  #notify({ headers }: ParsedRequest): void {
    const record = this.#records.get(`SUBSCRIBE ${uriOf(headers.get('From') ?? '')}`);
    const cseq = Number.parseInt(headers.get('CSeq') ?? '', 10);
    const { dialog } = record ?? {};
    if (!record || dialog?.callId !== headers.get('Call-ID') || cseq <= dialog!.notifyCseq) return;
    dialog!.notifyCseq = cseq;
    const state = headers.get('Subscription-State') ?? '';
    const reason = /reason=([^;]+)/.exec(state)?.[1] ?? '';
    if (!state.startsWith('terminated') || AT_ONCE_OR_NEVER.has(reason)) return;
    record.notice = { cseq, until: this.#retryAfter(/retry-after=(\d+)/.exec(state)?.[1]) };
  }

  /** Time it ends; 0 when there is none. */
  #retryAfter(seconds: string | undefined): number {
    if (seconds === undefined) return 0;
    return this.clock.now() + Math.min(Number.parseInt(seconds, 10) * 1000, this.#limits.retryAfterCap);
  }

  /** The engine has given up a request without an answer: it is not on its way any more. */
  over({ method, to }: OutgoingRequest): void {
    this.#record(method, `<${to.uri}>`).flight = undefined;
  }

  // -------------------------------------------------------------------------------------------------- the process

  /** The record has ended: what comes under its name is another one. */
  ended(method: 'PUBLISH' | 'SUBSCRIBE', presentity: string): void {
    const record = this.#records.get(`${method} ${presentity}`);
    if (!record) return;
    record.barredUntil = 0;
    record.minExpires = 0;
  }

  /** After a kill the process knows what its disk tells it: entity-tags, Min-Expires, and Retry-After of its records. */
  restarted(rows: Iterable<KnownRow>): void {
    this.epoch++;
    this.#barred.clear();
    for (const record of this.#records.values()) {
      const { dialog } = record;
      Object.assign(record, new Seen(), { dialog });
    }
    for (const { watcher_uri, pres_uri, etag, min_expires, not_before } of rows) {
      const record = this.#record(watcher_uri === '' ? 'PUBLISH' : 'SUBSCRIBE', `<${pres_uri}>`);
      if (etag !== '') record.etag = etag;
      record.minExpires = min_expires;
      if (not_before > 0) record.barredUntil = not_before * 1000 - this.clock.wall() + this.clock.now();
    }
  }

  #record(method: string, to: string): Seen {
    const key = `${method} ${uriOf(to)}`;
    let record = this.#records.get(key);
    if (!record) {
      record = new Seen();
      this.#records.set(key, record);
    }
    return record;
  }

  #found(violation: string): void {
    if (this.violations.length < VIOLATIONS_KEPT) this.violations.push(`${violation} (at ${this.clock.now()})`);
  }
}
