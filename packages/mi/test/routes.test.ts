/** Routes of other modules: served behind the same checks as /RPC. */
import { channels, type HttpAnswer, type HttpRoute, PuaError, type PuaModule } from '@pua/core';
import type { MiOptions } from '@pua/mi';
import { type Bench, bench, http, until } from './support';

const open: Bench[] = [];
async function start(routes: readonly HttpRoute[], options: MiOptions = {}): Promise<Bench> {
  const module: PuaModule = {
    name: 'routes',
    setup: (pua) => {
      for (const route of routes) pua.registerRoute(route);
    },
  };
  const b = await bench(options, {}, 500, [module]);
  open.push(b);
  return b;
}
afterEach(async () => {
  for (const b of open.splice(0)) await b.stop();
});

const echo: HttpRoute = { path: '/events/dialogs', run: ({ body }) => ({ status: 200, body: { got: body } }) };
const send = (b: Bench, body: unknown, headers: Record<string, string> = {}, path = echo.path) =>
  http(b.url + path, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', ...headers },
    body: typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body),
  });

test('the parsed body goes in, with header fields in lower case and the address of the client', async () => {
  const seen: unknown[] = [];
  const b = await start([
    {
      path: '/events/x',
      run: ({ headers }, { client, signal }) => {
        seen.push(headers['idempotency-key'], headers['nothing'], client, signal?.aborted);
        return { status: 202, body: { ok: true }, headers: { 'X-Seen': '1' } };
      },
    },
  ]);
  const { status, json, headers } = await send(b, [1], { 'Idempotency-Key': 'k' }, '/events/x');
  expect([status, json, headers['x-seen'], headers['content-type'], headers['cache-control']]).toEqual([
    202,
    { ok: true },
    '1',
    'application/json',
    'no-store',
  ]);
  expect(seen).toEqual(['k', undefined, '127.0.0.1', false]);
});

test('an answer without body', async () => {
  const b = await start([{ path: '/events/x', run: () => ({ status: 204 }) }]);
  const { status, text } = await send(b, {}, {}, '/events/x');
  expect([status, text]).toEqual([204, '']);
});

test.each<[string, Record<string, string>, string | Buffer, number, RegExp]>([
  ['a strange Host', { Host: 'evil.example' }, '{}', 403, /^Host: not a name of this server; use its address/],
  ['a strange Origin', { Origin: 'http://evil.example' }, '{}', 403, /^Origin: /],
  ['no token', { Authorization: '' }, '{}', 401, /^Authorization: Bearer with the token is needed$/],
  ['a wrong token', { Authorization: 'Bearer wrong' }, '{}', 401, /^Authorization: /],
  ['another media type', { 'Content-Type': 'text/plain' }, '{}', 415, /^Content-Type: must be application\/json$/],
  ['no JSON', {}, '{"a"', 400, /^not JSON$/],
  ['no UTF-8', {}, Buffer.from([0x22, 0xff, 0x22]), 400, /^not UTF-8 text$/],
  ['too large', {}, `"${'x'.repeat(100)}"`, 413, /^the request may have 100 bytes$/],
])('refused as for /RPC: %s', async (_, headers, body, expected, message) => {
  const b = await start([echo], { token: 'secret', maxBodyBytes: 100 });
  const { status, json, text } = await send(b, body, { Authorization: 'Bearer secret', ...headers });
  expect(status).toBe(expected);
  expect(json.error).toMatch(message);
  expect(text).not.toContain('secret');
  expect(b.mi.waiting).toBe(0);
  expect((await send(b, {}, { Authorization: 'Bearer secret' })).json).toEqual({ got: {} });
});

test('what a refusal comes with: WWW-Authenticate, Allow', async () => {
  const b = await start([echo], { token: 'secret' });
  expect((await send(b, {})).headers['www-authenticate']).toBe('Bearer');
  const get = await http(b.url + echo.path);
  expect([get.status, get.headers['allow'], get.json.error]).toEqual([405, 'POST', 'use POST']);
});

test('too many calls at once: 429 with Retry-After, counted together with those of /RPC', async () => {
  let finish!: (answer: HttpAnswer) => void;
  const slow: HttpRoute = {
    path: '/events/slow',
    run: () =>
      new Promise<HttpAnswer>((resolve) => {
        finish = resolve;
      }),
  };
  const b = await start([slow], { maxWaiting: 1 });
  const first = send(b, {}, {}, slow.path);
  await until(() => finish !== undefined, 'the first call');
  const second = await send(b, {}, {}, slow.path);
  expect([second.status, second.headers['retry-after'], second.json.fault]).toEqual([429, '1', 'overload']);
  finish({ status: 200, body: 1 });
  expect((await first).status).toBe(200);
});

test.each<[string, unknown, number, RegExp]>([
  ['PUA_ERR_ARGUMENT', new PuaError('PUA_ERR_ARGUMENT', 'presUri: must be a SIP URI'), 400, /^presUri: must be/],
  ['PUA_ERR_STATE', new PuaError('PUA_ERR_STATE', 'call start() first'), 503, /start/],
  ['anything else', new Error('password=secret'), 500, /^internal error; the log tells more$/],
  ['an answer that cannot be written', undefined, 500, /^internal error/],
])('what a route throws: %s', async (_, error, expected, message) => {
  const faults: unknown[] = [];
  const onFault = (message: unknown) => void faults.push(message);
  channels.fault.subscribe(onFault);
  const b = await start([
    {
      path: '/events/x',
      run: () => {
        if (error !== undefined) throw error;
        return { status: 200, body: 1n };
      },
    },
  ]);
  const { status, json } = await send(b, {}, {}, '/events/x');
  expect(status).toBe(expected);
  expect(json.error).toMatch(message);
  expect(faults).toHaveLength(expected === 500 ? 1 : 0);
  for (const fault of faults) expect(fault).toMatchObject({ type: 'fault', where: 'route /events/x' });
  channels.fault.unsubscribe(onFault);
});

test('the signal ends when the client goes, and when the server stops', async () => {
  const signals: AbortSignal[] = [];
  const b = await start(
    [
      {
        path: '/events/slow',
        run: (_, { signal }) => {
          signals.push(signal!);
          return new Promise((resolve) => signal!.addEventListener('abort', () => resolve({ status: 503, body: {} })));
        },
      },
    ],
    { graceMs: 0 },
  );
  const hangUp = new AbortController();
  const gone = http(`${b.url}/events/slow`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: '{}',
    signal: hangUp.signal,
  });
  gone.catch(() => undefined);
  await until(() => signals.length === 1, 'the first call');
  hangUp.abort();
  await until(() => signals[0]!.aborted && b.mi.waiting === 0, 'its end');
  const second = send(b, {}, {}, '/events/slow');
  await until(() => signals.length === 2, 'the second call');
  const stopped = b.pua.stop(0);
  expect([(await second).status, (await second).headers['connection']]).toEqual([503, 'close']);
  await stopped;
});

test('404 lists what there is', async () => {
  const b = await start([echo, { ...echo, path: '/events/registrations' }]);
  const { status, json } = await http(`${b.url}/events/dialog`);
  expect([status, json.error]).toEqual([
    404,
    'not found; there are POST /RPC, GET /health, GET /ready, POST /events/dialogs, POST /events/registrations',
  ]);
});

test('a route in the place of one of its own: pua.start() says so', async () => {
  await expect(start([{ ...echo, path: '/health' }])).rejects.toMatchObject({
    code: 'PUA_ERR_OPTION',
    message: 'route /health: mi serves it itself; choose another path',
  });
});
