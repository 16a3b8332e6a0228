/** The main job against Debian's Kamailio over connections: TCP and TLS, both directions, and after it was restarted. */
import { type LaunchedMariadb, launchMariadb, peersReady } from '@pua/testkit';
import { type Certificates, hasOpenssl, makeCertificates } from '../../../sip/test/certificates';
import { type Client, startClient } from './support/client';
import { asNotified, document, noteOf } from './support/documents';
import { eventually } from './support/eventually';
import { Peer, uriOf } from './support/peer';

jest.setTimeout(30_000);

/** Refreshed after half of it, seconds. */
const SHORT = 4;

const ready = peersReady(['mariadb', 'kamailio']) && hasOpenssl;
let mariadb: LaunchedMariadb;
let certificates: Certificates;
beforeAll(async () => {
  if (!ready) return;
  certificates = makeCertificates();
  mariadb = await launchMariadb();
});
afterAll(async () => {
  await mariadb?.stop();
  certificates?.remove();
});

(ready ? describe : describe.skip).each(['tcp', 'tls'])('Kamailio over %s', (transport) => {
  let peer: Peer;
  let client: Client;
  const proxy = () => (transport === 'tls' ? peer.kamailio.tlsUri : `${peer.kamailio.uri};transport=tcp`);

  beforeAll(async () => {
    peer = await Peer.launch({ mariadb, tls: certificates.server });
    // Kamailio's NOTIFYs come to us by a connection of its own: it takes our certificate unseen.
    const { ca, server } = certificates;
    client = await startClient({
      outboundProxy: proxy(),
      defaultExpires: SHORT,
      listen: [`${transport}:127.0.0.1:0`],
      tls: { ca, ...server },
      policy: { backoffBase: 100, backoffCap: 200 },
    });
  });
  afterAll(async () => {
    await client?.stop();
    await peer?.stop();
  });

  test('publish, modify, be notified, un-publish: nothing goes by UDP', async () => {
    await client.publish(uriOf('alice'), 600, document('alice', 'one'));
    const before = await peer.publication('alice');
    await client.call('pua.subscribe', [uriOf('alice'), uriOf('wanda'), 'presence', '600']);
    const { contact } = await peer.subscription('alice', 'wanda');
    expect(contact).toContain(`transport=${transport}`);
    // Larger than a datagram should be.
    const changed = document('alice', 'two '.repeat(2_000));
    const { 'SIP-ETag': etag } = await client.publish(uriOf('alice'), 600, changed);
    const after = await peer.publication('alice', (row) => row.etag === etag);
    expect([after.id, after.body.toString('utf8')]).toEqual([before.id, changed]);
    await eventually(
      'NOTIFY with the new document',
      () => client.notified,
      (all) => all.includes(asNotified(changed)),
    );
    expect([...client.notifiedBy]).toEqual([transport.toUpperCase()]);
    await client.call('pua.unpublish', { uri: uriOf('alice'), event: 'presence' });
    await client.call('pua.unsubscribe', [uriOf('alice'), uriOf('wanda'), 'presence']);
    await eventually(
      'no row',
      async () => [...(await peer.publications('alice')), ...(await peer.subscriptions('alice', 'wanda'))],
      (rows) => rows.length === 0,
    );
    expect([...client.wire.of('PUBLISH'), ...client.wire.of('SUBSCRIBE')]).toEqual([]);
  });

  test('Kamailio is restarted: its connections are gone, refreshes make new ones, nothing is lost', async () => {
    await client.publish(uriOf('bert'), -1, document('bert', 'still here'));
    await client.call('pua.subscribe', [uriOf('bert'), uriOf('willi'), 'presence', '-1']);
    const row = await peer.publication('bert');
    const opened = await peer.subscription('bert', 'willi');
    await peer.kamailio.restart('kill');
    const kept = await peer.publication('bert', ({ etag }) => etag !== row.etag);
    expect([kept.id, noteOf(kept.body.toString('utf8'))]).toEqual([row.id, 'still here']);
    const subscription = await peer.subscription(
      'bert',
      'willi',
      ({ remote_cseq }) => remote_cseq > opened.remote_cseq,
    );
    expect(subscription.callid).toBe(opened.callid);
    const told = client.notified.length;
    await client.publish(uriOf('bert'), -1, document('bert', 'changed'));
    await eventually(
      'NOTIFY by a new connection',
      () => client.notified.slice(told).map(noteOf),
      (notes) => notes.includes('changed'),
    );
  });

  if (transport === 'tls')
    test('a certificate that nobody we trust has signed: nothing is sent', async () => {
      const stranger = await startClient({
        outboundProxy: proxy(),
        listen: ['tls:127.0.0.1:0'],
        tls: { ca: certificates.stranger.cert, ...certificates.server },
      });
      const { error } = await stranger.post('pua.publish', [
        uriOf('eve'),
        '600',
        'presence',
        '.',
        '.',
        '.',
        '.',
        '.',
        document('eve', 'x'),
      ]);
      expect(error?.message).toMatch(/certificate|unreachable|self-signed|issuer/i);
      expect(await peer.publications('eve')).toEqual([]);
      await stranger.stop();
    });
});
