/** Digest authentication when something is wrong with it. */
import { type LaunchedMariadb, launchMariadb, peersReady } from '@pua/testkit';
import { type Client, type ClientOptions, startClient } from './support/client';
import { document } from './support/documents';
import { CREDENTIALS, DOMAIN, Peer, uriOf } from './support/peer';
import { publishing } from './support/rpc';

jest.setTimeout(30_000);

const SHORT = 2;

(peersReady(['mariadb', 'kamailio']) ? describe : describe.skip)('Kamailio asks for credentials', () => {
  let mariadb: LaunchedMariadb;
  let peer: Peer;
  const clients: Client[] = [];

  beforeAll(async () => {
    mariadb = await launchMariadb();
    peer = await Peer.launch({ mariadb, digest: true });
  });
  afterEach(async () => {
    for (const client of clients.splice(0)) await client.stop();
  });
  afterAll(async () => {
    await peer?.stop();
    await mariadb?.stop();
  });

  async function clientWith(...credentials: NonNullable<ClientOptions['credentials']>): Promise<Client> {
    const client = await startClient({ outboundProxy: peer.kamailio.uri, defaultExpires: SHORT, credentials });
    clients.push(client);
    return client;
  }

  test('wrong or no credentials: the command fails with 407, nothing is published, nobody knocks again and again', async () => {
    const wrong = await clientWith({ realm: '*', username: CREDENTIALS.username, password: 'guess' });
    const other = await clientWith({ realm: 'elsewhere.invalid', ...CREDENTIALS });
    const right = await clientWith({ realm: DOMAIN, ...CREDENTIALS });
    for (const [client, user] of [
      [wrong, 'alice'],
      [other, 'bert'],
    ] as const) {
      const { error } = await client.post('pua.publish', publishing(uriOf(user), -1, document(user, 'no')));
      expect(error).toMatchObject({ code: 502, data: { fault: 'rejected', status: 407, retrying: true } });
      expect(error!.message).toContain('407');
      expect(JSON.stringify(error)).not.toContain('guess');
      const subscribed = await client.post('pua.subscribe', [uriOf(user), uriOf('wanda'), 'presence', '-1']);
      expect(subscribed.error).toMatchObject({ code: 502, data: { fault: 'rejected', status: 407, retrying: true } });
    }
    // Time passes: somebody else's lifetimes are refreshed twice.
    await right.publish(uriOf('carol'), -1, document('carol', 'yes'));
    const seen = new Set<string>();
    await peer.publication('carol', ({ etag }) => seen.add(etag).size === 3);
    expect(right.wire.count(407)).toBe(1);

    for (const [client, answered] of [
      [wrong, [false, true]],
      [other, [false]],
    ] as const) {
      for (const method of ['PUBLISH', 'SUBSCRIBE']) {
        const sent = client.wire.of(method);
        expect(sent.map(({ authorized, status }) => [authorized, status])).toEqual(answered.map((yes) => [yes, 407]));
      }
    }
    expect([await peer.publications('alice'), await peer.publications('bert')]).toEqual([[], []]);
    expect([await peer.subscriptions('alice', 'wanda'), await peer.subscriptions('bert', 'wanda')]).toEqual([[], []]);
  });

  test('a server that has forgotten its nonces asks once more', async () => {
    const client = await clientWith({ realm: '*', ...CREDENTIALS });
    const body = document('dora', 'on and on');
    await client.publish(uriOf('dora'), 60, body);
    const row = await peer.publication('dora');
    await peer.crash();
    await peer.kamailio.restart();
    const { 'SIP-ETag': etag } = await client.publish(uriOf('dora'), 60, document('dora', 'and on'));
    const after = await peer.publication('dora', (now) => now.etag === etag);
    expect(after.id).toBe(row.id);
    await client.publish(uriOf('dora'), 60, body);
    const statuses = client.wire.of('PUBLISH').map(({ authorized, status }) => [authorized, status]);
    expect(statuses).toEqual([
      [false, 407],
      [true, 200],
      [true, 407],
      [true, 200],
      [true, 200],
    ]);
  });
});
