/**
 * Client transactions (RFC 3261 17.1.2, non-INVITE):
 *
 *   request ->                          timer E: again after T1, 2*T1, ... at most T2 (unreliable transports only)
 *           <- 1xx                      Proceeding: timer E goes on at T2
 *           <- 2xx..6xx  => done        Completed: timer K would absorb what comes late. Here that needs no state: a
 *                                       branch of ours that is not alive any more is late, anything else is stray
 *   timer F after 64*T1  => timeout
 *   connection lost      => unreachable
 *
 * A request over 1300 bytes (RFC 3261 18.1.1) is a transaction by TCP first; when there is no TCP, another one by UDP.
 */
import type { Clock, Outcome, OutgoingRequest } from '@pua/core';
import { checkRequest } from '../message/guard.js';
import type { ResponseMessage } from '../message/parse.js';
import { requestBytes } from '../message/write.js';
import type { Counters } from '../stats.js';
import type { Carrier, Carriers, Sender } from '../transport/carrier.js';
import { type TimerWheel, WheelNode } from '../wheel.js';
import type { Congestion } from './congestion.js';
import type { Timers } from './timers.js';

export type Done = (outcome: Outcome) => void;

class ClientTransaction extends WheelNode implements Sender {
  /** When timer E fires next, and what it is set to then. */
  again = 0;
  interval = 0;
  transmissions = 0;
  readonly sentBy: string;
  readonly branch: string;
  readonly message: Uint8Array;

  constructor(
    private readonly table: ClientTransactions,
    readonly request: OutgoingRequest,
    ascii: boolean,
    readonly carrier: Carrier,
    readonly deadline: number,
    readonly done: Done,
    /** Takes its place when this carrier turns out to lead nowhere. */
    readonly fallback?: ClientTransaction,
  ) {
    super();
    const via = carrier.via(request.hop.host);
    this.sentBy = via.sentBy;
    this.branch = table.newBranch();
    this.message = requestBytes(request, via.start, this.branch, table.agent, ascii);
  }

  get wanted(): boolean {
    return this.table.isAlive(this);
  }

  get awaitsAnswer(): boolean {
    return true;
  }

  failed(cause: Error, sent: boolean): void {
    this.table.failed(this, cause, sent);
  }

  override expire(now: number): void {
    this.table.expired(this, now);
  }
}

export class ClientTransactions {
  private readonly alive = new Map<string, ClientTransaction>();
  private readonly branchPrefix: string;
  private sequence = 0;
  /** Called when the last transaction has ended. */
  emptied: (() => void) | undefined;
  /** Why nothing can be sent: not started, stopped. */
  closed: Error | undefined = new Error('the SIP engine has not been started');

  constructor(
    private readonly carriers: Carriers,
    private readonly wheel: TimerWheel,
    private readonly clock: Clock,
    private readonly counters: Counters,
    private readonly timers: Timers,
    private readonly congestion: Congestion,
    readonly agent: string,
    token: string,
  ) {
    // Unguessable by the token, unique by the counter behind it (RFC 3261 8.1.1.7).
    this.branchPrefix = `z9hG4bK${token}.`;
  }

  get size(): number {
    return this.alive.size;
  }

  isAlive(transaction: ClientTransaction): boolean {
    return this.alive.get(transaction.branch) === transaction;
  }

  newBranch(): string {
    return this.branchPrefix + (this.sequence++).toString(36);
  }

  request(request: OutgoingRequest, done: Done): void {
    const ascii = checkRequest(request);
    const { hop } = request;
    const carrier = this.closed ?? this.carriers.toward(hop);
    if (carrier instanceof Error) {
      queueMicrotask(() => settle(done, { kind: 'unreachable', cause: carrier, sent: false }));
      return;
    }
    const deadline = this.clock.now() + (request.timeoutMs ?? 64 * this.timers.t1);
    const transaction = new ClientTransaction(this, request, ascii, carrier, deadline, done);
    const { congestion } = this;
    if (transaction.message.length > congestion.udpMtu && !carrier.reliable && congestion.takesTcp(hop)) {
      const stream = this.carriers.insteadOfDatagrams(hop);
      if (!(stream instanceof Error)) {
        this.begin(new ClientTransaction(this, request, ascii, stream, deadline, done, transaction));
        return;
      }
    }
    this.begin(transaction);
  }

