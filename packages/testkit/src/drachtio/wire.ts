import type { Clock, Hop, IncomingRequest, Outcome, OutgoingRequest } from '@pua/core';
import { type BindDatagram, type EmbeddedSip, embeddedSip, nodeDatagram } from '@pua/sip';

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
}

/** An answer from the wire with its text, or the reason why there is none. */
export type WireOutcome = { readonly raw: string } | Exclude<Outcome, { kind: 'response' }>;

/**
 * The SIP side of the double: the embedded engine on UDP, with a look at the datagrams that it sends and takes, because
 * drachtio-server shows its applications the messages as they are.
 */
export class Wire {
  readonly sip: EmbeddedSip;
  readonly #handlers: WireHandlers;
  /** The datagram that is being taken, or was just sent. */
  #taken = '';
  #sent = '';

  constructor(options: WireOptions, handlers: WireHandlers) {
    const { listen, ...more } = options;
    this.#handlers = handlers;
    this.sip = embeddedSip({ ...more, listen: [listen], bindDatagram: this.#bind });
  }

  get address(): Hop {
    return this.sip.addresses[0]!;
  }

  start(): Promise<void> {
    return this.sip.start((request) => this.#handlers.onRequest(request, this.#taken));
  }

  stop(): Promise<void> {
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

  readonly #bind: BindDatagram = async (host, port, receive) => {
    const socket = await nodeDatagram(host, port, (data, fromHost, fromPort) => {
      this.#taken = Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('utf8');
      if (this.#taken.startsWith('SIP/2.0 1')) this.#handlers.onProvisional(this.#taken);
      receive(data, fromHost, fromPort);
    });
    return {
      ...socket,
      send: (data, ...rest) => {
        this.#sent = Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('utf8');
        socket.send(data, ...rest);
      },
    };
  };
}
