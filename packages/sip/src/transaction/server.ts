/**
 * Server transactions (RFC 3261 17.2.2, RFC 4320):
 *
 *   -> request   => handler, once
 *   -> request      again: dropped (or the 100 again)
 *   <- 100          only when the handler takes longer than timer E of the peer needs to reach T2
 *   <- final        kept for timer J = 64*T1 (unreliable transports only)
 *   -> request      again: the same answer again
 */
import { type Clock, type Headers, type Hop, type IncomingRequest, PuaError, type ReceivedBody } from '@pua/core';
import { checkHeaders, checkReason } from '../message/guard.js';
import type { Head } from '../message/head.js';
import type { Failure, RequestMessage } from '../message/parse.js';
import type { Via } from '../message/via.js';
import { type Answer, answerText, recordRoutes } from '../message/write.js';
import type { Counters } from '../stats.js';
import type { Carrier, Sender } from '../transport/carrier.js';
import { type TimerWheel, WheelNode } from '../wheel.js';
import { answerAddress, transactionKey } from './key.js';
import { type Capabilities, localAnswer, OVERLOADED, passedAnswer } from './local.js';
import { SILENT_MS, type Timers } from './timers.js';

// Taken out of the loop over every byte: where globals are looked up by name, as in test runners, that is slow.
const { imul } = Math;

export interface ServerLimits {
  /** Most requests that wait for an answer; beyond, 503. */
  readonly unanswered: number;
  /** Most answers kept for retransmissions; beyond, the oldest goes before its time. */
  readonly kept: number;
}

/** So it does beyond these: an answer repeats fields of its request, which may fill a datagram. */
const MAX_KEPT_BYTES = 128 << 20;

/** An answer that waits for retransmissions; they end in the order in which they began. */
interface KeptAnswer {
  readonly key: string;
  readonly answer: string;
  readonly carrier: Carrier;
  readonly host: string;
  readonly port: number;
  readonly due: number;
  next: KeptAnswer | undefined;
}

class Incoming extends WheelNode implements IncomingRequest {
  /** The 100, once it has been sent. */
  answer: string | undefined;
  answered = false;
  constructor(
    private readonly table: ServerTransactions,
    readonly key: string,
    readonly message: RequestMessage,
    readonly carrier: Carrier,
    readonly source: Hop,
    readonly host: string,
    readonly port: number,
    readonly since: number,
  ) {
    super();
  }

  get method(): string {
    return this.message.method;
  }
  get uri(): string {
    return this.message.uri;
  }
  get headers(): Head {
    return this.message.headers;
  }
  get body(): ReceivedBody | undefined {
    return this.message.body;
  }
  get toTag(): string {
    return this.message.toTag ?? this.table.toTag(this.message.head);
  }

  reply(status: number, headers?: Headers, reason?: string): void {
    if (this.answered) return;
    if (!Number.isInteger(status) || status < 200 || status > 699) {
      throw new PuaError('PUA_ERR_ARGUMENT', `reply: the status must be a final one, 200 to 699, not ${status}`);
    }
    if (headers) checkHeaders(headers);
    if (reason !== undefined) checkReason(reason);
    this.table.answer(this, { status, headers, reason });
  }

  pass(): void {
    if (!this.answered) this.table.pass(this);
  }

  override expire(now: number): void {
    this.table.silent(this, now);
  }
}

/** Forgets kept answers when their time is over: one node of the wheel for all of them. */
class Sweeper extends WheelNode {
  constructor(private readonly sweep: (now: number) => void) {
    super();
  }
  override expire(now: number): void {
    this.sweep(now);
  }
}

export class ServerTransactions {
  private readonly alive = new Map<string, Incoming | KeptAnswer>();
  private oldest: KeptAnswer | undefined;
  private newest: KeptAnswer | undefined;
  private keptCount = 0;
  private keptBytes = 0;
  private open = 0;
  private readonly sweeper = new Sweeper((now) => this.sweep(now));
  /** Who sends answers: nobody waits for what becomes of them. */
  private readonly answers: Sender = {
    wanted: true,
    awaitsAnswer: false,
    failed: () => {
      this.counters.dropped.unsent++;
    },
  };
  onRequest: ((request: IncomingRequest) => void) | undefined;
  /** Called when no request waits for its answer any more. */
  emptied: (() => void) | undefined;
  /** While stopping: new requests are sent elsewhere. */
  closing = false;

