/** The adapter keeps the contract of SipPort, over the double and, where there is one, over a real server. */
import { drachtioSip } from '@pua/drachtio';
import { DrachtioServer, type SipPortTraits, sipPortCompliance } from '@pua/testkit';
import { realServer } from './calls/support';

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

const url = process.env.DRACHTIO_URL;
if (!url) {
  process.stderr.write('DRACHTIO_URL is not set: the contract and calls over a real drachtio-server are left out\n');
}

(url ? describe : describe.skip)('over a real drachtio-server', () => {
  const cases = sipPortCompliance(
    async (clock) => ({ port: drachtioSip({ ...realServer(url!), methods, ...(clock ? { clock } : {}) }) }),
    traits,
  );
  for (const { name, run } of cases) test(name, run);
});
