/**
 * One call of a phone.
 *
 *   caller  INVITE ->   <- 180 ringing   <- 200 answered   ACK ->   BYE -> or <-
 */
import { randomBytes } from 'node:crypto';
import { systemClock } from '@pua/sip';
import { parseAddress } from '../sip/headers.js';
import { Waiters } from '../sip/waiters.js';
import { answerTo, branchOf, type Field, type Message } from './message.js';
import type { Phone } from './phone.js';

const DEADLINE_MS = 10_000;
const STATES = ['calling', 'ringing', 'answered', 'ended'] as const;
export type CallState = (typeof STATES)[number];

/** Status of the final response that ended it, or how it ended after it was answered. */
export type CallReason = number | 'bye' | 'cancelled' | undefined;

export class PhoneCall {
  state: CallState = 'calling';
  reason: CallReason;
  readonly callId: string;
  readonly localTag: string;
  /** Tags that have answered, of all forks. */
  readonly remoteTags = new Set<string>();
  readonly #phone: Phone;
  readonly #invite: Message;
  readonly #direction: 'outgoing' | 'incoming';
  readonly #states = new Waiters<CallState>(systemClock);
  #remoteTag = '';
  #remoteTarget = '';
  #routes: readonly string[] = [];
  #cseq = 1;
  /** To the INVITE that came in. */
  #lastAnswer: Message | undefined;
  /** The other end of a call to oneself. */
  #other: PhoneCall | undefined;

  /** Made by Phone. */
  constructor(phone: Phone, invite: Message, direction: 'outgoing' | 'incoming') {
    this.#phone = phone;
    this.#invite = invite;
    this.#direction = direction;
    this.callId = invite.get('Call-ID');
    if (direction === 'outgoing') {
      this.localTag = parseAddress(invite.get('From')).tag ?? '';
    } else {
      this.localTag = randomBytes(6).toString('hex');
      this.#remoteTag = parseAddress(invite.get('From')).tag ?? '';
      this.#remoteTarget = parseAddress(invite.get('Contact')).uri;
      this.#routes = invite.all('Record-Route');
    }
  }

  /** From of the INVITE. */
  get from(): string {
    return this.#invite.get('From');
  }

  /**
   * Resolves as soon as it is in that state or beyond.
   * @throws Error (by rejection) when it does not get there
   */
  async reaches(state: CallState): Promise<void> {
    const rank = STATES.indexOf(state);
    if (STATES.indexOf(this.state) >= rank) return;
    const there = (now: CallState) => STATES.indexOf(now) >= rank;
    await this.#states.wait(there, DEADLINE_MS, () => `the call ${this.callId} is ${this.state}`);
  }

  // ------------------------------------------------------------------------------------------- of the callee

  ring(status = 180): void {
    this.#answer(status, status === 183 ? 'Session Progress' : 'Ringing');
    this.#become('ringing');
  }

  pickUp(): void {
    this.#answer(200, 'OK');
    this.#become('answered');
  }

  /** `status` 300 to 699. */
  reject(status = 486): void {
    this.#answer(status, 'Rejected');
    this.#end(status);
  }

  // ---------------------------------------------------------------------------------------------- of both

  /** BYE; the answer to it. */
  async hangUp(): Promise<Message> {
    return this.#inDialog('BYE', [], true);
  }

  /** A request in the dialog such as INFO; the answer to it. */
  async ask(method: string, more: readonly Field[] = []): Promise<Message> {
    return this.#inDialog(method, more, false);
  }

