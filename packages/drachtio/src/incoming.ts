/** A request that drachtio-server has delivered: answered once, by us if the handler throws or says nothing. */
import {
  type Clock,
  type Headers,
  type Hop,
  type IncomingRequest,
  PuaError,
  type ReceivedBody,
  type Timer,
} from '@pua/core';
import { checkHeaders, checkReason } from './guard.js';
import { RawMessage, tagOf } from './raw.js';
import type { ReceivedRequest, SrfResponse } from './srf.js';

/** Longest silence of a handler. */
const SILENT_MS = 10_000;

export interface IncomingHost {
  readonly clock: Clock;
  /** Lets the answer out to the server. */
  send(write: () => void): void;
  /** It has been answered or passed on. */
  done(request: Incoming): void;
  /** What becomes of a request that nobody here wants; undefined: it is somebody else's to answer. */
  passed(request: Incoming): { readonly status: number; readonly headers?: Headers } | undefined;
}

export class Incoming implements IncomingRequest {
  readonly method: string;
  readonly headers: RawMessage;
  readonly source: Hop;
  readonly #host: IncomingHost;
  readonly #response: SrfResponse;
  readonly #next: () => void;
  #silence: Timer | undefined;
  #done = false;

  constructor(host: IncomingHost, request: ReceivedRequest, response: SrfResponse, next: () => void) {
    this.#host = host;
    this.#response = response;
    this.#next = next;
    this.method = request.method;
    this.headers = new RawMessage(request.raw);
    const { protocol, source_address, source_port } = request;
    this.source = {
      transport: protocol as Hop['transport'],
      host: source_address.replace(/[[\]]/g, ''),
      port: source_port,
    };
  }

  get uri(): string {
    return this.headers.startLine.split(' ')[1] ?? '';
  }

  get body(): ReceivedBody | undefined {
    return this.headers.body;
  }

  get toTag(): string | undefined {
    return tagOf(this.headers.get('To'));
  }

  handle(handler: (request: IncomingRequest) => void): void {
    this.#silence = this.#host.clock.after(SILENT_MS, () => this.reply(500, [], 'No Answer In Time'));
    try {
      handler(this);
    } catch (error) {
      const what = error instanceof Error ? (error.stack ?? error.message) : String(error);
      process.emitWarning(`the handler of a ${this.method} request threw: ${what}`, 'SipHandlerError');
      this.reply(500);
    }
  }

  reply(status: number, headers: Headers = [], reason?: string): void {
    if (this.#done) return;
    if (!Number.isInteger(status) || status < 200 || status > 699) {
      throw new PuaError('PUA_ERR_ARGUMENT', `reply: the status must be a final one, 200 to 699, not ${status}`);
    }
    checkHeaders(headers);
    if (reason !== undefined) checkReason(reason);
    this.#end();
    this.#host.send(() => this.#write(status, reason, headers));
  }

  pass(): void {
    if (this.#done) return;
    const answer = this.#host.passed(this);
    if (answer) this.reply(answer.status, answer.headers);
    else {
      this.#end();
      this.#next();
    }
  }

  #end(): void {
    this.#done = true;
    this.#silence?.cancel();
    this.#host.done(this);
  }

  #write(status: number, reason: string | undefined, headers: Headers): void {
    const fields: Record<string, string> = {};
    for (const [name, value] of headers) {
      const known = Object.keys(fields).find((other) => other.toLowerCase() === name.toLowerCase());
      // A list may stand in one line (RFC 3261 7.3.1); in answers drachtio-srf has one line for each name only.
      if (known === undefined) fields[name] = value;
      else fields[known] += `, ${value}`;
    }
    try {
      this.#response.send(status, reason, { headers: fields });
    } catch {
      // A status that drachtio-srf has not heard of: the first of its class means the same (RFC 3261 8.1.3.2). When it is
      // the link that is gone, the peer will ask again.
      const general = Math.floor(status / 100) * 100;
      if (status !== general) this.#write(general, reason, headers);
    }
  }
}
