/** `sip.engine: drachtio`. */
import { parseConfig, runApp } from '@pua/bundle';
import { DrachtioServer, type StartedServer, startPresenceServer } from '@pua/testkit';
import { pino } from 'pino';
import { configFile, pua, removeFolders } from './support';

const SECRET = 'not-for-everyone';

let drachtio: DrachtioServer;
let presence: StartedServer;
beforeAll(async () => {
  drachtio = await DrachtioServer.start({ secret: SECRET });
  presence = await startPresenceServer();
});
afterAll(async () => {
  await drachtio.stop();
  await presence.server.stop();
  removeFolders();
});

const config = (port: number, secret: string) =>
  `sip: { engine: drachtio, drachtio: { port: ${port}, secret: ${secret} } }\n` +
  `pua: { db_url: "memory:", outbound_proxy: "${presence.uri}" }\nmodules: { mi: { listen: 127.0.0.1:0 } }\n`;

test('the program publishes through drachtio-server, and says when the link is down', async () => {
  const loaded = parseConfig(config(drachtio.port, SECRET), 'pua.yaml');
  const app = await runApp(loaded.config, { logger: pino({ enabled: false }) });
  expect(app.sip.addresses).toEqual([drachtio.address]);
  const { result } = app.pua.sendPublish({
    presUri: 'sip:alice@example.com',
    event: 'presence',
    sourceFlag: 'RPC_PUBLISH',
    body: '<presence xmlns="urn:ietf:params:xml:ns:pidf" entity="sip:alice@example.com"><tuple id="a"><status/></tuple></presence>',
  });
  expect(await result).toMatchObject({ outcome: 'accepted', status: 200 });
  expect(presence.server.requests[0]!.headers.get('User-Agent')).toMatch(/^pua\//);

  const health = async () => (await fetch(`${app.mi!.address!.url}/health`)).json();
  expect(await health()).toMatchObject({ ok: true, checks: { sip: 'ok' } });
  const { port } = drachtio;
  await drachtio.hangUp();
  while (app.sip.addresses.length > 0) await new Promise((resolve) => setImmediate(resolve));
  expect(await health()).toMatchObject({ ok: false, checks: { sip: 'the link to drachtio-server is down' } });
  await app.stop(0);
  await drachtio.listen(port);
});

test('check says where SIP goes, and not the secret', async () => {
  const { code, out } = await pua('check', '--config', configFile(config(9022, SECRET)));
  expect(code).toBe(0);
  expect(out).toContain(
    '# SIP by drachtio-server at 127.0.0.1:9022; sip.listen, sip.advertise and sip.tls have no effect\n',
  );
  expect(out).not.toContain(SECRET);
});

test('a wrong secret: exit 1 and one clear message', async () => {
  const { code, err } = await pua('run', '--config', configFile(config(drachtio.port, 'the-wrong-one')));
  expect(code).toBe(1);
  expect(err).toBe(
    `pua: drachtio-server at 127.0.0.1:${drachtio.port} refuses the secret: use the one of its drachtio.conf.xml, <admin secret=...>\n`,
  );
});

test('nobody there: exit 1 and one clear message', async () => {
  const gone = await DrachtioServer.start();
  const { port } = gone;
  await gone.stop();
  const { code, err } = await pua('run', '--config', configFile(config(port, SECRET)));
  expect(code).toBe(1);
  expect(err).toBe(
    `pua: cannot connect to drachtio-server at 127.0.0.1:${port} (connect ECONNREFUSED 127.0.0.1:${port}): is it running, is it this port?\n`,
  );
});
