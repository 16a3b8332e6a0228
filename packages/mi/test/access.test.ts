/** Who may call, how many at once, and what happens when somebody hangs up. */
import { connect } from 'node:net';
import { type MiOptions, mi } from '@pua/mi';
import { type Bench, bench, call, http, kamailio, PIDF, post, until } from './support';

const STATS = { jsonrpc: '2.0', method: 'pua.stats', id: 1 };
const open: Bench[] = [];
async function start(...given: Parameters<typeof bench>): Promise<Bench> {
  const b = await bench(...given);
  open.push(b);
  return b;
}
afterEach(async () => {
  for (const b of open.splice(0)) await b.stop();
});

test.each<[string, MiOptions, RegExp]>([
  [
    'an open address without token',
    { listen: '0.0.0.0:8060' },
    /0\.0\.0\.0:8060 is not a loopback address.*set a token/,
  ],
  ['an empty token', { listen: '[::]:8060', token: '' }, /^mi token: /],
  ['a name without token', { listen: 'pua.example.com:80' }, /not a loopback address/],
  ['no port', { listen: '127.0.0.1' }, /"127\.0\.0\.1" is not host:port; write for example/],
  ['a port that is none', { listen: '127.0.0.1:70000' }, /is not host:port/],
  ['a limit that is none', { maxWaiting: 0 }, /^mi maxWaiting: must be a whole number from 1/],
  ['a host with port', { hosts: ['a:1'] }, /^mi hosts: "a:1" is not a host name/],
])('refused: %s', (_, options, message) => {
  expect(() => mi(options)).toThrow(
    expect.objectContaining({ code: 'PUA_ERR_OPTION', message: expect.stringMatching(message) }),
  );
});

test('a port that is taken: PUA_ERR_LISTEN with the remedy', async () => {
  const b = await start();
  await expect(bench({ listen: `127.0.0.1:${b.mi.address!.port}` })).rejects.toMatchObject({
    code: 'PUA_ERR_LISTEN',
    message: expect.stringContaining('choose a free port'),
  });
});

test('the token', async () => {
  const b = await start({ token: 'correct-horse' });
  for (const given of [undefined, 'Bearer', 'Bearer wrong', 'Bearer correct-horse2', 'Basic correct-horse']) {
    const refused = await post(b.url, STATS, given === undefined ? {} : { Authorization: given });
    expect([refused.status, refused.json.error.code, refused.headers['www-authenticate']]).toEqual([
      401,
      401,
      'Bearer',
    ]);
    expect(refused.text).not.toContain('horse');
  }
  expect((await post(b.url, STATS, { Authorization: 'bearer correct-horse' })).status).toBe(200);
  // Probes have none.
  expect((await http(`${b.url}/health`)).status).toBe(200);
});

test.each([
  ['evil.example', undefined, 403],
  ['evil.example:8060', undefined, 403],
  ['127.0.0.1.evil.example', undefined, 403],
  ['localhost', undefined, 200],
  ['LOCALHOST:1', undefined, 200],
  ['[::1]:8060', undefined, 200],
  ['pua.example.com', undefined, 200],
  ['127.0.0.1', 'http://evil.example', 403],
  ['127.0.0.1', 'https://localhost.evil.example', 403],
  ['127.0.0.1', 'null', 403],
  ['127.0.0.1', 'file://', 403],
  ['127.0.0.1', 'http://localhost:8060', 200],
  ['127.0.0.1', 'https://pua.example.com', 200],
])('Host %s, Origin %s: %i', async (host, origin, expected) => {
  const b = await start({ hosts: ['pua.example.com'] });
  const { status } = await post(b.url, STATS, { Host: host, ...(origin === undefined ? {} : { Origin: origin }) });
  expect(status).toBe(expected);
  expect((await http(`${b.url}/health`, { headers: { Host: host } })).status).toBe(host.includes('evil') ? 403 : 200);
});

test('listening on all addresses: any IP address will do as Host, other names not', async () => {
  const b = await start({ listen: '0.0.0.0:0', token: 't' });
  const url = `http://127.0.0.1:${b.mi.address!.port}`;
  const authorized = { Authorization: 'Bearer t' };
  expect((await post(url, STATS, { ...authorized, Host: '192.0.2.7:80' })).status).toBe(200);
  expect((await post(url, STATS, { ...authorized, Host: 'evil.example' })).status).toBe(403);
});

