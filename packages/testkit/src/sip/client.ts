import type { Body, Headers, Hop, IncomingRequest, Outcome, SipPort } from '@pua/core';
import { answerChallenge, type Credentials } from './digest.js';

export interface ClientRequest {
  readonly method: string;
  readonly uri: string;
  /** Default: the Request-URI. */
  readonly from?: { readonly uri: string; readonly tag?: string };
  /** Default: the Request-URI. */
  readonly to?: { readonly uri: string; readonly tag?: string };
  readonly callId?: string;
  /** Default 1. */
  readonly cseq?: number;
  readonly routes?: readonly string[];
  /** `true`: the port's own Contact. */
  readonly contact?: string | true;
  readonly headers?: Headers;
  readonly body?: Body;
  readonly timeoutMs?: number;
}

export interface PublishOptions {
  /** Default `presence`. */
  readonly event?: string;
  /** Seconds; absent: no Expires header. */
  readonly expires?: number;
  /** Value of SIP-If-Match. */
  readonly etag?: string;
  readonly body?: Body | string;
  readonly headers?: Headers;
}

/** A final response: what most tests expect an outcome to be. */
export type Answer = Extract<Outcome, { kind: 'response' }>;

export interface ScriptedClientOptions {
  readonly sip: SipPort;
  /** URI of the server that every request goes to. */
  readonly server: string;
  /** Answers one challenge per request. */
  readonly credentials?: Credentials;
  /** Default: NOTIFY is answered 200, anything else passed. */
  readonly onRequest?: (request: IncomingRequest) => void;
}

/** Sends single requests, right or wrong ones, and hands out what comes: the raw client of protocol tests. */
export class ScriptedClient {
  readonly sip: SipPort;
  /** Requests that came in. */
  readonly received: IncomingRequest[] = [];
  /** May be replaced at any time. */
  onRequest: (request: IncomingRequest) => void;
  readonly #options: ScriptedClientOptions;
  #hop: Hop | undefined;

  constructor(options: ScriptedClientOptions) {
    this.#options = options;
    this.sip = options.sip;
    this.onRequest =
      options.onRequest ?? ((request) => (request.method === 'NOTIFY' ? request.reply(200) : request.pass()));
  }

  /** @throws Error when the server's URI leads nowhere */
  async start(): Promise<void> {
    await this.sip.start((request) => {
      this.received.push(request);
      this.onRequest(request);
    });
    const [hop] = await this.sip.resolve(this.#options.server);
    if (!hop) throw new Error(`ScriptedClient: ${this.#options.server} leads to no address`);
    this.#hop = hop;
  }

  async stop(): Promise<void> {
    await this.sip.stop(0);
  }

  /** Where requests go. */
  get hop(): Hop {
    if (!this.#hop) throw new Error('ScriptedClient: start() comes first');
    return this.#hop;
  }

  /** Sends one request, answers a challenge when it has credentials; always resolves. */
  async send(request: ClientRequest): Promise<Outcome> {
    const callId = request.callId ?? this.sip.random.token();
    const from = { tag: this.sip.random.token(), uri: request.uri, ...request.from };
    const cseq = request.cseq ?? 1;
    const first = await this.#once(request, callId, from, cseq, []);
    const authorization = this.#authorization(first, request);
    return authorization ? this.#once(request, callId, from, cseq + 1, [authorization]) : first;
  }

  /** As send(), for tests in which anything but a final response is a failure. */
  async ask(request: ClientRequest): Promise<Answer> {
    const outcome = await this.send(request);
    if (outcome.kind !== 'response') throw new Error(`${request.method} ${request.uri}: ${outcome.kind}, no response`);
    return outcome;
  }

  /** One PUBLISH (RFC 3903 4); a string body is a PIDF document. */
  publish(presentity: string, options: PublishOptions = {}): Promise<Answer> {
    const headers: [string, string][] = [['Event', options.event ?? 'presence']];
    if (options.expires !== undefined) headers.push(['Expires', String(options.expires)]);
    if (options.etag !== undefined) headers.push(['SIP-If-Match', options.etag]);
    const body =
      typeof options.body === 'string' ? { type: 'application/pidf+xml', content: options.body } : options.body;
    return this.ask({
      method: 'PUBLISH',
      uri: presentity,
      headers: [...headers, ...(options.headers ?? [])],
      ...(body ? { body } : {}),
    });
  }

  #authorization(outcome: Outcome, request: ClientRequest): [string, string] | undefined {
    const credentials = this.#options.credentials;
    if (outcome.kind !== 'response' || !credentials) return undefined;
    const proxy = outcome.status === 407;
    if (!proxy && outcome.status !== 401) return undefined;
    const content = request.body?.content;
    const target = { method: request.method, uri: request.uri, ...(content === undefined ? {} : { body: content }) };
    for (const challenge of outcome.headers.all(proxy ? 'Proxy-Authenticate' : 'WWW-Authenticate')) {
      const value = answerChallenge(challenge, credentials, target);
      if (value) return [proxy ? 'Proxy-Authorization' : 'Authorization', value];
    }
    return undefined;
  }

  #once(
    request: ClientRequest,
    callId: string,
    from: { uri: string; tag: string },
    cseq: number,
    more: Headers,
  ): Promise<Outcome> {
    const hop = this.hop;
    const { contact } = request;
    return new Promise((done) =>
      this.sip.request(
        {
          method: request.method,
          uri: request.uri,
          callId,
          cseq,
          from,
          to: request.to ?? { uri: request.uri },
          routes: request.routes ?? [],
          ...(contact ? { contact: contact === true ? this.sip.contact('client', hop) : contact } : {}),
          headers: [...(request.headers ?? []), ...more],
          ...(request.body ? { body: request.body } : {}),
          hop,
          ...(request.timeoutMs === undefined ? {} : { timeoutMs: request.timeoutMs }),
        },
        done,
      ),
    );
  }
}
