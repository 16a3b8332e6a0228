import type { Clock, Hop, IncomingRequest, Outcome, OutgoingRequest } from '@pua/core';
import { type BindDatagram, type DatagramSocket, type EmbeddedSip, embeddedSip, nodeDatagram } from '@pua/sip';
import { Message } from '../phone/message.js';

export interface WireOptions {
  readonly listen: string;
  readonly t1?: number;
  readonly clock?: Clock;
}

export interface WireHandlers {
  /** A request came in; `raw` is all of it. */
  onRequest(request: IncomingRequest, raw: string): void;
  /** A 1xx came in. */
  onProvisional(raw: string): void;
  /** INVITE, ACK, CANCEL or an answer to one. */
  onInvite(message: Message, raw: string, from: Hop): void;
}

/** An answer from the wire with its text, or the reason why there is none. */
export type WireOutcome = { readonly raw: string } | Exclude<Outcome, { kind: 'response' }>;

const OF_INVITE =
  /^(?:(?:INVITE|ACK|CANCEL) |SIP\/2\.0 [\s\S]*?\r\nCSeq[ \t]*:[ \t]*\d+[ \t]+(?:INVITE|ACK|CANCEL)[ \t]*\r\n)/i;

/**
 * The SIP side of the double: the embedded engine on UDP, with a look at the datagrams that it sends and takes, because
 * drachtio-server shows its applications the messages as they are. What belongs to an INVITE passes the engine by, which
 * knows nothing of it.
 */
export class Wire {
  readonly sip: EmbeddedSip;
  readonly t1: number;
  readonly #handlers: WireHandlers;
  #socket: DatagramSocket | undefined;
  /** The datagram that is being taken, or was just sent. */
  #taken = '';
  #sent = '';

  constructor({ listen, t1 = 500, ...more }: WireOptions, handlers: WireHandlers) {
    this.t1 = t1;
    this.#handlers = handlers;
    this.sip = embeddedSip({ ...more, t1, listen: [listen], bindDatagram: this.#bind });
  }

  get address(): Hop {
    return this.sip.addresses[0]!;
  }

  start(): Promise<void> {
    return this.sip.start((request) => this.#handlers.onRequest(request, this.#taken));
  }

  stop(): Promise<void> {
    this.#socket = undefined;
    return this.sip.stop(0);
  }

  /** Sends a request; gives what was sent. `done` is called later, as with SipPort.request(). */
  request(request: OutgoingRequest, done: (outcome: WireOutcome) => void): string {
    this.#sent = '';
    this.sip.request(request, (outcome) => done(outcome.kind === 'response' ? { raw: this.#taken } : outcome));
    return this.#sent;
  }

  /** Sends an answer; gives what was sent. */
  reply(request: IncomingRequest, ...answer: Parameters<IncomingRequest['reply']>): string {
    this.#sent = '';
    request.reply(...answer);
    return this.#sent;
  }

  /** Sends a message that the engine knows nothing of; gives what was sent. */
  send(message: Message, { host, port }: Hop): string {
    const bytes = message.toBuffer();
    this.#socket?.send(bytes, port, host);
    return bytes.toString('utf8');
  }

  /** Where a URI leads; nobody is asked for names here. */
  resolve(target: string): Hop {
    const hops = this.sip.resolve(target);
    if (!(hops instanceof Promise) && hops[0]) return hops[0];
    if (hops instanceof Promise) hops.catch(() => undefined);
    throw new Error(`the double can't look up ${target}`);
  }

  /** Via of a request that goes out by send(). */
  via(): string {
    const { host, port } = this.address;
    return `SIP/2.0/UDP ${host}:${port};branch=z9hG4bK${this.sip.random.token()}`;
  }

  readonly #bind: BindDatagram = async (host, port, receive) => {
    const socket = await nodeDatagram(host, port, (data, fromHost, fromPort) => {
      const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
      this.#taken = bytes.toString('utf8');
      const message = OF_INVITE.test(this.#taken) ? Message.parse(bytes) : undefined;
      if (message) {
        this.#handlers.onInvite(message, this.#taken, { transport: 'udp', host: fromHost, port: fromPort });
        return;
      }
      if (this.#taken.startsWith('SIP/2.0 1')) this.#handlers.onProvisional(this.#taken);
      receive(data, fromHost, fromPort);
    });
    this.#socket = socket;
    return {
      ...socket,
      send: (data, ...rest) => {
        this.#sent = Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('utf8');
        socket.send(data, ...rest);
      },
    };
  };
}
