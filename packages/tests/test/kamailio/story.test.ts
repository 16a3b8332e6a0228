/** The main job against Debian's Kamailio, without and with digest authentication. */
import { type LaunchedMariadb, launchMariadb, peersReady } from '@pua/testkit';
import { type Client, startClient } from './support/client';
import { asNotified, document, HARD_NOTE, noteOf } from './support/documents';
import { eventually } from './support/eventually';
import { CREDENTIALS, DOMAIN, Peer, type Publication, uriOf } from './support/peer';

jest.setTimeout(30_000);

const seconds = () => Date.now() / 1000;
/** Lifetime when none is asked for, seconds: refreshed after half of it. */
const SHORT = 4;

const ready = peersReady(['mariadb', 'kamailio']);
let mariadb: LaunchedMariadb;
beforeAll(async () => {
  if (ready) mariadb = await launchMariadb();
});
afterAll(async () => {
  await mariadb?.stop();
});

const modes = [
  { mode: 'open', digest: false },
  { mode: 'digest', digest: true },
];
(ready ? describe : describe.skip).each(modes)('Kamailio, $mode', ({ digest }) => {
  let peer: Peer;
  let client: Client;

  beforeAll(async () => {
    peer = await Peer.launch({ mariadb, digest });
    client = await startClient({
      outboundProxy: peer.kamailio.uri,
      defaultExpires: SHORT,
      credentials: digest ? [{ realm: DOMAIN, ...CREDENTIALS }] : [],
    });
  });
  afterAll(async () => {
    await client?.stop();
    await peer?.stop();
  });

  test('a published document is a row of presentity: etag, lifetime, every byte', async () => {
    const body = document('alice', HARD_NOTE);
    const result = await client.publish(uriOf('alice'), 600, body);
    expect(result).toEqual({ 'SIP-ETag': expect.stringMatching(/^a\./), Expires: 600 });
    const row = await peer.publication('alice');
    expect(row).toMatchObject({ event: 'presence', etag: result['SIP-ETag'] });
    expect(row.body.equals(Buffer.from(body, 'utf8'))).toBe(true);
    expect(Math.abs(row.expires - seconds() - 600)).toBeLessThan(5);
  });

  test('a document in another encoding stays as it is', async () => {
    const body = Buffer.from(document('otto', 'Grüße').replace('UTF-8', 'ISO-8859-1'), 'latin1');
    const encoded = { body: body.toString('base64'), bodyEncoding: 'base64' };
    await client.call('pua.publish', { uri: uriOf('otto'), event: 'presence', expires: 600, ...encoded });
    expect((await peer.publication('otto')).body.equals(body)).toBe(true);
  });

  test('our SUBSCRIBE is a row of active_watchers, and the document comes by NOTIFY', async () => {
    const body = document('bert', HARD_NOTE);
    await client.publish(uriOf('bert'), 600, body);
    const subscribed = await client.call('pua.subscribe', {
      uri: uriOf('bert'),
      watcher: uriOf('wanda'),
      event: 'presence',
      expires: 500,
    });
    expect(subscribed).toMatchObject({ status: 200, expires: 500 });
    const row = await peer.subscription('bert', 'wanda');
    expect(row).toMatchObject({ event: 'presence', callid: subscribed['callId'] });
    expect(Math.abs(row.expires - seconds() - 500)).toBeLessThan(5);
    await eventually(
      'NOTIFY with the document',
      () => client.notified,
      (all) => all.includes(asNotified(body)),
    );

    const changed = document('bert', 'later');
    await client.publish(uriOf('bert'), 600, changed);
    await eventually(
      'NOTIFY with the new one',
      () => client.notified,
      (all) => all.includes(asNotified(changed)),
    );
  });

  test('a modification replaces the row and reaches an independent watcher', async () => {
    const { 'SIP-ETag': first } = await client.publish(uriOf('carol'), 600, document('carol', 'one'));
    const before = await peer.publication('carol');
    const watcher = await peer.watcher();
    const watching = await watcher.subscribe(uriOf('carol'), 'presence', { watcher: uriOf('wim') });
    expect(watching.answer!.status).toBe(200);
    await watching.waitFor(({ body }) => noteOf(body) === 'one', 5000);

    const { 'SIP-ETag': second } = await client.publish(uriOf('carol'), 600, document('carol', HARD_NOTE));
    const after = await peer.publication('carol', ({ etag }) => etag === second);
    expect([after.id, after.etag]).toEqual([before.id, expect.not.stringMatching(String(first))]);
    expect(after.body.toString('utf8')).toBe(document('carol', HARD_NOTE));
    const told = await watching.waitFor(({ body }) => body.includes('שלום'), 5000);
    expect(told.body).toBe(asNotified(document('carol', HARD_NOTE)));
    expect(watching.documents.map(noteOf).slice(0, -1)).toEqual(['one']);
  });

  test('refreshes go by themselves: the row lives on, nothing is lost, no watcher sees a close', async () => {
    const body = document('dora', 'still here');
    const granted = await client.publish(uriOf('dora'), -1, body);
    expect(granted['Expires']).toBe(SHORT);
    const first = await peer.publication('dora');
    await client.call('pua.subscribe', [uriOf('dora'), uriOf('willi'), 'presence', '-1']);
    const opened = await peer.subscription('dora', 'willi');
    const watcher = await peer.watcher();
    const watching = await watcher.subscribe(uriOf('dora'), 'presence', { watcher: uriOf('wilma') });
    await watching.waitFor(({ body: seen }) => noteOf(seen) === 'still here', 5000);

    const etags = new Set([first.etag]);
    const look = async (): Promise<Publication[]> => {
      const rows = await peer.publications('dora');
      expect(rows.map(({ id, body: seen }) => [id, seen.toString('utf8')])).toEqual([[first.id, body]]);
      expect(rows[0]!.expires).toBeGreaterThanOrEqual(seconds() - 1);
      etags.add(rows[0]!.etag);
      return rows;
    };
    const [last] = await eventually('two refreshes', look, () => etags.size === 3);
    expect(last!.expires).toBeGreaterThan(first.expires);
    const kept = await peer.subscription('dora', 'willi', ({ expires }) => expires > opened.expires);
    expect(kept).toMatchObject({ id: opened.id, callid: opened.callid });
    expect(kept.remote_cseq).toBeGreaterThan(opened.remote_cseq);

    const refreshes = client.wire.of('PUBLISH').filter(({ ifMatch }) => etags.has(ifMatch));
    expect(refreshes.length).toBeGreaterThanOrEqual(2);
    expect(refreshes.map(({ status, body: sent }) => [status, sent])).toEqual(refreshes.map(() => [200, '']));
    expect((await watching.refresh()).status).toBe(200);
    await eventually(
      'a NOTIFY for the refresh',
      () => watching.notifications.length,
      (count) => count > 1,
    );
    expect(watching.notifications.map((seen) => [seen.state, noteOf(seen.body)])).toEqual(
      watching.notifications.map(() => ['active', 'still here']),
    );
  });

  test('un-publish and unsubscribe leave no row', async () => {
    const watcher = await peer.watcher();
    const watching = await watcher.subscribe(uriOf('emil'), 'presence', { watcher: uriOf('wim') });
    await client.publish(uriOf('emil'), 600, document('emil', 'phone'), 'phone');
    await client.publish(uriOf('emil'), 600, document('emil', 'desk'), 'desk');
    await client.call('pua.subscribe', [uriOf('emil'), uriOf('wanda'), 'presence', '600']);
    await eventually(
      'two publications',
      () => peer.publications('emil'),
      (rows) => rows.length === 2,
    );
    await peer.subscription('emil', 'wanda');
    await watching.waitFor(({ body }) => body.includes('desk'), 5000);

    // Kamailio's way, and ours.
    expect(await client.publish(uriOf('emil'), 0, undefined, 'phone')).toMatchObject({ Expires: 0 });
    const left = await peer.publication('emil');
    expect(noteOf(left.body.toString('utf8'))).toBe('desk');
    await client.call('pua.unpublish', { uri: uriOf('emil'), event: 'presence', id: 'desk' });
    await eventually(
      'no publication',
      () => peer.publications('emil'),
      (rows) => rows.length === 0,
    );
    const before = watching.notifications.length;
    await watching.refresh();
    await eventually(
      'told',
      () => watching.notifications.length,
      (count) => count > before,
    );
    expect(noteOf(watching.last!.body)).toBe('');

    await client.call('pua.unsubscribe', [uriOf('emil'), uriOf('wanda'), 'presence']);
    await eventually(
      'no subscription',
      () => peer.subscriptions('emil', 'wanda'),
      (rows) => rows.length === 0,
    );
  });

  test('all in all: one challenge at most, and every request after it is one transaction', () => {
    const all = [...client.wire.of('PUBLISH'), ...client.wire.of('SUBSCRIBE')];
    const unlike = all.filter(({ authorized, status }) => status !== 200 || authorized !== digest);
    expect(unlike).toEqual(digest ? [expect.objectContaining({ ...all[0], authorized: false, status: 407 })] : []);
  });
});