  private begin(transaction: ClientTransaction): void {
    const { carrier, message, deadline } = transaction;
    if (message.length > carrier.maxMessageBytes) {
      queueMicrotask(() => settle(transaction.done, { kind: 'tooLarge', limit: carrier.maxMessageBytes }));
      return;
    }
    const now = this.clock.now();
    const { t1, t2 } = this.timers;
    transaction.again = carrier.reliable ? Number.POSITIVE_INFINITY : now + t1;
    transaction.interval = Math.min(2 * t1, t2);
    this.alive.set(transaction.branch, transaction);
    this.wheel.schedule(transaction, Math.min(transaction.again, deadline), now);
    this.transmit(transaction);
  }

  response(response: ResponseMessage): void {
    const { via, status } = response;
    const transaction = via.branch === undefined ? undefined : this.alive.get(via.branch);
    if (!transaction) {
      const ours = via.branch?.startsWith(this.branchPrefix);
      this.counters.dropped[ours ? 'late' : 'stray']++;
      return;
    }
    const { request } = transaction;
    if (response.head.cseqMethod !== request.method || !via.isSentBy(transaction.sentBy)) {
      this.counters.dropped.stray++;
      return;
    }
    if (status < 200) {
      transaction.interval = this.timers.t2;
      return;
    }
    const { head, body, reason } = response;
    const cseq = head.cseqNumber;
    this.finish(
      transaction,
      body
        ? { kind: 'response', status, reason, headers: head, cseq, body }
        : { kind: 'response', status, reason, headers: head, cseq },
    );
  }

  expired(transaction: ClientTransaction, now: number): void {
    if (now >= transaction.deadline) {
      this.finish(transaction, { kind: 'timeout', cseq: transaction.request.cseq });
      transaction.carrier.unanswered();
      if (transaction.fallback) this.congestion.refused(transaction.request.hop);
      return;
    }
    // From the time it was due, so that the ticks of the wheel don't add up; but no burst after a pause of the process.
    const next = transaction.again + transaction.interval;
    transaction.again = next > now ? next : now + transaction.interval;
    transaction.interval = Math.min(2 * transaction.interval, this.timers.t2);
    this.wheel.schedule(transaction, Math.min(transaction.again, transaction.deadline), now);
    this.counters.requests++;
    this.transmit(transaction);
  }

  /** Ends whatever is left. */
  endAll(cause: Error): void {
    for (const transaction of [...this.alive.values()]) {
      const sent = transaction.carrier.release(transaction);
      this.finish(transaction, { kind: 'unreachable', cause, sent });
    }
  }

  failed(transaction: ClientTransaction, cause: Error, sent: boolean): void {
    if (!this.isAlive(transaction)) return;
    const { request, fallback } = transaction;
    if (fallback && !sent && !this.closed) {
      this.congestion.refused(request.hop);
      this.remove(transaction);
      this.begin(fallback);
      if (this.alive.size === 0) this.emptied?.();
      return;
    }
    this.finish(transaction, { kind: 'unreachable', cause, sent: sent || transaction.transmissions > 1 });
  }

  private transmit(transaction: ClientTransaction): void {
    const { hop } = transaction.request;
    this.counters.sent++;
    transaction.transmissions++;
    transaction.carrier.send(transaction.message, hop.host, hop.port, transaction);
  }

  private remove(transaction: ClientTransaction): void {
    this.alive.delete(transaction.branch);
    this.wheel.cancel(transaction);
    transaction.carrier.release(transaction);
  }

  private finish(transaction: ClientTransaction, outcome: Outcome): void {
    this.remove(transaction);
    settle(transaction.done, outcome);
    if (this.alive.size === 0) this.emptied?.();
  }
}

/** A fault of the caller's own code must not leave the engine's tables half changed: it is thrown on a clean stack. */
function settle(done: Done, outcome: Outcome): void {
  try {
    done(outcome);
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}
