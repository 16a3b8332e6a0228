import type { Headers, IncomingRequest, SipPort } from '@pua/core';
import { Waiters } from '../sip/waiters.js';
import { Compositor } from './compositor.js';
import { Counters } from './counters.js';
import { DigestGuard, type DigestOptions } from './digest-guard.js';
import { EventState, type Publication } from './event-state.js';
import type { DatagramGate } from './gate.js';
import { DEFAULT_LIMITS, type ExpiresLimits } from './limits.js';
import { Notifier } from './notifier.js';
import type { LoseRule, NotifyOptions, Sent } from './notify-sender.js';
import { DEFAULT_PACKAGES, EventPackages } from './packages.js';
import { RateMeter } from './rate.js';
import { BoundedLog, type RequestRecord } from './record.js';
import { type AnswerRule, type Rule, Script, type ScriptHandle, type Shape, type ShapeRule } from './script.js';
import type { NotifyRecord, ServerSubscription } from './subscription.js';

export interface PresenceServerOptions {
  readonly sip: SipPort;
  /** The gate around the engine's sockets; away() and ignoreNext() need it. */
  readonly gate?: DatagramGate;
  /** Content types by event package. Default: presence, dialog, reg and the others of the RFCs. */
  readonly packages?: Readonly<Record<string, readonly string[]>>;
  /** Lifetimes granted to PUBLISH and SUBSCRIBE. */
  readonly limits?: Partial<ExpiresLimits>;
  /** Is the server responsible for that `user@host`? Others get 404. Default: all. */
  readonly responsibleFor?: (addressOfRecord: string) => boolean;
  /** Record-Route values that pretend a proxy on the way, in the subscriber's route-set order. */
  readonly recordRoute?: readonly string[];
  readonly digest?: DigestOptions;
  /** Requests and NOTIFYs that are kept. Default 10000; 0: none. */
  readonly logLimit?: number;
}

export interface PresenceServerStats {
  /** Requests by method. Retransmissions are the engine's business and don't count. */
  readonly received: Readonly<Record<string, number>>;
  /** Answers by method and status; status 0: ignored on purpose. */
  readonly answered: Readonly<Record<string, Readonly<Record<number, number>>>>;
  /** Most requests in one second. */
  readonly peakPerSecond: number;
  readonly publications: number;
  readonly subscriptions: number;
}

/**
 * A presence server for tests: event state compositor (RFC 3903) and notifier (RFC 6665) over any SipPort, that does
 * what it is told. Watchers see the document that was published last. Its time is the port's clock.
 */
export class PresenceServer {
  readonly sip: SipPort;
  /** May be changed at any time. */
  readonly publishLimits: ExpiresLimits;
  /** May be changed at any time. */
  readonly subscribeLimits: ExpiresLimits;
  /** State of new subscriptions; may be changed at any time. */
  initialState: 'active' | 'pending' = 'active';
  readonly #gate: DatagramGate | undefined;
  readonly #script = new Script();
  readonly #state: EventState;
  readonly #compositor: Compositor;
  readonly #notifier: Notifier;
  readonly #log: BoundedLog<RequestRecord>;
  readonly #rate = new RateMeter();
  readonly #waiters: Waiters<RequestRecord>;
  readonly #counters = new Counters();
  #digest: DigestGuard | undefined;
  #number = 0;

