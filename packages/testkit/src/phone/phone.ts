/** A phone on loopback UDP: registers, calls, is called. */
import { randomBytes } from 'node:crypto';
import { systemClock } from '@pua/sip';
import { answerChallenge, type Credentials } from '../sip/digest.js';
import { Waiters } from '../sip/waiters.js';
import { PhoneCall } from './call.js';
import { addressOf, answerTo, branchOf, type Field, Message } from './message.js';
import { MessageSocket } from './socket.js';

/** How long anything may take, milliseconds. */
const DEADLINE_MS = 10_000;
const token = () => randomBytes(8).toString('hex');

export interface PhoneOptions {
  /** Address-of-record, a SIP URI. */
  readonly aor: string;
  readonly display?: string;
  /** URI of the server that all requests go to. */
  readonly server: string;
  readonly credentials?: Credentials;
  /** `+sip.instance`, a URN. */
  readonly instance?: string;
}

export interface RegisterOptions {
  /** Seconds. Default 3600. */
  readonly expires?: number;
  /** Default: the same one for the life of the phone. */
  readonly callId?: string;
  /** More parameters of the Contact, such as `;q=0.5`. */
  readonly contactParams?: string;
}

/** What a phone does with a call that comes in: `ring` (the default), and what comes next is told by its methods. */
export type Incoming = (call: PhoneCall) => void;

export class Phone {
  readonly aor: string;
  readonly display: string;
  /** Calls that have come in, in their order. */
  readonly calls: PhoneCall[] = [];
  onCall: Incoming = (call) => call.ring();
  readonly #options: PhoneOptions;
  readonly #socket: MessageSocket;
  readonly #registration = token();
  readonly #answers = new Waiters<Message>(systemClock);
  readonly #incoming = new Waiters<PhoneCall>(systemClock);
  readonly #open = new Map<string, PhoneCall>();
  #cseq = 0;

  private constructor(options: PhoneOptions, socket: MessageSocket) {
    this.#options = options;
    this.#socket = socket;
    this.aor = options.aor;
    this.display = options.display ?? '';
    socket.onMessage = (message) => this.#receive(message);
  }

  static async start(options: PhoneOptions): Promise<Phone> {
    return new Phone(options, await MessageSocket.open());
  }

  stop(): Promise<void> {
    return this.#socket.close();
  }

  /** URI of its Contact. */
  get contact(): string {
    const user = /^sips?:([^@;]+)@/i.exec(this.aor)?.[1] ?? 'phone';
    return `sip:${user}@${this.#socket.address}`;
  }

  get #identity(): string {
    return `${this.display === '' ? '' : `"${this.display.replace(/["\\]/g, '\\$&')}" `}<${this.aor}>`;
  }

  /**
   * REGISTER, answers a challenge; the final response.
   * @throws Error (by rejection) when none comes
   */
  async register(options: RegisterOptions = {}): Promise<Message> {
    const first = await this.#register(options, []);
    if (first.status !== 401 && first.status !== 407) return first;
    const proxy = first.status === 407;
    const { credentials } = this.#options;
    const challenges = first.all(proxy ? 'Proxy-Authenticate' : 'WWW-Authenticate');
    for (const challenge of credentials ? challenges : []) {
      const value = answerChallenge(challenge, credentials!, { method: 'REGISTER', uri: this.#domain });
      if (value) return this.#register(options, [[proxy ? 'Proxy-Authorization' : 'Authorization', value]]);
    }
    return first;
  }

  unregister(options: RegisterOptions = {}): Promise<Message> {
    return this.register({ ...options, expires: 0 });
  }

  get #domain(): string {
    return `sip:${/@([^;>]+)/.exec(this.aor)?.[1] ?? addressOf(this.#options.server).host}`;
  }

  #register({ expires = 3600, callId = this.#registration, contactParams = '' }: RegisterOptions, more: Field[]) {
    const { instance } = this.#options;
    const id = instance === undefined ? '' : `;+sip.instance="<${instance}>"`;
    const request = this.request('REGISTER', this.#domain, [
      ['From', `${this.#identity};tag=${token()}`],
      ['To', `<${this.aor}>`],
      ['Call-ID', callId],
      ['CSeq', `${++this.#cseq} REGISTER`],
      ['Contact', `<${this.contact}>${id}${contactParams};expires=${expires}`],
      ...more,
    ]);
    const answer = this.answer(request, (status) => status >= 200);
    this.#socket.send(request, this.#options.server);
    return answer;
  }

  /** Calls somebody; a Call-ID must be that of one call. */
  call(uri: string, more: readonly Field[] = [], callId = `${token()}@${this.#socket.host}`): PhoneCall {
    const invite = this.request('INVITE', uri, [
      ['From', `${this.#identity};tag=${token()}`],
      ['To', `<${uri}>`],
      ['Call-ID', callId],
      ['CSeq', '1 INVITE'],
      ['Contact', `<${this.contact}>`],
      ...more,
    ]);
    const call = new PhoneCall(this, invite, 'outgoing');
    this.#open.set(callId, call);
    this.send(invite, this.#options.server);
    return call;
  }

  /**
   * The next call that comes in, or the last one that did and has not ended.
   * @throws Error (by rejection) when none comes
   */
  async nextCall(): Promise<PhoneCall> {
    const there = this.calls.findLast(({ state }) => state !== 'ended');
    return (
      there ??
      this.#incoming.wait(
        () => true,
        DEADLINE_MS,
        () => `no call came to ${this.aor}`,
      )
    );
  }

  // ---------------------------------------------------------------------------------------- for its calls

  send(message: Message, uri = this.#options.server): void {
    this.#socket.send(message, uri);
  }

  respond(response: Message): void {
    this.#socket.respond(response);
  }

  /** A request of this phone: Via and Max-Forwards are added. */
  request(method: string, uri: string, fields: readonly Field[]): Message {
    return new Message(`${method} ${uri} SIP/2.0`, [
      ['Via', `SIP/2.0/UDP ${this.#socket.address};branch=z9hG4bK${token()}`],
      ['Max-Forwards', '70'],
      ...fields,
    ]);
  }

  /** A response to a request. */
  answer(request: Message, matches: (status: number) => boolean): Promise<Message> {
    const branch = branchOf(request);
    return this.#answers.wait(
      (message) => branchOf(message) === branch && message.method === request.method && matches(message.status),
      DEADLINE_MS,
      () => `no answer to ${request.start}`,
    );
  }

  #receive(message: Message): void {
    if (!message.isRequest) {
      this.#open.get(message.get('Call-ID'))?.responded(message);
      this.#answers.offer(message);
      return;
    }
    const known = this.#open.get(message.get('Call-ID'));
    if (known?.requested(message)) return;
    if (message.method === 'INVITE' && !/;\s*tag=/i.test(message.get('To'))) return this.#called(message);
    if (message.method !== 'ACK')
      this.respond(answerTo(message, message.method === 'OPTIONS' ? 200 : 481, 'Not Here', token()));
  }

  #called(invite: Message): void {
    const call = new PhoneCall(this, invite, 'incoming');
    // Its own call may come back to it: then it has two with that Call-ID, told apart by their requests.
    const first = this.#open.get(invite.get('Call-ID'));
    this.#open.set(invite.get('Call-ID'), first ? first.beside(call) : call);
    this.calls.push(call);
    this.respond(answerTo(invite, 100, 'Trying', ''));
    this.onCall(call);
    this.#incoming.offer(call);
  }
}
