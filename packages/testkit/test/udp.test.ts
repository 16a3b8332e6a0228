import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { embeddedSip } from '@pua/sip';
import { PresenceServerProcess, startPresenceServer, Watcher } from '@pua/testkit';

jest.setTimeout(30_000);

const ALICE = 'sip:alice@example.com';
const sip = () => embeddedSip({ listen: ['udp:127.0.0.1:0'] });

test('a server on a real socket: PUBLISH, SUBSCRIBE, NOTIFY, and it is gone when it is stopped', async () => {
  const { server, port, uri, addresses } = await startPresenceServer();
  expect(addresses).toEqual([{ transport: 'udp', host: '127.0.0.1', port }]);
  expect(uri).toBe(`sip:127.0.0.1:${port}`);
  const watcher = new Watcher({ sip: sip(), server: uri });
  await watcher.start();
  const watching = await watcher.subscribe(ALICE, 'presence');
  const published = await watcher.client.publish(ALICE, { body: '<presence/>', expires: 600 });
  expect(published.status).toBe(200);
  await expect(watching.waitFor(({ body }) => body === '<presence/>', 5000)).resolves.toMatchObject({
    state: 'active',
  });

  const options = await watcher.client.ask({ method: 'OPTIONS', uri });
  expect([options.status, options.headers.get('Allow')]).toEqual([200, expect.stringContaining('PUBLISH')]);
  expect(options.headers.get('Allow-Events')).toContain('presence');

  server.ignoreNext({ method: 'PUBLISH' });
  const ignored = await watcher.client.send({
    method: 'PUBLISH',
    uri: ALICE,
    timeoutMs: 300,
    headers: [['Event', 'presence']],
  });
  expect(ignored.kind).toBe('timeout');
  await server.stop();
  await watcher.stop();
  const again = await startPresenceServer({ listen: [`udp:127.0.0.1:${port}`] });
  expect(again.port).toBe(port);
  await again.server.stop();
});

describe('as a process of its own', () => {
  let server: PresenceServerProcess;
  const watcher = () => new Watcher({ sip: sip(), server: server.uri });

  beforeEach(async () => {
    server = await PresenceServerProcess.launch({ limits: { min: 10 } });
  });
  afterEach(() => server.stop());

  test('it does what its commands say and shows what it saw, without secrets', async () => {
    const peer = watcher();
    await peer.start();
    await server.command('answerNext', { method: 'PUBLISH', status: 503, headers: [['Retry-After', '2']] });
    const busy = await peer.client.publish(ALICE, {
      body: '<p/>',
      expires: 60,
      headers: [['Authorization', 'Digest secret']],
    });
    expect([busy.status, busy.headers.get('Retry-After')]).toEqual([503, '2']);
    expect((await peer.client.publish(ALICE, { body: '<p/>', expires: 9 })).status).toBe(423);
    const etag = (await peer.client.publish(ALICE, { body: '<p/>', expires: 60 })).headers.get('SIP-ETag')!;
    const watching = await peer.subscribe(ALICE, 'presence');
    await watching.waitFor(({ body }) => body === '<p/>', 5000);

    const requests = await server.command<{ status: number; body?: string }[]>('requests', {
      method: 'PUBLISH',
      body: true,
    });
    expect(requests.map(({ status, body }) => [status, body])).toEqual(
      [503, 423, 200].map((status) => [status, '<p/>']),
    );
    expect(JSON.stringify(requests)).not.toContain('secret');
    expect(await server.command('publications')).toMatchObject([
      { presentity: 'alice@example.com', etag, body: '<p/>' },
    ]);
    expect(await server.command('subscriptions')).toMatchObject([{ state: 'active', callId: watching.callId }]);
    expect(await server.command('stats')).toMatchObject({ received: { PUBLISH: 3, SUBSCRIBE: 1 }, publications: 1 });

    expect(
      await server.command('terminate', { presentity: 'alice@example.com', reason: 'giveup', retryAfter: 5 }),
    ).toBe(1);
    await expect(watching.waitFor(({ state }) => state === 'terminated', 5000)).resolves.toMatchObject({
      reason: 'giveup',
      retryAfter: 5,
    });

    await server.command('restart', { forget: true });
    expect((await peer.client.publish(ALICE, { etag, expires: 60 })).status).toBe(412);
    await server.command('answerNext', { status: 500, times: 'Infinity' });
    for (let i = 0; i < 2; i++) expect((await peer.client.publish(ALICE, { body: '<p/>' })).status).toBe(500);
    await server.command('clearScript');
    await server.command('requireDigest', { realm: 'r', users: { alice: 'pw' } });
    expect((await peer.client.publish(ALICE, { body: '<p/>' })).status).toBe(401);
    await server.command('away');
    const away = await peer.client.send({
      method: 'PUBLISH',
      uri: ALICE,
      timeoutMs: 300,
      headers: [['Event', 'presence']],
    });
    expect(away.kind).toBe('timeout');
    await server.command('back');
    await peer.stop();
  });

  test('wrong commands get an error that says what is right', async () => {
    await expect(server.command('explode')).rejects.toThrow('unknown command explode; known: away, back,');
    await expect(server.command('constructor')).rejects.toThrow('unknown command');
    await expect(server.command('answerNext', { status: 7 })).rejects.toThrow('200..699');
    await expect(server.command('terminate', { callId: 'x' })).rejects.toThrow('find it by callId');
  });

  test('killed, it is gone at once, and commands fail', async () => {
    await server.kill();
    expect(server.running).toBe(false);
    await expect(server.command('stats')).rejects.toThrow('has ended');
  });
});

test('the process reports what keeps it from starting', async () => {
  await expect(PresenceServerProcess.launch({ listen: ['udp:nonsense'] })).rejects.toThrow(/did not start: .*nonsense/);
});

test('the process ends with its input, and with the command stop', async () => {
  for (const end of ['input', 'command'] as const) {
    const program = require.resolve('../dist/presence-server.js');
    const child = spawn(process.execPath, [program], { stdio: ['pipe', 'pipe', 'inherit'] });
    const lines = createInterface({ input: child.stdout });
    const [ready] = (await once(lines, 'line')) as [string];
    expect(JSON.parse(ready)).toMatchObject({ ready: true, pid: child.pid });
    child.stdin.write('not json\n');
    const [answer] = (await once(lines, 'line')) as [string];
    expect(JSON.parse(answer)).toMatchObject({ id: null, ok: false });
    if (end === 'input') child.stdin.end();
    else child.stdin.write('{"command":"stop"}\n');
    expect(await once(child, 'exit')).toEqual([0, null]);
  }
});
