/** Kamailio's own table, made by its own script, becomes ours and its own again; Kamailio itself runs on both. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { main } from '@pua/bundle';
import { openStore } from '@pua/store';
import {
  type LaunchedKamailio,
  type LaunchedMariadb,
  launchKamailio,
  launchMariadb,
  peersReady,
  publicationRow,
  RowHolder,
  type StartedServer,
  startPresenceServer,
} from '@pua/testkit';

jest.setTimeout(60_000);

const now = () => Math.floor(Date.now() / 1000);

(peersReady(['mariadb', 'kamailio']) ? describe : describe.skip)("Kamailio's table", () => {
  let mariadb: LaunchedMariadb;
  let presence: StartedServer;
  let kamailio: LaunchedKamailio;
  let sql: (statement: string) => Promise<Record<string, unknown>[]>;
  const folder = mkdtempSync(join(tmpdir(), 'pua-migrate-'));
  const ended: (() => Promise<unknown>)[] = [];

  beforeAll(async () => {
    mariadb = await launchMariadb();
    ended.push(() => mariadb.stop());
    presence = await startPresenceServer();
    ended.push(() => presence.server.stop());
    kamailio = await launchKamailio({
      mariadb,
      modules: ['jsonrpcs', 'pua', 'pua_rpc'],
      modparams: (url) => [
        ['pua', 'db_url', url],
        ['pua', 'outbound_proxy', presence.uri],
        // The least that it takes: it looks at its records 5 s more often.
        ['pua', 'update_period', 6],
      ],
    });
    ended.push(() => kamailio.stop());
    const connection = await kamailio.database.connect();
    ended.push(() => connection.end());
    sql = async (statement) => {
      const [rows] = await connection.query(statement);
      return Array.isArray(rows) ? (rows as unknown as Record<string, unknown>[]) : [];
    };
  });
  afterAll(async () => {
    for (const end of ended.reverse()) await end();
    rmSync(folder, { recursive: true, force: true });
  });

  /** The command, as an administrator runs it. */
  async function migrate(...more: string[]): Promise<string> {
    const config = join(folder, 'pua.yaml');
    writeFileSync(config, `pua: { db_url: "${kamailio.database.url}" }\n`);
    let [out, err] = ['', ''];
    const code = await main(['migrate', '--config', config, ...more], {
      out: (text) => {
        out += text;
      },
      err: (text) => {
        err += text;
      },
    });
    expect([code, err]).toEqual([0, '']);
    return out;
  }

  /** Kamailio refreshes what is about to expire: with the entity-tag that it has read from the table. */
  async function refreshesFrom(etag: string): Promise<void> {
    await kamailio.restart('kill');
    const request = await presence.server.nextRequest(
      ({ method, headers }) => method === 'PUBLISH' && headers.get('SIP-If-Match') === etag,
      10_000,
    );
    expect(request.uri).toBe('sip:alice@example.com');
    expect(kamailio.log()).not.toMatch(/ERROR|CRITICAL/);
  }

  const form = async (): Promise<string> =>
    String((await sql('show create table pua'))[0]?.['Create Table']).replace(/ AUTO_INCREMENT=\d+/, '');

  test('up and down: every row stays, Kamailio starts on both and goes on with their entity-tags', async () => {
    const kamailios = await form();
    await sql(`insert into pua (pres_uri, pres_id, event, expires, desired_expires, flag, etag, tuple_id, watcher_uri, call_id,
      to_tag, from_tag, cseq, record_route, contact, remote_contact, version, extra_headers) values
      ('sip:alice@example.com', '', 1, ${now() + 5}, 0, 64, 'from-kamailio', null, '', '', '', '', 0, null, '', '', 1, '')`);
    expect(await migrate()).toMatch(/1 rows:\n(?: {2}- .*\n)+Nothing was changed/);
    expect(await form()).toBe(kamailios);
    expect(await migrate('--yes')).toMatch(/ {2}- drop the unique index pua_idx .*Done\.\n$/s);
    expect(await migrate('--yes')).toMatch(/1 rows: nothing to do\.\n$/);
    expect(await form()).not.toBe(kamailios);
    await refreshesFrom('from-kamailio');

    await sql('delete from pua');
    const store = openStore(kamailio.database.url);
    await store.open();
    const row = publicationRow('p|1|64|sip:alice@example.com|', { flag: 64, expires: now() + 5, etag: 'from-us' });
    store.changed(new RowHolder(row.record_key, row));
    await store.close();
    expect(await migrate('--down', '--yes')).toMatch(/ {2}- add the unique index pua_idx .*Done\.\n$/s);
    expect(await form()).toBe(kamailios);
    await refreshesFrom('from-us');
  });
});
