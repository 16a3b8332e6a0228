/**
 * The HTTP side: `POST /RPC`, `GET /health`, `GET /ready`, and `POST` to the routes that modules have registered.
 *
 *   POST ->  Host, Origin 403, token 401, media type 415, too many calls 429, too large 413, then JSON-RPC or the route
 */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { getRequestListener, type HttpBindings } from '@hono/node-server';
import { type HttpAnswer, type HttpRoute, PuaError } from '@pua/core';
import { type Context, Hono } from 'hono';
import { Fault } from '../faults.js';
import type { Health } from '../health.js';
import { bracketed } from '../listen.js';
import type { Settings } from '../options.js';
import { Entrance, headersOf } from './entrance.js';
import { answer, asFault, type Dispatcher, failure } from './jsonrpc.js';
import { answerRoute, routeFailure } from './route.js';

/** A client that is slower than this with its request is cut off, milliseconds. */
const REQUEST_MS = 30_000;
const HEADERS_MS = 10_000;

type Env = { Bindings: HttpBindings };

/** What it serves itself. */
const OWN = { '/RPC': 'POST', '/health': 'GET', '/ready': 'GET' } as const;

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
  readonly #entrance: Entrance;
  readonly #app = new Hono<Env>();
  readonly #server: Server;
  #closing = false;

  constructor(settings: Settings, dispatcher: Dispatcher, health: (ready: boolean) => Health) {
    this.#settings = settings;
    this.#dispatcher = dispatcher;
    this.#entrance = new Entrance(settings, dispatcher.gate, this.#stopping.signal);
    const app = this.#app;
    app.post('/RPC', (c) => this.#rpc(c));
    app.all('/RPC', () => this.#rpcFailure(usePost()));
    for (const [path, ready] of [
      ['/health', false],
      ['/ready', true],
    ] as const) {
      app.get(path, (c) => {
        const refused = this.#entrance.misnamed(c.env.incoming);
        if (refused) return this.#rpcFailure(refused);
        const { ok, ...rest } = health(ready);
        return c.json({ ok, ...rest }, ok ? 200 : 503, { 'Cache-Control': 'no-store' });
      });
    }
    app.onError((error) => this.#rpcFailure(asFault(error, 'HTTP request')));
    const listener = getRequestListener(app.fetch, { overrideGlobalObjects: false });
    this.#server = createServer({ requestTimeout: REQUEST_MS, headersTimeout: HEADERS_MS }, listener);
  }

  /** @throws PuaError `PUA_ERR_LISTEN`; `PUA_ERR_OPTION` for a route in the place of one of its own */
  async start(routes: readonly HttpRoute[]): Promise<HttpAddress> {
    this.#serve(routes);
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

  #serve(routes: readonly HttpRoute[]): void {
    for (const route of routes) {
      const { path } = route;
      if (path in OWN) throw new PuaError('PUA_ERR_OPTION', `route ${path}: mi serves it itself; choose another path`);
      this.#app.post(path, (c) => this.#route(c, route));
      this.#app.all(path, () => this.#routeFailure(usePost()));
    }
    const own = Object.entries(OWN).map(([path, method]) => `${method} ${path}`);
    const all = [...own, ...routes.map(({ path }) => `POST ${path}`)].join(', ');
    this.#app.notFound(() => this.#routeFailure(new Fault('not-found', `not found; there are ${all}`)));
  }

  async #rpc(c: Context<Env>): Promise<Response> {
    try {
      const { http, body } = await this.#entrance.admit(c.env, (request, context) =>
        answer(request, this.#dispatcher, context),
      );
      return this.#send({ status: body === undefined ? 204 : http, body });
    } catch (error) {
      return this.#rpcFailure(asFault(error, 'HTTP request'));
    }
  }

  async #route(c: Context<Env>, route: HttpRoute): Promise<Response> {
    try {
      return this.#send(
        await this.#entrance.admit(c.env, (body, context) => answerRoute(route, body, c.env.incoming.headers, context)),
      );
    } catch (error) {
      return this.#routeFailure(asFault(error, `route ${route.path}`));
    }
  }

  #rpcFailure(fault: Fault): Response {
    const { http, body } = failure(fault, null);
    return this.#send({ status: http, body, headers: headersOf(fault) });
  }

  #routeFailure(fault: Fault): Response {
    return this.#send({ ...routeFailure(fault), headers: headersOf(fault) });
  }

  #send({ status, body, headers = {} }: HttpAnswer): Response {
    // A connection that is kept alive would keep a server that stops from ending.
    const closing: Record<string, string> = this.#closing ? { Connection: 'close' } : {};
    if (body === undefined) return new Response(null, { status, headers: { ...closing, ...headers } });
    return new Response(JSON.stringify(body), {
      status,
      headers: { 'Content-Type': 'application/json', 'Cache-Control': 'no-store', ...closing, ...headers },
    });
  }
}

const usePost = () => new Fault('method-not-allowed', 'use POST');
