/** The section `sip.tls` reaches the engine: a PUBLISH by TLS to a PUA that was made of a file. */
import { parseConfig, runApp } from '@pua/bundle';
import { missingPeers, startPresenceServer } from '@pua/testkit';
import { pino } from 'pino';
import { makeCertificates } from '../../sip/test/certificates';

const openssl = missingPeers(['openssl']).packages.length === 0 || process.env.CI === 'true';

(openssl ? test : test.skip)('it listens with its certificate, and trusts the authority of its peer', async () => {
  const certificates = makeCertificates();
  const { cert, key } = certificates.client;
  const { server, uri } = await startPresenceServer({ listen: ['tls:127.0.0.1:0'], tls: certificates.server });
  const { config } = parseConfig(
    `sip:
  listen: [tls:127.0.0.1:0, wss:127.0.0.1:0, tcp:127.0.0.1:0]
  tls: { cert: ${cert}, key: ${key}, ca: ${certificates.ca} }
pua: { db_url: "memory:", outbound_proxy: ${uri} }
`,
    'pua.yaml',
  );
  const { pua, sip, stop } = await runApp(config, { logger: pino({ enabled: false }) });
  try {
    expect(sip.addresses.map(({ transport }) => transport)).toEqual(['tls', 'wss', 'tcp']);
    pua.addEvent({ name: 'presence', contentType: 'application/pidf+xml' });
    const { result } = pua.sendPublish({
      presUri: 'sip:alice@example.com',
      event: 'presence',
      sourceFlag: 'RPC_PUBLISH',
      body: 'here',
    });
    expect(await result).toMatchObject({ outcome: 'accepted' });
    expect(server.requests.map(({ source }) => source.transport)).toEqual(['tls']);
  } finally {
    await stop(0);
    await server.stop();
    certificates.remove();
  }
});