  async #inDialog(method: string, more: readonly Field[], ends: boolean): Promise<Message> {
    const own =
      this.#direction === 'outgoing' ? this.#invite.get('From') : `${this.#invite.get('To')};tag=${this.localTag}`;
    const peer =
      this.#direction === 'outgoing' ? `${this.#invite.get('To')};tag=${this.#remoteTag}` : this.#invite.get('From');
    const request = this.#phone.request(method, this.#remoteTarget, [
      ...this.#routes.map((route): Field => ['Route', route]),
      ['From', own],
      ['To', peer],
      ['Call-ID', this.callId],
      ['CSeq', `${++this.#cseq} ${method}`],
      ...more,
    ]);
    if (ends) this.#end('bye');
    const answer = this.#phone.answer(request, (status) => status >= 200);
    this.#phone.send(request, this.#next);
    return answer;
  }

  // -------------------------------------------------------------------------------------------- of the caller

  /** CANCEL; the call ends with the 487 that follows. */
  cancel(): void {
    const cancel = this.#invite.copy();
    cancel.start = cancel.start.replace(/^INVITE/, 'CANCEL');
    cancel.set('CSeq', '1 CANCEL').set('Contact');
    this.#phone.send(cancel);
  }

  // -------------------------------------------------------------------------------------------- for the phone

  /** A call to oneself has both ends in one phone. */
  beside(other: PhoneCall): this {
    this.#other = other;
    return this;
  }

  responded(response: Message): void {
    if (response.method !== 'INVITE' || this.#direction !== 'outgoing') return;
    const { status } = response;
    const tag = parseAddress(response.get('To')).tag ?? '';
    if (tag !== '') this.remoteTags.add(tag);
    if (status < 200) {
      if (status > 100 && this.state === 'calling') this.#become('ringing');
      return;
    }
    if (status >= 300) {
      const ack = this.#invite.copy();
      ack.start = ack.start.replace(/^INVITE/, 'ACK');
      this.#phone.send(ack.set('To', response.get('To')).set('CSeq', '1 ACK'));
      return this.#end(status);
    }
    this.#remoteTag = tag;
    this.#remoteTarget = parseAddress(response.get('Contact')).uri;
    this.#routes = response.all('Record-Route').reverse();
    const ack = this.#phone.request('ACK', this.#remoteTarget, [
      ...this.#routes.map((route): Field => ['Route', route]),
      ['From', this.#invite.get('From')],
      ['To', response.get('To')],
      ['Call-ID', this.callId],
      ['CSeq', '1 ACK'],
    ]);
    this.#phone.send(ack, this.#next);
    this.#become('answered');
  }

  /** True when the request was for this call. */
  requested(request: Message): boolean {
    const toTag = parseAddress(request.get('To')).tag;
    if (this.#lastAnswer && request.method === 'INVITE' && branchOf(request) === branchOf(this.#invite)) {
      this.#phone.respond(this.#lastAnswer);
      return true;
    }
    if (request.method === 'CANCEL' && this.#direction === 'incoming') {
      this.#phone.respond(answerTo(request, 200, 'OK', this.localTag));
      if (this.state === 'calling' || this.state === 'ringing') {
        this.#answer(487, 'Request Terminated');
        this.#end('cancelled');
      }
      return true;
    }
    if (toTag !== this.localTag) return this.#other?.requested(request) ?? false;
    if (request.method === 'ACK') return true;
    this.#phone.respond(answerTo(request, 200, 'OK', this.localTag));
    if (request.method === 'BYE') this.#end('bye');
    return true;
  }

  get #next(): string {
    return this.#routes[0] === undefined ? this.#remoteTarget : parseAddress(this.#routes[0]).uri;
  }

  #answer(status: number, reason: string): void {
    const contact: Field[] = status < 300 ? [['Contact', `<${this.#phone.contact}>`]] : [];
    this.#lastAnswer = answerTo(this.#invite, status, reason, this.localTag, contact);
    this.#phone.respond(this.#lastAnswer);
  }

  #end(reason: CallReason): void {
    if (this.state === 'ended') return;
    this.reason = reason;
    this.#become('ended');
  }

  #become(state: CallState): void {
    if (this.state === 'ended') return;
    this.state = state;
    this.#states.offer(state);
  }
}
