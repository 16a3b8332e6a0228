/** A whole PUA with mi on free loopback ports, and the presence server it talks to. */
import { request as httpRequest } from 'node:http';
import { createPua, type Pua, type PuaModule, type PuaOptions } from '@pua/core';
import { type MiModule, type MiOptions, mi } from '@pua/mi';
import { embeddedSip } from '@pua/sip';
import { type StartedServer, startPresenceServer } from '@pua/testkit';

export const PIDF =
  '<presence xmlns="urn:ietf:params:xml:ns:pidf" entity="sip:alice@example.com">' +
  '<tuple id="a"><status><basic>open</basic></status></tuple></presence>';

export interface Bench {
  readonly pua: Pua;
  readonly mi: MiModule;
  readonly presence: StartedServer;
  readonly url: string;
  stop(): Promise<void>;
}

/** With a T1 of 5 ms a transaction that nobody answers ends after 0.32 s. */
export async function bench(
  options: MiOptions = {},
  core: Partial<PuaOptions> = {},
  t1 = 500,
  others: readonly PuaModule[] = [],
): Promise<Bench> {
  const presence = await startPresenceServer();
  const sip = embeddedSip({ listen: ['udp:127.0.0.1:0'], t1 });
  const pua = createPua({ sip, outboundProxy: presence.uri, ...core });
  const module = mi({ listen: '127.0.0.1:0', graceMs: 100, ...options });
  pua.use(module);
  // After it: what they register is served all the same.
  for (const other of others) pua.use(other);
  await pua.start().catch(async (error: unknown) => {
    await presence.server.stop();
    throw error;
  });
  return {
    pua,
    mi: module,
    presence,
    url: module.address!.url,
    stop: async () => {
      await pua.stop(0);
      await presence.server.stop();
    },
  };
}

export interface Reply {
  readonly status: number;
  readonly headers: Record<string, string | string[] | undefined>;
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: the answers are looked at, not relied on
  readonly json: any;
}

/** One HTTP request; unlike fetch() it lets Host and Origin be anything. */
export function http(
  url: string,
  options: { method?: string; headers?: Record<string, string>; body?: string | Buffer; signal?: AbortSignal } = {},
): Promise<Reply> {
  const { method = 'GET', headers = {}, body, signal } = options;
  return new Promise((resolve, reject) => {
    const request = httpRequest(url, { method, headers, agent: false, ...(signal ? { signal } : {}) }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString('utf8');
        const json = /json/.test(response.headers['content-type'] ?? '') ? JSON.parse(text) : undefined;
        resolve({ status: response.statusCode!, headers: response.headers, text, json });
      });
    });
    request.on('error', reject);
    request.end(body);
  });
}

export function post(url: string, body: unknown, headers: Record<string, string> = {}): Promise<Reply> {
  const text = typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body);
  return http(`${url}/RPC`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', ...headers },
    body: text,
  });
}

export function call(url: string, method: string, params: unknown, id: unknown = 1): Promise<Reply> {
  return post(url, { jsonrpc: '2.0', method, params, id });
}

/** Positional parameters of `pua.publish` in Kamailio's order. */
export function kamailio(given: Partial<Record<(typeof ORDER)[number], string>> = {}): string[] {
  const values = { uri: 'sip:alice@example.com', expires: '3600', event: 'presence', ...given };
  const list = ORDER.slice(0, 8).map((name) => values[name] ?? '.');
  return values.body === undefined ? list : [...list, values.body];
}
const ORDER = ['uri', 'expires', 'event', 'contentType', 'id', 'etag', 'proxy', 'headers', 'body'] as const;

/** Resolves when the condition holds; looks again after each turn of the event loop. */
export async function until(holds: () => boolean, what: string): Promise<void> {
  const deadline = performance.now() + 5000;
  while (!holds()) {
    if (performance.now() > deadline) throw new Error(`not seen within 5 s: ${what}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}
