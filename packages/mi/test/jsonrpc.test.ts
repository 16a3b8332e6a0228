/** What a hostile or careless client may send. */
import { request as httpRequest } from 'node:http';
import { channels, type PuaModule } from '@pua/core';
import { type Bench, bench, call, http, PIDF, post } from './support';

let b: Bench;
beforeAll(async () => {
  b = await bench();
});
afterAll(() => b.stop());

test.each([
  ['nothing', '', -32700],
  ['no JSON', '{"jsonrpc": "2.0", "method"', -32700],
  ['no UTF-8', Buffer.from([0x22, 0xff, 0xfe, 0x22]), -32700],
  ['a number', '7', -32600],
  ['null', 'null', -32600],
  ['an empty batch', '[]', -32600],
  ['no version', '{"method":"pua.stats","id":1}', -32600],
  ['version 1', '{"jsonrpc":"1.0","method":"pua.stats","id":1}', -32600],
  ['no method', '{"jsonrpc":"2.0","id":1}', -32600],
  ['method of a wrong type', '{"jsonrpc":"2.0","method":{},"id":1}', -32600],
  ['params of a wrong type', '{"jsonrpc":"2.0","method":"pua.stats","params":"x","id":1}', -32600],
  ['params null', '{"jsonrpc":"2.0","method":"pua.stats","params":null,"id":1}', -32600],
  ['id of a wrong type', '{"jsonrpc":"2.0","method":"pua.stats","id":[1]}', -32600],
  [
    'a deep tree',
    `{"jsonrpc":"2.0","method":"pua.stats","id":1,"params":{"x":${'['.repeat(200_000)}${']'.repeat(200_000)}}}`,
    -32602,
  ],
  [
    'a prototype',
    '{"jsonrpc":"2.0","method":"pua.publish","id":1,"params":{"__proto__":{"uri":"sip:a@b"},"event":"presence"}}',
    -32602,
  ],
  ['a method of Object', '{"jsonrpc":"2.0","method":"constructor","id":1}', -32601],
  ['an unknown method', '{"jsonrpc":"2.0","method":"pua.nothing","id":1}', -32601],
  ['a long method', `{"jsonrpc":"2.0","method":"${'m'.repeat(100_000)}","id":1}`, -32601],
  ['a huge batch', `[${Array(1001).fill('0').join(',')}]`, -32600],
])('%s', async (_, body, code) => {
  const { status, json } = await post(b.url, body);
  expect(json.error.code).toBe(code);
  expect(status).toBe(code === -32601 ? 404 : 400);
  expect(JSON.stringify(json).length).toBeLessThan(700);
});

test('the id comes back as it was', async () => {
  for (const id of ['x', 0, -1.5, null]) expect((await call(b.url, 'pua.stats', {}, id)).json.id).toBe(id);
});

test('a batch is answered in order, notifications are not', async () => {
  const { status, json } = await post(b.url, [
    { jsonrpc: '2.0', method: 'pua.stats', id: 'a' },
    { jsonrpc: '2.0', method: 'pua.cleanup' },
    { jsonrpc: '2.0', method: 'pua.nothing' },
    7,
    { jsonrpc: '2.0', method: 'pua.publish', params: [], id: 'b' },
  ]);
  expect(status).toBe(200);
  expect(json).toEqual([
    expect.objectContaining({ id: 'a', result: expect.anything() }),
    expect.objectContaining({ id: null, error: expect.objectContaining({ code: -32600 }) }),
    expect.objectContaining({ id: 'b', error: expect.objectContaining({ code: -32602 }) }),
  ]);
});

test('a notification does its work and is answered by 204, without waiting for SIP', async () => {
  const params = { uri: 'sip:quiet@example.com', event: 'presence', body: PIDF };
  const arrived = b.presence.server.nextRequest(({ uri }) => uri === params.uri, 5000);
  const single = await post(b.url, { jsonrpc: '2.0', method: 'pua.publish', params });
  expect([single.status, single.text]).toEqual([204, '']);
  expect((await arrived).status).toBe(200);
  const batch = await post(b.url, [{ jsonrpc: '2.0', method: 'pua.cleanup' }]);
  expect([batch.status, batch.text]).toEqual([204, '']);
});

test('only application/json, whatever its parameters', async () => {
  const body = { jsonrpc: '2.0', method: 'pua.stats', id: 1 };
  expect((await post(b.url, body, { 'Content-Type': 'application/json; charset=utf-8' })).status).toBe(200);
  for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'application/json-patch+json']) {
    const { status, json } = await post(b.url, body, { 'Content-Type': type });
    expect([status, json.error.code]).toEqual([415, 415]);
  }
});

test('a body that is too large: 413, whether its length was said or not', async () => {
  const big = Buffer.alloc((1 << 20) + 1, 0x20);
  const said = await post(b.url, big);
  expect([said.status, said.json.error.code]).toEqual([413, 413]);
  const streamed = await new Promise<number>((resolve, reject) => {
    const headers = { 'Content-Type': 'application/json', 'Transfer-Encoding': 'chunked' };
    const request = httpRequest(`${b.url}/RPC`, { method: 'POST', headers, agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode!);
    });
    // The server may close while we still write.
    request.on('error', (error: NodeJS.ErrnoException) => (error.code === 'EPIPE' ? undefined : reject(error)));
    request.write(big.subarray(0, 1 << 19));
    request.end(big);
  });
  expect(streamed).toBe(413);
  expect((await call(b.url, 'pua.stats', {})).status).toBe(200);
  expect(b.mi.waiting).toBe(0);
});

test('other methods and paths', async () => {
  const get = await http(`${b.url}/RPC`);
  expect([get.status, get.headers['allow']]).toEqual([405, 'POST']);
  expect((await http(`${b.url}/nothing`)).status).toBe(404);
});

test('commands of other modules are served too; what they throw is kept inside', async () => {
  const seen: unknown[] = [];
  const onFault = (message: unknown) => void seen.push(message);
  channels.fault.subscribe(onFault);
  const other: PuaModule = {
    name: 'other',
    setup: (pua) => {
      pua.registerCommand({ name: 'x.echo', positional: ['a', 'b'], run: (params) => params });
      pua.registerCommand({
        name: 'x.broken',
        positional: [],
        run: () => {
          throw new Error('password=secret');
        },
      });
    },
  };
  other.setup(b.pua);
  expect((await call(b.url, 'x.echo', [1, 2])).json.result).toEqual({ a: 1, b: 2 });
  expect((await call(b.url, 'x.echo', [1, 2, 3])).json.error.code).toBe(-32602);
  const broken = await call(b.url, 'x.broken', {});
  expect([broken.status, broken.json.error.code]).toEqual([500, -32603]);
  expect(broken.text).not.toContain('secret');
  expect(seen).toEqual([expect.objectContaining({ type: 'fault', where: 'command x.broken' })]);
  channels.fault.unsubscribe(onFault);
});
