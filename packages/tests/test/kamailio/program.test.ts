/** The real program with the real peer: killed without notice and started again. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type LaunchedMariadb, launchMariadb, peersReady } from '@pua/testkit';
import { document, HARD_NOTE } from './support/documents';
import { eventually } from './support/eventually';
import { CREDENTIALS, DOMAIN, Peer, uriOf } from './support/peer';
import { Program } from './support/program';
import { call, publishing } from './support/rpc';

jest.setTimeout(60_000);

/** Lifetime, seconds: longer than it takes to start the program anew. */
const LIFETIME = 8;

/** Everything that was answered is on the disk: from here on a kill must not cost anything. */
const durable = (url: string): Promise<unknown> =>
  eventually(
    'written',
    () => call(url, 'pua.stats', {}),
    ({ store }) => (store as { pending: number }).pending === 0,
  );

(peersReady(['mariadb', 'kamailio']) ? describe : describe.skip)('pua run and Kamailio', () => {
  let mariadb: LaunchedMariadb;
  let peer: Peer;
  let program: Program | undefined;
  let folder: string;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'pua-kamailio-test-'));
    mariadb = await launchMariadb();
    peer = await Peer.launch({ mariadb, digest: true });
  });
  afterAll(async () => {
    await program?.end('SIGKILL');
    await peer?.stop();
    await mariadb?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  async function start(listen: string): Promise<Program> {
    const settings = {
      sip: { listen: [listen], credentials: [{ realm: DOMAIN, ...CREDENTIALS }] },
      pua: {
        db_url: `sqlite:${join(folder, 'pua.db')}`,
        outbound_proxy: peer.kamailio.uri,
        default_expires: LIFETIME,
      },
      modules: { mi: { listen: '127.0.0.1:0' } },
    };
    const config = join(folder, 'pua.yaml');
    // JSON is YAML.
    writeFileSync(config, JSON.stringify(settings), { mode: 0o600 });
    program = await Program.start(config);
    return program;
  }

  test('kill -9 and restart: the same chain of entity-tags, the same dialog, the document is not forgotten', async () => {
    const first = await start('udp:127.0.0.1:0');
    const body = document('alice', HARD_NOTE);
    const published = await call(first.url, 'pua.publish', publishing(uriOf('alice'), -1, body));
    await call(first.url, 'pua.subscribe', [uriOf('alice'), uriOf('wanda'), 'presence', '-1']);
    const row = await peer.publication('alice', ({ etag }) => etag === published['SIP-ETag']);
    expect(row.body.toString('utf8')).toBe(body);
    const dialog = await peer.subscription('alice', 'wanda');
    expect(dialog.contact).toContain(first.sip.replace('udp:', ''));

    await durable(first.url);
    await first.end('SIGKILL');
    const second = await start(first.sip);
    const refreshed = await peer.publication('alice', ({ etag }) => etag !== row.etag);
    expect([refreshed.id, refreshed.body.toString('utf8')]).toEqual([row.id, body]);
    expect(refreshed.expires).toBeGreaterThan(row.expires);
    const kept = await peer.subscription('alice', 'wanda', ({ remote_cseq }) => remote_cseq > dialog.remote_cseq);
    expect(kept).toMatchObject({ id: dialog.id, callid: dialog.callid, contact: dialog.contact });

    // It can still be changed, and NOTIFYs are taken: Kamailio drops a watcher that refuses one.
    const watching = await (await peer.watcher()).subscribe(uriOf('alice'), 'presence', { watcher: uriOf('wim') });
    const changed = document('alice', 'second life');
    await call(second.url, 'pua.publish', publishing(uriOf('alice'), -1, changed));
    await watching.waitFor(({ body: seen }) => seen.includes('second life'), 5000);
    const notified = await peer.subscription('alice', 'wanda', ({ local_cseq }) => local_cseq > kept.local_cseq);
    expect(notified.callid).toBe(dialog.callid);

    // Another port: the dialog moves there at once.
    await durable(second.url);
    await second.end('SIGKILL');
    const third = await start('udp:127.0.0.1:0');
    const moved = await peer.subscription('alice', 'wanda', ({ contact }) =>
      contact.includes(third.sip.replace('udp:', '')),
    );
    expect([moved.id, moved.callid]).toEqual([dialog.id, dialog.callid]);
    expect(moved.remote_cseq).toBeGreaterThan(notified.remote_cseq);

    // The document of an earlier life is what repairs a loss.
    await peer.kamailio.clear();
    const again = await peer.publication('alice', ({ id }) => id !== row.id);
    expect(again.body.toString('utf8')).toBe(changed);
    await peer.subscription('alice', 'wanda', ({ callid }) => callid !== dialog.callid);
    expect(await third.end('SIGTERM')).toBe(0);
  });
});
