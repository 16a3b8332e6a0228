/**
 * The HTTP side: `POST /RPC`, `GET /health`, `GET /ready`.
 *
 *   POST /RPC ->  Host, Origin 403, token 401, media type 415, too many calls 429, too large 413, then JSON-RPC
 */
import { setMaxListeners } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { getRequestListener, type HttpBindings } from '@hono/node-server';
import { PuaError } from '@pua/core';
import { type Context, Hono } from 'hono';
import { Fault } from '../faults.js';
import type { Health } from '../health.js';
import { bracketed, nameGuard } from '../listen.js';
import type { Settings } from '../options.js';
import { readBody } from './body.js';
import { type Guard, namesGuard, tokenGuard } from './guard.js';
import { type Answered, answer, asFault, type Dispatcher, failure, overload, parseJson } from './jsonrpc.js';

/** A client that is slower than this with its request is cut off, milliseconds. */
const REQUEST_MS = 30_000;
const HEADERS_MS = 10_000;

type Env = { Bindings: HttpBindings };

export interface HttpAddress {
  readonly host: string;
  readonly port: number;
  /** `http://127.0.0.1:8060` */
  readonly url: string;
}

export class HttpAdapter {
  readonly #settings: Settings;
  readonly #dispatcher: Dispatcher;
  readonly #stopping = new AbortController();
  readonly #names: Guard;
  readonly #token: Guard;
  readonly #server: Server;
  #closing = false;

  constructor(settings: Settings, dispatcher: Dispatcher, health: (ready: boolean) => Health) {
    this.#settings = settings;
    this.#dispatcher = dispatcher;
    this.#names = namesGuard(nameGuard(settings.listen, settings.hosts));
    this.#token = tokenGuard(settings.token);
    // Every call in progress listens to it; how many there may be, the gate says.
    setMaxListeners(0, this.#stopping.signal);
    const app = new Hono<Env>();
    app.post('/RPC', (c) => this.#rpc(c));
    app.all('/RPC', () => this.#send(failure(new Fault('method-not-allowed', 'use POST'), null), { Allow: 'POST' }));
    for (const [path, ready] of [
      ['/health', false],
      ['/ready', true],
    ] as const) {
      app.get(path, (c) => {
        const refused = this.#names(guarded(c));
        if (refused) return this.#send(failure(refused, null));
        const { ok, ...rest } = health(ready);
        return c.json({ ok, ...rest }, ok ? 200 : 503, { 'Cache-Control': 'no-store' });
      });
    }
    app.notFound((c) => c.json({ error: 'not found; there are POST /RPC, GET /health, GET /ready' }, 404));
    app.onError((error) => this.#send(failure(asFault(error, 'HTTP request'), null)));
    const listener = getRequestListener(app.fetch, { overrideGlobalObjects: false });
    this.#server = createServer({ requestTimeout: REQUEST_MS, headersTimeout: HEADERS_MS }, listener);
  }

  /** @throws PuaError `PUA_ERR_LISTEN` */
  async start(): Promise<HttpAddress> {
    const { host, port, text } = this.#settings.listen;
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', (cause: Error) => {
        const why = `mi: cannot listen on ${text}: ${cause.message}; choose a free port or an address of this host`;
        reject(new PuaError('PUA_ERR_LISTEN', why, { cause }));
      });
      this.#server.listen({ host, port }, resolve);
    });
    const bound = this.#server.address() as AddressInfo;
    return { host: bound.address, port: bound.port, url: `http://${bracketed(bound.address)}:${bound.port}` };
  }

  /** No new connections; calls in progress get `graceMs`, then they end with 503. */
  async stop(): Promise<void> {
    if (!this.#server.listening) return;
    this.#closing = true;
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    await this.#dispatcher.gate.empty(this.#settings.graceMs);
    this.#stopping.abort();
    await this.#dispatcher.gate.empty(1_000);
    // The answers are written by now; what is left are connections kept alive.
    this.#server.closeIdleConnections();
    const timer = setTimeout(() => this.#server.closeAllConnections(), 1_000);
    await closed;
    clearTimeout(timer);
  }

  #send({ http, body }: Answered, headers: Record<string, string> = {}): Response {
    // A connection that is kept alive would keep a server that stops from ending.
    const closing: Record<string, string> = this.#closing ? { Connection: 'close' } : {};
    if (body === undefined) return new Response(null, { status: 204, headers: closing });
    return new Response(JSON.stringify(body), {
      status: http,
      headers: { 'Content-Type': 'application/json', 'Cache-Control': 'no-store', ...closing, ...headers },
    });
  }

  async #rpc(c: Context<Env>): Promise<Response> {
    const request = guarded(c);
    const refused = this.#names(request) ?? this.#token(request) ?? mediaType(c);
    if (refused) {
      return this.#send(
        failure(refused, null),
        refused.fault === 'unauthorized' ? { 'WWW-Authenticate': 'Bearer' } : {},
      );
    }
    const { gate } = this.#dispatcher;
    if (!gate.enter()) return this.#send(failure(overload(), null), { 'Retry-After': '1' });
    const { outgoing, incoming } = c.env;
    const gone = new AbortController();
    const onGone = () => gone.abort();
    outgoing.once('close', onGone);
    this.#stopping.signal.addEventListener('abort', onGone);
    try {
      const signal = gone.signal;
      // Those of a batch share it.
      setMaxListeners(0, signal);
      const parsed = parseJson(await readBody(incoming, this.#settings.maxBodyBytes));
      const client = incoming.socket.remoteAddress;
      return this.#send(await answer(parsed, this.#dispatcher, { signal, ...(client ? { client } : {}) }));
    } catch (error) {
      const fault = asFault(error, 'HTTP request');
      return this.#send(failure(fault, null), fault.fault === 'too-large' ? { Connection: 'close' } : {});
    } finally {
      outgoing.off('close', onGone);
      this.#stopping.signal.removeEventListener('abort', onGone);
      gate.leave();
    }
  }
}

const guarded = (c: Context<Env>) => {
  const { host, origin, authorization } = c.env.incoming.headers;
  return { host, origin, authorization };
};

/** Only what a page of another site can't send without asking first. */
function mediaType(c: Context<Env>): Fault | undefined {
  const type = (c.env.incoming.headers['content-type'] ?? '').split(';', 1)[0]!.trim().toLowerCase();
  return type === 'application/json' ? undefined : new Fault('media-type', 'Content-Type: must be application/json');
}
