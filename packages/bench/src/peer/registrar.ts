/** The product between phones and a presence server: `registrar.js SERVER_PORT [DB_URL]`. */
import { createPua } from '@pua/core';
import { embeddedSip } from '@pua/sip';
import { registrar } from '@pua/sources';
import { openStore } from '@pua/store';
import { usrloc } from '@pua/usrloc';
import { ready } from './peer.js';

async function main(): Promise<void> {
  const [serverPort, url] = process.argv.slice(2);
  const sip = embeddedSip({ listen: ['udp:127.0.0.1:0'] });
  const pua = createPua({
    sip,
    outboundProxy: `sip:127.0.0.1:${serverPort}`,
    ...(url === undefined ? {} : { store: openStore(url) }),
  });
  const source = registrar({ trusted: ['127.0.0.1/32'] });
  pua.use(source);
  pua.use(usrloc({ source }));
  await pua.start();
  ready(sip.addresses[0]!.port);
}

main().catch((error: unknown) => {
  console.error(error);
  process.exit(1);
});
