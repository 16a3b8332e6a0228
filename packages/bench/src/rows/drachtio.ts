/**
 * sendPublish() through @pua/drachtio against a loop of `srf.request` with the same documents, both on the test kit's
 * double of drachtio-server; with DRACHTIO_URL (`drachtio://:secret@127.0.0.1:9022`) on that server.
 */
import { drachtioSip } from '@pua/drachtio';
import DrachtioSrf from 'drachtio-srf';
import { Outstanding } from '../load/outstanding.js';
import { documents, PRESENTITIES, publishing } from '../load/publishing.js';
import { Stopwatch, sleep, warmUp } from '../load/stopwatch.js';
import { type Peer, startPeer } from '../peer/start.js';
import { type Effort, type Row, type Sample, scaled } from '../row.js';

interface Access {
  readonly host: string;
  readonly port: number;
  readonly secret: string;
}

async function onServer(measure: (access: Access, double: Readonly<Record<string, Peer>>) => Promise<Sample>) {
  const given = process.env['DRACHTIO_URL'];
  if (given) {
    const { hostname, port, password } = new URL(given);
    return measure({ host: hostname, port: Number(port || 9022), secret: decodeURIComponent(password) || 'cymru' }, {});
  }
  const double = await startPeer('drachtio-server');
  const sample = await measure({ host: '127.0.0.1', port: double.port, secret: 'cymru' }, { double });
  await double.stop();
  return sample;
}

/** The part of drachtio-srf that is used here; its own declarations leave most of it out. */
interface Srf {
  connect(access: Access): void;
  disconnect(): void;
  on(event: 'connect' | 'error', listener: (error: Error | null) => void): void;
  request(
    uri: string,
    options: { method: string; headers: Record<string, string>; body: string; proxy: string },
    callback: (
      error: Error | null,
      sent: { on(event: 'response', listener: (response: Response) => void): void },
    ) => void,
  ): void;
}

interface Response {
  readonly status: number;
}

async function connected(access: Access): Promise<Srf> {
  const srf = new DrachtioSrf() as unknown as Srf;
  await new Promise<void>((resolve, reject) => {
    srf.on('error', reject);
    srf.on('connect', (error) => (error ? reject(error) : resolve()));
    srf.connect(access);
  });
  return srf;
}

async function bare(access: Access, double: Readonly<Record<string, Peer>>, effort: Effort): Promise<Sample> {
  const server = await startPeer('answerer', 'sip');
  const srf = await connected(access);
  const all = documents(scaled(PRESENTITIES, effort));
  const fields = { Event: 'presence', Expires: '3600', 'Content-Type': 'application/pidf+xml' };
  const proxy = `sip:127.0.0.1:${server.port}`;
  const loop = new Outstanding((n, done) => {
    const { uri, body } = all[n % all.length]!;
    const headers = { ...fields, From: `<${uri}>`, To: `<${uri}>` };
    srf.request(uri, { method: 'PUBLISH', headers, body, proxy }, (error, sent) => {
      if (error) done(error.message);
      else sent.on('response', ({ status }) => done(status === 200 ? undefined : status));
    });
  });
  loop.start(effort.window);
  await warmUp(effort, () => loop.succeeded);
  const watch = await Stopwatch.start({ server, ...double }, loop.succeeded);
  await sleep(effort.measureMs);
  await loop.stop();
  const sample = await watch.stop(loop.succeeded, {});
  srf.disconnect();
  await server.stop();
  return sample;
}

export const drachtio: Row = {
  name: 'drachtio',
  what: 'sendPublish through @pua/drachtio, storage off',
  unit: 'k/s',
  n: PRESENTITIES,
  goal: { atLeast: 0.8 },
  ours: (effort) => onServer((access, between) => publishing(effort, { sip: drachtioSip(access), between })),
  against: {
    name: 'srf.request',
    measure: (effort) => onServer((access, double) => bare(access, double, effort)),
  },
};
