/** The link to drachtio-server: made, refused, lost, back, ended. */
import { createServer, type Server } from 'node:net';
import { type ConnectingOptions, drachtioSip } from '@pua/drachtio';
import { DrachtioServer } from '@pua/testkit';
import { Setting, until } from './support';

const SECRET = 'a-secret-that-nobody-sees';

describe('start', () => {
  let server: DrachtioServer;
  beforeAll(async () => {
    server = await DrachtioServer.start({ secret: SECRET });
  });
  afterAll(() => server.stop());

  test('with the right secret the server lets us in and says where it is', async () => {
    const sip = drachtioSip({ port: server.port, secret: SECRET });
    expect(sip.addresses).toEqual([]);
    await sip.start(() => undefined);
    expect(sip.addresses).toEqual([server.address]);
    await sip.stop(0);
    expect(sip.addresses).toEqual([]);
    await until('the link is closed', () => server.links === 0);
  });

  test('a wrong secret is an error that names the remedy, and neither secret', async () => {
    const sip = drachtioSip({ port: server.port, secret: 'a-wrong-one' });
    const error: Error & { code?: string } = await sip.start(() => undefined).catch((caught) => caught);
    expect(error.code).toBe('PUA_ERR_LISTEN');
    expect(error.message).toBe(
      `drachtio-server at 127.0.0.1:${server.port} refuses the secret: use the one of its drachtio.conf.xml, <admin secret=...>`,
    );
    expect(JSON.stringify([error, error.cause, error.stack])).not.toMatch(/a-wrong-one|nobody-sees/);
    expect(server.links).toBe(0);
    await sip.stop(0);
  });

  test('a start that failed can be tried again', async () => {
    const gone = await DrachtioServer.start({ secret: SECRET });
    const { port } = gone;
    await gone.hangUp();
    const sip = drachtioSip({ port, secret: SECRET });
    const error: Error & { code?: string } = await sip.start(() => undefined).catch((caught) => caught);
    expect(error.code).toBe('PUA_ERR_LISTEN');
    expect(error.message).toBe(
      `cannot connect to drachtio-server at 127.0.0.1:${port} (connect ECONNREFUSED 127.0.0.1:${port}): is it running, is it this port?`,
    );
    await gone.listen(port);
    await sip.start(() => undefined);
    expect(sip.addresses).toHaveLength(1);
    await sip.stop(0);
    await gone.stop();
  });

  test('somebody else on that port', async () => {
    const other: Server = createServer((socket) => socket.destroy());
    await new Promise<void>((done) => other.listen(0, '127.0.0.1', done));
    const { port } = other.address() as { port: number };
    await expect(drachtioSip({ port }).start(() => undefined)).rejects.toMatchObject({
      code: 'PUA_ERR_LISTEN',
      message: expect.stringContaining('closed the connection: is it the admin port'),
    });
    await new Promise((done) => other.close(done));
  });
});

test('somebody who says nothing is an error after a while', async () => {
  const taken = new Promise<Server>((resolve) => {
    const silent = createServer((socket) => {
      socket.resume();
      resolve(silent);
    }).listen(0, '127.0.0.1', () => {
      jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask'] });
      const { port } = silent.address() as { port: number };
      refused = expect(drachtioSip({ port }).start(() => undefined)).rejects.toMatchObject({
        code: 'PUA_ERR_LISTEN',
        message: expect.stringContaining('does not answer: is it the admin port'),
      });
    });
  });
  let refused: Promise<void> = Promise.resolve();
  const silent = await taken;
  jest.advanceTimersByTime(10_000);
  await refused;
  jest.useRealTimers();
  await new Promise((done) => silent.close(done));
});

describe('options', () => {
  test.each([
    [{ host: '192.0.2.1' }, 'host "192.0.2.1" is not loopback'],
    [{ host: 'drachtio' }, 'host "drachtio" is not loopback'],
    [{ port: 0 }, 'port must be a number from 1 to 65535, not 0'],
    [{ secret: 'a|b' }, 'secret must be a text of one line without |'],
    [{ secret: '' }, 'secret must be a text'],
    [{ tls: {} } as ConnectingOptions, 'tls is not supported'],
    [{ userAgent: 'a\r\nb' }, 'userAgent must be printable ASCII'],
    [{ methods: ['NOTIFY', 'INVITE'] }, 'methods: "INVITE" can\'t be taken'],
  ])('%j is refused', (options: ConnectingOptions, message) => {
    expect(() => drachtioSip(options)).toThrow(
      expect.objectContaining({ code: 'PUA_ERR_OPTION', message: expect.stringContaining(message) }),
    );
  });

  test.each(['127.0.0.1', '127.1.2.3', '::1', 'localhost'])('%s is loopback', (host) => {
    expect(() => drachtioSip({ host })).not.toThrow();
  });
});

describe('loss', () => {
  let s: Setting;
  beforeEach(async () => {
    s = await Setting.open();
  });
  afterEach(() => s.close());

  test('what runs is unreachable and may have been sent; then nothing is sent; then it is back', async () => {
    const { binding } = (await s.send(s.draft({ method: 'SUBSCRIBE' }))) as { binding?: string };
    expect(binding).toMatch(/^\S{16,}$/);
    const unbound = new Promise((lost) => s.sip.onUnbound(lost));
    const { port } = s.server;

    s.presence.server.away();
    const running = s.send();
    await until('the request is on its way', () => s.server.links === 1);
    await s.server.hangUp();
    expect(await running).toMatchObject({
      kind: 'unreachable',
      sent: true,
      cause: new Error('the link to drachtio-server was lost'),
    });
    expect(s.sip.addresses).toEqual([]);
    expect(await s.send()).toMatchObject({
      kind: 'unreachable',
      sent: false,
      cause: new Error('the link to drachtio-server is down'),
    });

    s.presence.server.back();
    await s.server.listen(port);
    await until('the link is back', () => s.sip.addresses.length > 0);
    expect(await unbound).toBe(binding);
    expect(await s.send()).toMatchObject({ kind: 'response', status: 200 });
  });

  test('an answer to a request of the lost link goes nowhere and does no harm', async () => {
    await s.sip.stop(0);
    const waiting: (() => void)[] = [];
    await s.sip.start((request) => void waiting.push(() => request.reply(200)));
    const { body: _, ...subscription } = s.draft({ method: 'SUBSCRIBE' });
    await s.send({ ...subscription, contact: s.sip.contact('watcher', subscription.hop) });
    await until('a NOTIFY has come', () => waiting.length === 1);
    s.server.cut();
    await until('the link is down', () => s.sip.addresses.length === 0);
    waiting[0]!();
    await until('the link is back', () => s.sip.addresses.length > 0);
    expect(await s.send()).toMatchObject({ kind: 'response', status: 200 });
  });

  test('stop while the link is down ends all tries to get it back', async () => {
    const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
    const before = timers();
    await s.server.hangUp();
    await until('the link is down', () => s.sip.addresses.length === 0);
    expect(timers()).toBe(before + 1);
    await s.sip.stop(0);
    expect(timers()).toBe(before);
  });
});
