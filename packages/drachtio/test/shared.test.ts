/** An Srf that others use as well. */
import { type DrachtioSip, drachtioSip } from '@pua/drachtio';
import { DrachtioServer, WirePeer } from '@pua/testkit';
import Srf from 'drachtio-srf';
import { until } from './support';

let server: DrachtioServer;
let peer: WirePeer;
let srf: Srf;
let sip: DrachtioSip;
/** What the other handler of the application got. */
let others: string[];
let calls = 0;

function connect(): Promise<void> {
  return new Promise((resolve, reject) => {
    srf.once('connect', (error: Error | null) => (error ? reject(error) : resolve()));
    srf.connect({ host: '127.0.0.1', port: server.port, secret: server.secret });
  });
}

/** Status of the answer to a NOTIFY from outside. */
async function notify(event: string): Promise<number> {
  const { host, port } = server.address;
  const uri = `sip:x@${host}:${port}`;
  const branch = peer.send({
    method: 'NOTIFY',
    uri,
    callId: `shared-${++calls}`,
    to: `<${uri}>`,
    headers: [`Event: ${event}`],
  });
  return (await peer.response(branch)).status;
}

/** Takes NOTIFYs of the event `presence`. */
const start = () =>
  sip.start((request) => (request.headers.get('Event') === 'presence' ? request.reply(200) : request.pass()));

function otherHandler(): void {
  srf.use('notify', (request, response, next) => {
    others.push(request.get('event'));
    if (request.get('event') === 'conference') response.send(202);
    else next();
  });
}

beforeEach(async () => {
  server = await DrachtioServer.start();
  peer = await WirePeer.open();
  srf = new Srf();
  srf.on('error', () => undefined);
  others = [];
  sip = drachtioSip({ srf });
});
afterEach(async () => {
  await sip.stop(0);
  srf.disconnect();
  await until('the link is closed', () => server.links === 0);
  await server.stop();
  await peer.close();
});

test('what is not ours goes on to the next handler, and to nobody when there is none', async () => {
  await connect();
  await start();
  otherHandler();
  expect(await notify('presence')).toBe(200);
  expect(await notify('conference')).toBe(202);
  // drachtio-srf's own word for a request that nobody took.
  expect(await notify('dialog')).toBe(404);
  expect(others).toEqual(['conference', 'dialog']);
});

test('it may be connected before or after, and start() waits for it', async () => {
  const started = start();
  await connect();
  await started;
  expect(sip.addresses).toEqual([server.address]);
  expect(await notify('presence')).toBe(200);
});

test('stop leaves the link alone and passes everything on; a second start takes it up again', async () => {
  await connect();
  await start();
  otherHandler();
  await sip.stop(0);
  expect(server.links).toBe(1);
  expect(await notify('conference')).toBe(202);
  expect(await notify('presence')).toBe(404);
  await start();
  expect(await notify('presence')).toBe(200);
  expect(others).toEqual(['conference', 'presence']);
});

test('requests of the application and ours do not disturb each other', async () => {
  await connect();
  await start();
  const { hop } = peer;
  const to = `sip:bob@${hop.host}:${hop.port}`;
  const theirs = new Promise<number>((resolve) => {
    const options = { method: 'OPTIONS', headers: {} } as never;
    const sent = (_: unknown, request: { on(event: string, listener: (answer: { status: number }) => void): void }) =>
      request.on('response', ({ status }) => resolve(status));
    (srf.request as unknown as (uri: string, options: never, callback: typeof sent) => void)(to, options, sent);
  });
  const ours = new Promise((done) =>
    sip.request(
      {
        method: 'PUBLISH',
        uri: to,
        callId: 'ours',
        cseq: 1,
        from: { uri: to, tag: 'x' },
        to: { uri: to },
        routes: [],
        headers: [],
        hop,
      },
      done,
    ),
  );
  for (let i = 0; i < 2; i++) {
    const request = await peer.requests.take();
    peer.answer(request, request.method === 'PUBLISH' ? 200 : 405);
  }
  expect(await theirs).toBe(405);
  expect(await ours).toMatchObject({ kind: 'response', status: 200 });
});

test('an Srf that waits for the server is refused', async () => {
  const waiting = new Srf();
  const listener = (waiting as unknown as { listen(options: object): import('node:net').Server }).listen({
    port: 0,
    host: '127.0.0.1',
    secret: server.secret,
  });
  await expect(drachtioSip({ srf: waiting }).start(() => undefined)).rejects.toMatchObject({
    code: 'PUA_ERR_OPTION',
    message: expect.stringContaining('waits for the server'),
  });
  await new Promise((done) => listener.close(done));
  await connect();
});

test('one with TLS is refused: it would come back in plain text', async () => {
  await connect();
  const { client } = (srf as unknown as { app: { client: { mapServer: Map<object, unknown> } } }).app;
  for (const socket of client.mapServer.keys()) Object.assign(socket, { encrypted: true });
  await expect(start()).rejects.toMatchObject({
    code: 'PUA_ERR_OPTION',
    message: expect.stringContaining('connected with TLS'),
  });
});

test('one that nobody connects is an error after a while', async () => {
  jest.useFakeTimers();
  const started = start();
  const refused = expect(started).rejects.toMatchObject({
    code: 'PUA_ERR_LISTEN',
    message: expect.stringContaining('call its connect() before'),
  });
  jest.advanceTimersByTime(10_000);
  await refused;
  jest.useRealTimers();
  await connect();
});
