/** The adapter keeps the contract of SipPort, over the double and, if there is one, over a real server. */
import { drachtioSip } from '@pua/drachtio';
import { DrachtioServer, sipPortCompliance } from '@pua/testkit';

const methods = ['NOTIFY', 'MESSAGE'];
const traits = { countsCseq: true, answersByItself: true };

describe('over the double of drachtio-server', () => {
  const cases = sipPortCompliance(async (clock) => {
    const server = await DrachtioServer.start();
    const port = drachtioSip({ port: server.port, methods, ...(clock ? { clock } : {}) });
    return { port, close: () => server.stop() };
  }, traits);
  for (const { name, run } of cases) test(name, run);
});