  constructor(
    private readonly wheel: TimerWheel,
    private readonly clock: Clock,
    private readonly counters: Counters,
    private readonly timers: Timers,
    private readonly limits: ServerLimits,
    private readonly capabilities: Capabilities,
    private readonly agent: string,
    private readonly tagPrefix: string,
  ) {}

  get size(): number {
    return this.alive.size;
  }
  get unanswered(): number {
    return this.open;
  }

  request(message: RequestMessage, carrier: Carrier, host: string, port: number): void {
    const { method } = message;
    if (method === 'ACK') {
      this.counters.dropped.ack++;
      return;
    }
    // OPTIONS too: a proxy that asks with it whether we are there is told to go elsewhere.
    const local = this.closing ? undefined : localAnswer(message, this.capabilities);
    if (local) {
      this.stateless(message.head, message.via, message.toTag !== undefined, carrier, host, port, local);
      return;
    }
    const key = transactionKey(message);
    const known = this.alive.get(key);
    if (known) {
      this.repeat(known);
      return;
    }
    if (this.open >= this.limits.unanswered || this.closing) {
      this.counters.refused.overload++;
      this.stateless(message.head, message.via, message.toTag !== undefined, carrier, host, port, OVERLOADED);
      return;
    }
    const to = answerAddress(message.via, carrier, host, port);
    const source: Hop = { transport: carrier.transport, host, port };
    const now = this.clock.now();
    const incoming = new Incoming(this, key, message, carrier, source, to.host, to.port, now);
    this.alive.set(key, incoming);
    this.open++;
    try {
      this.onRequest?.(incoming);
    } catch (error) {
      process.emitWarning(`the handler of a ${method} request threw: ${describe(error)}`, 'SipHandlerError');
      if (!incoming.answered) this.answer(incoming, { status: 500 });
    }
    if (!incoming.answered) this.wheel.schedule(incoming, now + Math.min(this.tryingAfter, SILENT_MS), now);
  }

  /** Refuses a request that can't be used, as far as it says where an answer goes. */
  refuse(failure: Failure, carrier: Carrier, host: string, port: number): void {
    const via = failure.head?.topVia();
    if (!failure.head || !via || failure.method === 'ACK') {
      this.counters.dropped.malformed++;
      return;
    }
    this.counters.refused.malformed++;
    const { status, reason, head } = failure;
    // A To that can't be read is echoed as it is.
    const tagged = head.to < 0 || head.tag(head.to) !== undefined;
    this.stateless(head, via, tagged, carrier, host, port, { status, reason });
  }

  answer(incoming: Incoming, answer: Answer): void {
    incoming.answered = true;
    this.wheel.cancel(incoming);
    this.open--;
    const { message, key, carrier, host, port } = incoming;
    const { head } = message;
    const tag = message.toTag === undefined ? this.toTag(head) : undefined;
    const text = answerText(head, message.via, incoming.source, tag, this.agent, withRoutes(message, answer));
    this.send(text, carrier, host, port);
    if (carrier.reliable || this.limits.kept === 0) this.alive.delete(key);
    else this.keep(key, text, carrier, host, port);
    if (this.open === 0) this.emptied?.();
  }

  pass(incoming: Incoming): void {
    this.answer(incoming, passedAnswer(incoming.message, this.capabilities));
  }

  silent(incoming: Incoming, now: number): void {
    if (now >= incoming.since + SILENT_MS) {
      this.answer(incoming, { status: 500, reason: 'No Answer In Time' });
      return;
    }
    const { message, source, carrier, host, port } = incoming;
    incoming.answer = answerText(message.head, message.via, source, undefined, this.agent, { status: 100 });
    this.send(incoming.answer, carrier, host, port);
    this.wheel.schedule(incoming, incoming.since + SILENT_MS, now);
  }

