/** Kamailio forgets, or is away: what was asked for comes back without a further command. */
import { type LaunchedMariadb, launchMariadb, peersReady } from '@pua/testkit';
import { type Client, startClient } from './support/client';
import { asNotified, document, HARD_NOTE, noteOf } from './support/documents';
import { eventually } from './support/eventually';
import { Peer, uriOf } from './support/peer';
import { publishing } from './support/rpc';

jest.setTimeout(30_000);

/** Longest lifetime that Kamailio grants, seconds: whatever is asked for, a refresh follows after half of it. */
const GRANTED = 4;

(peersReady(['mariadb', 'kamailio']) ? describe : describe.skip)('Kamailio forgets or is away', () => {
  let mariadb: LaunchedMariadb;
  let peer: Peer;
  let client: Client;

  beforeAll(async () => {
    mariadb = await launchMariadb();
    peer = await Peer.launch({ mariadb, maxExpires: GRANTED });
  });
  afterAll(async () => {
    await peer?.stop();
    await mariadb?.stop();
  });
  afterEach(() => client?.stop());

  test('tables emptied, server restarted: 412 and 481 are repaired, watchers see the document again', async () => {
    client = await startClient({ outboundProxy: peer.kamailio.uri });
    const body = document('alice', HARD_NOTE);
    const published = await client.publish(uriOf('alice'), 3600, body);
    expect(published['Expires']).toBe(GRANTED);
    await client.call('pua.subscribe', [uriOf('alice'), uriOf('wanda'), 'presence', '3600']);
    const lost = await peer.publication('alice');
    const opened = await peer.subscription('alice', 'wanda');
    await eventually(
      'NOTIFY',
      () => client.notified,
      (all) => all.includes(asNotified(body)),
    );

    await peer.crash();
    await peer.kamailio.clear();
    await peer.kamailio.restart();

    const again = await peer.publication('alice', ({ id }) => id !== lost.id);
    expect(again.body.toString('utf8')).toBe(body);
    expect(again.etag).not.toBe(lost.etag);
    const watching = await (await peer.watcher()).subscribe(uriOf('alice'), 'presence', { watcher: uriOf('wim') });
    expect((await watching.waitFor(({ body: seen }) => seen !== '', 5000)).body).toBe(asNotified(body));

    // PUBLISH If-Match ->   412 <-   PUBLISH (full, no If-Match) ->   200 <-
    const publishes = client.wire.of('PUBLISH');
    const refused = publishes.findIndex(({ status }) => status === 412);
    expect(publishes[refused]).toMatchObject({ ifMatch: lost.etag, body: '' });
    expect(publishes[refused + 1]).toMatchObject({ ifMatch: '', body, status: 200 });
    expect(publishes.filter(({ status }) => status !== 200)).toHaveLength(1);

    // SUBSCRIBE (dialog) ->   481 <-   SUBSCRIBE (new Call-ID) ->   200 <-
    const reopened = await peer.subscription('alice', 'wanda', ({ callid }) => callid !== opened.callid);
    const subscribes = client.wire.of('SUBSCRIBE');
    const unknown = subscribes.findIndex(({ status }) => status !== 200);
    expect(subscribes[unknown]).toMatchObject({ callId: opened.callid, status: 481 });
    expect(subscribes[unknown + 1]).toMatchObject({ callId: reopened.callid, status: 200 });
    const changed = document('alice', 'after the loss');
    await client.publish(uriOf('alice'), 3600, changed);
    await eventually(
      'NOTIFY in the new dialog',
      () => client.notified,
      (all) => all.includes(asNotified(changed)),
    );
    expect(await peer.publications('alice')).toHaveLength(1);
  });

  test('a crash that keeps the tables: the chain of entity-tags and the dialog go on', async () => {
    client = await startClient({ outboundProxy: peer.kamailio.uri });
    const body = document('bert', 'kept');
    await client.publish(uriOf('bert'), 3600, body);
    await client.call('pua.subscribe', [uriOf('bert'), uriOf('wanda'), 'presence', '3600']);
    const row = await peer.publication('bert');
    const dialog = await peer.subscription('bert', 'wanda');
    await peer.crash();
    await peer.kamailio.restart();
    const refreshed = await peer.publication('bert', ({ etag }) => etag !== row.etag);
    expect([refreshed.id, refreshed.body.toString('utf8')]).toEqual([row.id, body]);
    const kept = await peer.subscription('bert', 'wanda', ({ remote_cseq }) => remote_cseq > dialog.remote_cseq);
    expect([kept.id, kept.callid]).toEqual([dialog.id, dialog.callid]);
  });

  test('server away while we publish and subscribe: told so at once, done when it is back', async () => {
    client = await startClient({
      outboundProxy: peer.kamailio.uri,
      t1: 10,
      policy: { t1: 10, backoffBase: 100, backoffCap: 300 },
    });
    await peer.crash();
    const [publish, subscribe] = await Promise.all([
      client.post('pua.publish', publishing(uriOf('carol'), 3600, document('carol', 'patience'))),
      client.post('pua.subscribe', [uriOf('carol'), uriOf('wanda'), 'presence', '3600']),
    ]);
    for (const { error } of [publish, subscribe]) {
      expect(error).toMatchObject({
        code: 504,
        data: { fault: 'unreachable', status: 408, retrying: true, kamailio: 504 },
      });
    }
    await peer.kamailio.restart();
    const row = await peer.publication('carol');
    expect(row.body.toString('utf8')).toBe(document('carol', 'patience'));
    await peer.subscription('carol', 'wanda');
    await eventually(
      'NOTIFY',
      () => client.notified.map(noteOf),
      (all) => all.includes('patience'),
    );
  });

  test('a subscription that is too short for the server: 423, then what it wants', async () => {
    const strict = await Peer.launch({ mariadb, minExpires: 300 });
    try {
      client = await startClient({ outboundProxy: strict.kamailio.uri });
      const asked = await client.call('pua.subscribe', [uriOf('dora'), uriOf('wanda'), 'presence', '60']);
      expect(asked).toEqual({ Expires: 300 });
      await strict.subscription('dora', 'wanda', ({ expires }) => expires > Date.now() / 1000 + 290);
      // SUBSCRIBE Expires: 60 ->   423 Min-Expires: 300 <-   SUBSCRIBE Expires: 300 ->
      expect(client.wire.of('SUBSCRIBE').map(({ expires, status }) => [expires, status])).toEqual([
        ['60', 423],
        ['300', 200],
      ]);
    } finally {
      await strict.stop();
    }
  });
});