test('health and readiness: 200 with JSON, 503 with the reason', async () => {
  let fault: string | undefined;
  const b = await start({ checks: { sip: () => fault } });
  for (const path of ['/health', '/ready']) {
    const fine = await http(b.url + path);
    expect(fine.json).toEqual({ ok: true, checks: { store: 'ok', sip: 'ok' }, publications: 0, subscriptions: 0 });
    expect(fine.status).toBe(200);
  }
  fault = 'no socket';
  for (const path of ['/health', '/ready']) {
    const broken = await http(b.url + path);
    expect([broken.status, broken.json.ok, broken.json.checks.sip]).toEqual([503, false, 'no socket']);
  }
});

test('1000 calls at once are all answered by what happened to each', async () => {
  const b = await start();
  const answers = await Promise.all(
    Array.from({ length: 1000 }, (_, i) =>
      call(b.url, 'pua.publish', kamailio({ uri: `sip:u${i}@example.com`, body: PIDF.replace('alice', `u${i}`) }), i),
    ),
  );
  expect(answers.every(({ status, json }, i) => status === 200 && json.id === i && json.result.Expires === 3600)).toBe(
    true,
  );
  expect(new Set(answers.map(({ json }) => json.result['SIP-ETag'])).size).toBe(1000);
  expect(b.presence.server.publications).toHaveLength(1000);
  expect(b.mi.waiting).toBe(0);
}, 30_000);

test('more calls than the limit: 429 at once, in a batch for those that are too many', async () => {
  const b = await start({ maxWaiting: 3, waitMs: 1000 });
  b.presence.server.ignoreNext({ method: 'PUBLISH', times: Number.POSITIVE_INFINITY });
  const waiting = [1, 2].map((i) => call(b.url, 'pua.publish', kamailio({ uri: `sip:u${i}@example.com`, body: PIDF })));
  await until(() => b.mi.waiting === 2, 'two calls in progress');
  const batch = await post(b.url, [STATS, STATS]);
  expect(batch.json.map(({ error }: { error: { code: number } }) => error.code)).toEqual([429, 429]);
  const third = call(b.url, 'pua.publish', kamailio({ uri: 'sip:u3@example.com', body: PIDF }));
  await until(() => b.mi.waiting === 3, 'three calls in progress');
  const refused = await post(b.url, STATS);
  expect([refused.status, refused.json.error.code, refused.headers['retry-after']]).toEqual([429, 429, '1']);
  expect((await http(`${b.url}/health`)).status).toBe(200);
  for (const { status } of await Promise.all([...waiting, third])) expect(status).toBe(504);
  expect((await post(b.url, STATS)).status).toBe(200);
});

test('a client that hangs up while it waits leaves nothing behind, and its request goes on', async () => {
  const b = await start();
  b.presence.server.ignoreNext({ method: 'PUBLISH', times: 1 });
  const hangUp = new AbortController();
  const gone = http(`${b.url}/RPC`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ jsonrpc: '2.0', method: 'pua.publish', params: kamailio({ body: PIDF }), id: 1 }),
    signal: hangUp.signal,
  });
  gone.catch(() => undefined);
  await until(() => b.presence.server.requests.length === 1, 'the PUBLISH');
  expect(b.mi.waiting).toBe(1);
  hangUp.abort();
  await until(() => b.mi.waiting === 0, 'no call in progress');
  expect(b.pua.stats().records.publications).toBe(1);
});

test('a client that stops in the middle of its request leaves nothing behind', async () => {
  const b = await start();
  const socket = connect(b.mi.address!.port, '127.0.0.1');
  socket.write(
    'POST /RPC HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"json',
  );
  await until(() => b.mi.waiting === 1, 'a call in progress');
  socket.destroy();
  await until(() => b.mi.waiting === 0, 'no call in progress');
});

test('stop: what is in progress gets its grace, then 503 that says that it goes on', async () => {
  const b = await start({ graceMs: 50 });
  b.presence.server.ignoreNext({ method: 'PUBLISH', times: Number.POSITIVE_INFINITY });
  const waiting = call(b.url, 'pua.publish', kamailio({ body: PIDF }));
  await until(() => b.mi.waiting === 1, 'a call in progress');
  const stopped = b.pua.stop(0);
  const { status, json } = await waiting;
  expect([status, json.error.data.fault]).toEqual([503, 'stopping']);
  await stopped;
  expect(b.mi.address).toBeNull();
  await expect(post(b.url, STATS)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
});
