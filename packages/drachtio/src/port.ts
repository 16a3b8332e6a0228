/** SipPort of @pua/core on drachtio-srf: one transaction out, one request in; drachtio-server speaks SIP. */
import {
  type Clock,
  type Headers,
  type Hop,
  type IncomingRequest,
  type Outcome,
  type OutgoingRequest,
  PuaError,
  type Random,
  type SipPort,
} from '@pua/core';
import { addressToward, contactUri, hopsOf, leadsTo, parseHostports } from './addresses.js';
import { FrameGate } from './gate.js';
import { bodyText, checkRequest } from './guard.js';
import { Incoming, type IncomingHost } from './incoming.js';
import { connectLink, type Link, type LinkEvents, shareLink } from './link.js';
import { checkConnect, checkMethods, type DrachtioSipOptions, refuseTls } from './options.js';
import { insideFrame, MAX_FRAME_BYTES, MAX_URI_BYTES, type OutgoingFrame, outsideFrame } from './outgoing.js';
import { systemClock, systemRandom } from './runtime.js';
import type { Middleware, Srf } from './srf.js';
import { Transaction, type TransactionHost } from './transaction.js';

export interface DrachtioSip extends SipPort {
  /** The server's SIP addresses; empty while the link is down. */
  readonly addresses: readonly Hop[];
}

type Done = (outcome: Outcome) => void;

const OVERLOADED: Headers = [['Retry-After', '10']];

class Port implements DrachtioSip, TransactionHost, IncomingHost {
  readonly clock: Clock;
  readonly random: Random;
  readonly maxMessageBytes = MAX_FRAME_BYTES;
  readonly gate = new FrameGate();
  readonly #connect: () => Promise<Link>;
  readonly #shared: boolean;
  readonly #methods: readonly string[];
  readonly #userAgent: string | undefined;
  readonly #running = new Map<Transaction, Done>();
  readonly #open = new Set<Incoming>();
  readonly #unbound: ((binding: string) => void)[] = [];
  #state: 'stopped' | 'starting' | 'running' | 'stopping' = 'stopped';
  #handler: (request: IncomingRequest) => void = (request) => request.pass();
  #link: Link | undefined;
  /** The server's, as far as known. */
  #addresses: readonly Hop[] = [];
  /** Name of the connection that is up; empty: none is. */
  #binding = '';
  /** The one that was up before. */
  #lost = '';
  #opened: Promise<void> = Promise.resolve();
  #closed: Promise<void> = Promise.resolve();
  /** Called when nothing runs any more. */
  #emptied: (() => void) | undefined;

  constructor(options: DrachtioSipOptions) {
    refuseTls(options);
    this.#methods = checkMethods(options.methods);
    const { userAgent } = options;
    if (userAgent !== undefined && !/^[\x20-\x7e]+$/.test(userAgent)) {
      throw new PuaError('PUA_ERR_OPTION', 'userAgent must be printable ASCII');
    }
    this.#userAgent = userAgent;
    this.clock = options.clock ?? systemClock;
    this.random = options.random ?? systemRandom;
    const events: LinkEvents = {
      methods: this.#methods,
      middleware: this.#receive,
      up: (hostports) => this.#up(hostports),
      down: () => this.#down(),
    };
    this.#shared = 'srf' in options;
    if ('srf' in options) {
      const srf = options.srf as unknown as Srf;
      this.#connect = () => shareLink(srf, events);
    } else {
      const to = checkConnect(options);
      this.#connect = () => connectLink(to, events);
    }
  }

  get addresses(): readonly Hop[] {
    return this.#binding === '' ? [] : this.#addresses;
  }

  async start(onRequest: (request: IncomingRequest) => void): Promise<void> {
    if (this.#state !== 'stopped') throw new PuaError('PUA_ERR_STATE', `start: the SIP port is ${this.#state} already`);
    this.#opened = this.#start(onRequest);
    return this.#opened;
  }

  async #start(onRequest: (request: IncomingRequest) => void): Promise<void> {
    this.#state = 'starting';
    this.#handler = onRequest;
    try {
      this.#link = await this.#connect();
      this.#state = 'running';
    } catch (error) {
      this.#state = 'stopped';
      throw error;
    }
  }