  /** Answers what is still open and forgets all kept answers. */
  endAll(): void {
    for (const entry of [...this.alive.values()]) {
      if (entry instanceof Incoming) this.answer(entry, OVERLOADED);
    }
    this.alive.clear();
    this.oldest = undefined;
    this.newest = undefined;
    this.keptCount = 0;
    this.keptBytes = 0;
    this.wheel.cancel(this.sweeper);
  }

  /** RFC 4320 4.1: when timer E of the peer has been set to T2. */
  private get tryingAfter(): number {
    let interval = this.timers.t1;
    let elapsed = 0;
    while (interval < this.timers.t2) {
      elapsed += interval;
      interval *= 2;
    }
    return elapsed;
  }

  private repeat(known: Incoming | KeptAnswer): void {
    if (known.answer === undefined) {
      this.counters.dropped.repeated++;
      return;
    }
    this.counters.responses++;
    this.send(known.answer, known.carrier, known.host, known.port);
  }

  private stateless(
    head: Head,
    via: Via,
    tagged: boolean,
    carrier: Carrier,
    host: string,
    port: number,
    answer: Answer,
  ): void {
    const to = answerAddress(via, carrier, host, port);
    const tag = tagged ? undefined : this.toTag(head);
    this.send(answerText(head, via, { host, port }, tag, this.agent, answer), carrier, to.host, to.port);
  }

  private send(text: string, carrier: Carrier, host: string, port: number): void {
    const bytes = Buffer.from(text, 'latin1');
    if (bytes.length > carrier.maxMessageBytes) {
      this.counters.dropped.unsent++;
      return;
    }
    this.counters.sent++;
    carrier.send(bytes, host, port, this.answers);
  }

  private keep(key: string, answer: string, carrier: Carrier, host: string, port: number): void {
    const now = this.clock.now();
    const kept: KeptAnswer = { key, answer, carrier, host, port, due: now + 64 * this.timers.t1, next: undefined };
    this.alive.set(key, kept);
    if (this.newest) this.newest.next = kept;
    else {
      this.oldest = kept;
      this.wheel.schedule(this.sweeper, kept.due, now);
    }
    this.newest = kept;
    this.keptCount++;
    this.keptBytes += key.length + answer.length;
    while (this.keptCount > this.limits.kept || this.keptBytes > MAX_KEPT_BYTES) this.forgetOldest();
  }

  private forgetOldest(): void {
    const { oldest } = this;
    if (!oldest) return;
    this.alive.delete(oldest.key);
    this.keptCount--;
    this.keptBytes -= oldest.key.length + oldest.answer.length;
    this.oldest = oldest.next;
    if (!this.oldest) this.newest = undefined;
  }

  private sweep(now: number): void {
    while (this.oldest && this.oldest.due <= now) this.forgetOldest();
    if (this.oldest) this.wheel.schedule(this.sweeper, this.oldest.due, now);
  }

  /** The same for every copy of a request, so that an answer without a transaction has it too (RFC 3261 8.2.7, 19.3). */
  toTag(head: Head): string {
    const { text } = head;
    let hash = 0x811c9dc5;
    for (const line of [head.callId, head.from, head.cseq]) {
      if (line < 0) continue;
      const start = head.start(line);
      const end = head.stop(line, start);
      for (let at = start; at < end; at++) hash = imul(hash ^ text.charCodeAt(at), 0x01000193);
    }
    return this.tagPrefix + (hash >>> 0).toString(36);
  }
}

function withRoutes(message: RequestMessage, answer: Answer): Answer {
  const { method } = message;
  if (answer.status >= 300 || method === 'REGISTER' || method === 'PUBLISH') return answer;
  const routes = recordRoutes(message.head);
  return routes.length === 0 ? answer : { ...answer, headers: [...routes, ...(answer.headers ?? [])] };
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
