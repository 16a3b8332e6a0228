/** The presence server by every transport: PUBLISH, SUBSCRIBE, NOTIFY. */
import { embeddedSip } from '@pua/sip';
import { missingPeers, startPresenceServer, Watcher } from '@pua/testkit';
import { type Certificates, makeCertificates } from '../../sip/test/certificates';

jest.setTimeout(30_000);

const ALICE = 'sip:alice@example.com';
const openssl = missingPeers(['openssl']).packages.length === 0 || process.env.CI === 'true';

let certificates: Certificates | undefined;
beforeAll(() => {
  if (openssl) certificates = makeCertificates();
});
afterAll(() => certificates?.remove());

describe.each([
  // [transport of the server, what the watcher listens on, transport of its NOTIFYs]
  ['tcp', 'tcp:127.0.0.1:0', 'tcp'],
  ['tcp', 'udp:127.0.0.1:0', 'udp'],
  ['ws', 'udp:127.0.0.1:0', 'ws'],
  ...(openssl
    ? [
        ['tls', 'tls:127.0.0.1:0', 'tls'],
        ['wss', 'udp:127.0.0.1:0', 'wss'],
      ]
    : []),
])('by %s, with a watcher on %s', (transport, listen, notified) => {
  test('the document comes, by the transport of the Contact', async () => {
    const tls = certificates && { ...certificates.server, ca: certificates.ca };
    const { server, uri, addresses } = await startPresenceServer({
      listen: [`${transport}:127.0.0.1:0`, 'udp:127.0.0.1:0'],
      ...(tls ? { tls } : {}),
    });
    expect(uri).toBe(`sip:127.0.0.1:${addresses[0]!.port};transport=${transport}`);
    const watcher = new Watcher({ sip: embeddedSip({ listen: [listen], ...(tls ? { tls } : {}) }), server: uri });
    await watcher.start();
    const watching = await watcher.subscribe(ALICE, 'presence');
    expect(watching.answer!.status).toBe(200);
    const published = await watcher.client.publish(ALICE, { body: '<presence/>', expires: 600 });
    expect(published.status).toBe(200);
    const { request } = await watching.waitFor(({ body }) => body === '<presence/>', 5000);
    expect(request.source.transport).toBe(notified);
    expect(server.requests.map(({ source }) => source.transport)).toEqual([transport, transport]);
    await watching.unsubscribe();
    await watching.waitFor(({ state }) => state === 'terminated', 5000);
    await watcher.stop();
    await server.stop();
  });
});