  constructor(options: PresenceServerOptions) {
    const { sip, responsibleFor = () => true, logLimit = 10_000 } = options;
    this.sip = sip;
    this.#gate = options.gate;
    this.publishLimits = { ...DEFAULT_LIMITS, ...options.limits };
    this.subscribeLimits = { ...DEFAULT_LIMITS, ...options.limits };
    this.#log = new BoundedLog(logLimit);
    this.#waiters = new Waiters(sip.clock);
    const packages = new EventPackages(options.packages ?? DEFAULT_PACKAGES);
    const onChange = (key: string) => this.#notifier.changed(key);
    this.#state = new EventState(sip.clock, sip.random, onChange);
    this.#compositor = new Compositor({
      state: this.#state,
      packages,
      limits: this.publishLimits,
      responsibleFor,
      onChange,
    });
    this.#notifier = new Notifier({
      sip,
      packages,
      limits: this.subscribeLimits,
      responsibleFor,
      document: (key) => this.#state.document(key),
      initialState: () => this.initialState,
      recordRoute: options.recordRoute ?? [],
      logLimit,
    });
    this.requireDigest(options.digest);
  }

  start(): Promise<void> {
    return this.sip.start((request) => this.#receive(request));
  }

  /** Ends publications and subscriptions without a word, then the engine. */
  async stop(graceMs = 0): Promise<void> {
    this.#state.clear();
    this.#notifier.clear();
    await this.sip.stop(graceMs);
  }

  // What is to happen with requests to come

  /** Answers the next matching requests; nothing is stored or changed by them. */
  answerNext(rule: AnswerRule): ScriptHandle {
    return this.#script.answerNext(rule);
  }

  /** No answer at all to the next matching requests, their retransmissions included. */
  ignoreNext(rule: Rule = {}): ScriptHandle {
    this.#needGate('ignoreNext');
    return this.#script.ignoreNext(rule);
  }

  /** Changes the next matching 2xx: without Expires or SIP-ETag, another lifetime, another status. */
  shapeNext(rule: ShapeRule): ScriptHandle {
    return this.#script.shapeNext(rule);
  }

  /** Forgets all rules of answerNext, ignoreNext and shapeNext. */
  clearScript(): void {
    this.#script.clear();
  }

  /** From now on credentials are needed; undefined: no longer. Old nonces are void. */
  requireDigest(options: DigestOptions | undefined): void {
    this.#digest = options && new DigestGuard(options, this.sip.random);
  }

  /** Silent from now on: nothing comes in, nothing goes out. Lifetimes run on. */
  away(): void {
    this.#needGate('away').closed = true;
  }

  back(): void {
    this.#needGate('back').closed = false;
  }

  /** As after a new start of the process: nonces are void; with `forget` all publications and subscriptions are gone. */
  restart(options: { readonly forget?: boolean } = {}): void {
    this.#digest?.forget();
    if (options.forget) {
      this.#state.clear();
      this.#notifier.clear();
    }
    if (this.#gate) this.#gate.closed = false;
  }

  // Subscriptions

  /** A NOTIFY `terminated`, with a reason of RFC 6665 4.1.3 and retry-after in seconds. */
  terminate(
    subscription: ServerSubscription,
    how: { readonly reason?: string; readonly retryAfter?: number } = { reason: 'deactivated' },
  ): void {
    this.#notifier.terminate(subscription, how);
  }

  /** A pending subscription becomes active. */
  approve(subscription: ServerSubscription): void {
    this.#notifier.approve(subscription);
  }

  /** One more NOTIFY, at once and with any content, also in a dialog that has ended; resolves with its outcome. */
  notify(subscription: ServerSubscription, options: NotifyOptions = {}): Promise<Sent> {
    return this.#notifier.extra(subscription, options);
  }

  /** The next NOTIFYs get their CSeq and are never sent. */
  loseNotifies(rule: LoseRule = {}): void {
    this.#notifier.sender.lose(rule);
  }

  // What was seen

  /** What was received, oldest first, at most `logLimit`. */
  get requests(): RequestRecord[] {
    return this.#log.all();
  }

  /** What was to be sent, oldest first, at most `logLimit`. */
  get notifies(): NotifyRecord[] {
    return this.#notifier.sender.log();
  }

  /** The publications that have not run out; a copy. */
  get publications(): Publication[] {
    return [...this.#state];
  }

  /** The subscriptions that have not ended; a copy. */
  get subscriptions(): ServerSubscription[] {
    return this.#notifier.subscriptions();
  }

  /** Answers of one status to one method so far; 0: ignored on purpose. */
  count(method: string, status: number): number {
    return this.#counters.count(method, status);
  }

  stats(): PresenceServerStats {
    return {
      received: { ...this.#counters.received },
      answered: structuredClone(this.#counters.answered),
      peakPerSecond: this.#rate.peak,
      publications: this.#state.size,
      subscriptions: this.#notifier.size,
    };
  }

  clearLog(): void {
    this.#log.clear();
    this.#notifier.sender.clearLog();
    this.#rate.resetPeak();
  }

  /**
   * The next request, from now on, that has been answered and matches.
   * @throws Error (by rejection) when none comes within `ms`
   */
  nextRequest(matches: (request: RequestRecord) => boolean, ms: number): Promise<RequestRecord> {
    return this.#waiters.wait(matches, ms, () => `received: ${JSON.stringify(this.#counters.received)}`);
  }

  #needGate(what: string): DatagramGate {
    if (this.#gate) return this.#gate;
    throw new Error(
      `PresenceServer: ${what} needs a DatagramGate around the engine's sockets; startPresenceServer() and simulatePresenceServer() make one`,
    );
  }

  #receive(request: IncomingRequest): void {
    const record: RequestRecord = {
      number: ++this.#number,
      at: this.sip.clock.now(),
      method: request.method,
      uri: request.uri,
      headers: request.headers,
      body: request.body,
      source: request.source,
      status: undefined,
      note: undefined,
    };
    this.#log.push(record);
    this.#rate.count(record.at);
    this.#counters.request(record.method);
    const interception = this.#script.intercept(record);
    if (!interception) this.#process(request, record);
    else if ('ignore' in interception) this.#ignore(request, record);
    else this.#answer(request, record, interception.status, interception.headers, interception.reason);
  }

  #process(request: IncomingRequest, record: RequestRecord): void {
    const server = record.method === 'PUBLISH' ? this.#compositor : record.method === 'SUBSCRIBE' && this.#notifier;
    if (!server) {
      request.pass();
      return;
    }
    const refusal = this.#digest?.check(record);
    if (refusal) {
      record.note = refusal.note;
      this.#answer(request, record, refusal.status, refusal.headers);
      return;
    }
    if (server === this.#notifier && request.toTag === undefined) {
      record.note = 'a dialog needs a SipPort that tells the To tag of its answers (IncomingRequest.toTag)';
      this.#answer(request, record, 501);
      return;
    }
    const found = this.#script.shape(record);
    const verdict = server.handle(record, found?.shape);
    let { status, headers = [] } = verdict;
    if (found && status >= 200 && status <= 299) {
      found.used();
      headers = shaped(headers, found.shape);
      status = found.shape.status ?? status;
    }
    const { after, holds } = verdict;
    const answer = () => this.#answer(request, record, status, headers, verdict.reason);
    if (!holds) answer();
    after?.(request.toTag ?? '');
    holds?.(answer);
  }

  #ignore(request: IncomingRequest, record: RequestRecord): void {
    this.#gate?.ignore(...transactionOf(record));
    record.note = 'ignored on purpose';
    // The engine keeps this answer for retransmissions; the gate lets none of them out.
    request.reply(500);
    this.#settled(record, 0);
  }

  #answer(request: IncomingRequest, record: RequestRecord, status: number, headers?: Headers, reason?: string): void {
    request.reply(status, headers, reason);
    this.#settled(record, status);
  }

  #settled(record: RequestRecord, status: number): void {
    record.status = status;
    this.#counters.answer(record.method, status);
    this.#waiters.offer(record);
  }
}

function transactionOf({ headers }: RequestRecord): [callId: string, cseq: string] {
  return [headers.get('Call-ID') ?? '', headers.get('CSeq') ?? ''];
}

function shaped(headers: Headers, shape: Shape): Headers {
  const omitted = new Set(shape.omit?.map((name) => name.toLowerCase()));
  return [...headers.filter(([name]) => !omitted.has(name.toLowerCase())), ...(shape.headers ?? [])];
}
