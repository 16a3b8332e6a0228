/** The adapter keeps the contract of SipPort, over the double and, where there is one, over a real server. */
import { type ConnectingOptions, drachtioSip } from '@pua/drachtio';
import { DrachtioServer, type SipPortTraits, sipPortCompliance } from '@pua/testkit';

const methods = ['NOTIFY', 'MESSAGE'];
const traits: SipPortTraits = { countsCseq: true, answersByItself: true };

describe('over the double of drachtio-server', () => {
  const cases = sipPortCompliance(async (clock) => {
    const server = await DrachtioServer.start();
    const port = drachtioSip({ port: server.port, methods, ...(clock ? { clock } : {}) });
    return { port, close: () => server.stop() };
  }, traits);
  for (const { name, run } of cases) test(name, run);
});

/** `drachtio://:secret@127.0.0.1:9022`; its SIP must be on udp:127.0.0.1. */
const url = process.env.DRACHTIO_URL;
if (!url) {
  process.stderr.write('DRACHTIO_URL is not set: the contract over a real drachtio-server is left out\n');
}

(url ? describe : describe.skip)('over a real drachtio-server', () => {
  const cases = sipPortCompliance(
    async (clock) => ({ port: drachtioSip({ ...real(), methods, ...(clock ? { clock } : {}) }) }),
    traits,
  );
  for (const { name, run } of cases) test(name, run);
});

function real(): ConnectingOptions {
  const { hostname, port, password } = new URL(url!);
  return { host: hostname, port: Number(port || 9022), secret: decodeURIComponent(password) };
}