  async stop(graceMs: number): Promise<void> {
    if (this.#state === 'starting') await this.#opened.catch(() => undefined);
    if (this.#state === 'running') {
      this.#state = 'stopping';
      this.#closed = this.#wind(graceMs);
    }
    return this.#closed;
  }

  resolve(uri: string): readonly Hop[] {
    return hopsOf(uri);
  }

  contact(user: string, hop: Hop): string {
    const own = addressToward(this.#addresses, hop);
    if (!own) throw new PuaError('PUA_ERR_STATE', 'contact: the SIP port was never up, so it has no address yet');
    return contactUri(user, own);
  }

  isOwnContact(uri: string): boolean {
    return leadsTo(uri, this.#addresses);
  }

  onUnbound(listener: (binding: string) => void): void {
    this.#unbound.push(listener);
  }

  request(request: OutgoingRequest, done: Done): void {
    checkRequest(request);
    const body = bodyText(request.body);
    // In a dialog the server is asked first whether it has it: the form that names everything would make it a second one.
    const make = request.to.tag === undefined ? outsideFrame : insideFrame;
    this.#send(request, make(request, body, this.#userAgent), done);
  }

  // ------------------------------------------------------------------------------------- what the parts ask for

  /** TransactionHost: the server was restarted, or never had that dialog: now the request names everything itself. */
  noDialog(transaction: Transaction): void {
    const { request } = transaction;
    const frame = outsideFrame(request, bodyText(request.body), this.#userAgent);
    const refusal = this.#refusal(frame);
    if (refusal) transaction.end(refusal);
    else transaction.send(this.#link!.srf, frame);
  }

  /** TransactionHost */
  ended(transaction: Transaction, outcome: Outcome): void {
    const done = this.#running.get(transaction)!;
    this.#running.delete(transaction);
    call(done, this.#bound(transaction, outcome));
    this.#settled();
  }

  /** IncomingHost: answers are short, but they too must not follow a long frame too closely. */
  send(write: () => void): void {
    this.gate.pass(0, write);
  }

  /** IncomingHost */
  done(request: Incoming): void {
    this.#open.delete(request);
    this.#settled();
  }

  /** IncomingHost: on a link of our own there is nobody else who might want it. */
  passed(request: Incoming): { status: number; headers?: Headers } | undefined {
    if (this.#shared) return undefined;
    if (request.toTag !== undefined || request.method === 'NOTIFY') return { status: 481 };
    return { status: 405, headers: [['Allow', this.#methods.join(', ').toUpperCase()]] };
  }

  // ------------------------------------------------------------------------------------------------- parts

  /**
   * drachtio-server binds a subscription's dialog for ever to the link that it was made on. Once that is gone it answers
   * NOTIFYs with 481 and nobody hears of them, though refreshes in the dialog still work.
   */
  #bound({ request, inside }: Transaction, outcome: Outcome): Outcome {
    if (request.method !== 'SUBSCRIBE' || outcome.kind !== 'response' || outcome.status >= 300) return outcome;
    return { ...outcome, binding: inside && request.binding !== this.#binding ? null : this.#binding };
  }

  #send(request: OutgoingRequest, frame: OutgoingFrame, done: Done): void {
    const refusal = this.#refusal(frame);
    if (refusal) {
      queueMicrotask(() => call(done, refusal));
      return;
    }
    const transaction = new Transaction(this, request);
    this.#running.set(transaction, done);
    transaction.send(this.#link!.srf, frame);
  }

  #refusal({ bytes, uri }: OutgoingFrame): Outcome | undefined {
    const unsent = (message: string): Outcome => ({ kind: 'unreachable', cause: new Error(message), sent: false });
    if (this.#state !== 'running') return unsent(`the SIP port is ${this.#state}`);
    if (this.#binding === '') return unsent('the link to drachtio-server is down');
    if (bytes > MAX_FRAME_BYTES) return { kind: 'tooLarge', limit: MAX_FRAME_BYTES };
    if (Buffer.byteLength(uri) > MAX_URI_BYTES) {
      return unsent(`Request-URI and route set have over ${MAX_URI_BYTES} bytes, which drachtio-server can't take`);
    }
    return undefined;
  }

  readonly #receive: Middleware = (request, response, next) => {
    if (this.#state === 'stopped' || (this.#shared && this.#state === 'stopping')) return next();
    const incoming = new Incoming(this, request, response, next);
    if (this.#state === 'stopping') return incoming.reply(503, OVERLOADED);
    this.#open.add(incoming);
    incoming.handle(this.#handler);
  };

  #up(hostports: string): void {
    this.#addresses = parseHostports(hostports);
    this.#binding = this.random.token();
    // Now, and not when the old one was lost: what is done about it needs a link.
    const lost = this.#lost;
    this.#lost = '';
    if (lost !== '') for (const listener of this.#unbound) listener(lost);
  }

  #down(): void {
    if (this.#binding !== '') this.#lost = this.#binding;
    this.#binding = '';
    this.#abandon(new Error('the link to drachtio-server was lost'));
  }

  #abandon(cause: Error): void {
    for (const transaction of [...this.#running.keys()]) transaction.abandon(cause);
  }

  async #wind(graceMs: number): Promise<void> {
    await this.#idle(graceMs);
    for (const incoming of [...this.#open]) incoming.reply(503, OVERLOADED);
    this.#abandon(new Error('the SIP port has been stopped'));
    this.#binding = '';
    this.#lost = '';
    await this.#link!.close();
    this.#state = 'stopped';
  }

  /** Until nothing runs any more, at most `graceMs` milliseconds. */
  #idle(graceMs: number): Promise<void> {
    if (!this.#busy || !(graceMs > 0)) return Promise.resolve();
    return new Promise((resolve) => {
      const end = () => {
        late.cancel();
        this.#emptied = undefined;
        resolve();
      };
      const late = this.clock.after(graceMs, end);
      this.#emptied = end;
    });
  }

  get #busy(): boolean {
    return this.#running.size > 0 || this.#open.size > 0;
  }

  #settled(): void {
    if (!this.#busy) this.#emptied?.();
  }
}

/** What a caller does with an outcome must not end the reading of the link. */
function call(done: Done, outcome: Outcome): void {
  try {
    done(outcome);
  } catch (error) {
    const what = error instanceof Error ? (error.stack ?? error.message) : String(error);
    process.emitWarning(`the receiver of an outcome threw: ${what}`, 'SipHandlerError');
  }
}

/**
 * A SipPort on drachtio-server, by drachtio-srf: with a link of its own, or on an Srf that is handed in.
 * @throws PuaError `PUA_ERR_OPTION`; start() rejects with `PUA_ERR_LISTEN` when the server does not let us in
 */
export function drachtioSip(options: DrachtioSipOptions = {}): DrachtioSip {
  return new Port(options);
}
