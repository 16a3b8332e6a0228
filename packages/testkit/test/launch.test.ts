import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { embeddedSip } from '@pua/sip';
import {
  type KamailioOptions,
  type LaunchedKamailio,
  type LaunchedMariadb,
  launchKamailio,
  launchMariadb,
  peersReady,
  Watcher,
} from '@pua/testkit';

jest.setTimeout(30_000);

const ALICE = 'sip:alice@example.com';
const PIDF = `<?xml version="1.0"?><presence xmlns="urn:ietf:params:xml:ns:pidf" entity="${ALICE}"><tuple id="t1"><status><basic>open</basic></status></tuple></presence>`;

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Waits for something that no event tells of. */
async function eventually(what: () => boolean): Promise<void> {
  for (const end = performance.now() + 10_000; !what() && performance.now() < end; ) await pause(20);
  expect(what()).toBe(true);
}

(peersReady(['mariadb', 'kamailio']) ? describe : describe.skip)('real peers', () => {
  let mariadb: LaunchedMariadb;

  beforeAll(async () => {
    mariadb = await launchMariadb();
  });
  afterAll(async () => {
    const { pid } = mariadb;
    await mariadb.stop();
    if (pid !== undefined) expect(alive(pid)).toBe(false);
  });

  /** What a test has opened, closed after it whatever became of it. */
  const opened: { stop(): Promise<void> }[] = [];
  afterEach(async () => {
    for (const thing of opened.splice(0).reverse()) await thing.stop();
  });

  async function kamailioWith(options: Omit<KamailioOptions, 'mariadb'> = {}) {
    const kamailio = await launchKamailio({ mariadb, ...options });
    opened.push(kamailio);
    return kamailio;
  }

  async function watcherOf(kamailio: LaunchedKamailio, credentials?: { username: string; password: string }) {
    const sip = embeddedSip({ listen: ['udp:127.0.0.1:0'] });
    const watcher = new Watcher({ sip, server: kamailio.uri, ...(credentials ? { credentials } : {}) });
    await watcher.start();
    opened.push(watcher);
    return watcher;
  }

  test('each suite has a database of its own, which is dropped', async () => {
    const [one, two] = [await mariadb.createDatabase(), await mariadb.createDatabase()];
    expect(one.name).not.toBe(two.name);
    const connection = await one.connect();
    await connection.query('CREATE TABLE t (a INT); INSERT INTO t VALUES (7)');
    const [rows] = await connection.query('SELECT a FROM t');
    expect(rows).toEqual([{ a: 7 }]);
    await connection.end();
    await one.drop();
    await expect(one.connect()).rejects.toThrow(/Unknown database/);
    await two.drop();
  });

  test('Kamailio: a PUBLISH is a row, the watcher sees it, a restart keeps the row', async () => {
    const kamailio = await kamailioWith({ subscriptions: 'database' });
    const { pid, port } = kamailio;
    const watcher = await watcherOf(kamailio);
    const watching = await watcher.subscribe(ALICE, 'presence', { accept: 'application/pidf+xml', expires: 600 });
    expect(watching.answer!.status).toBe(200);
    const published = await watcher.client.publish(ALICE, { body: PIDF, expires: 600 });
    expect(published.status).toBe(200);
    const etag = published.headers.get('SIP-ETag')!;
    const rows = await kamailio.waitForPresentity(({ length }) => length > 0, 5000);
    expect(rows).toMatchObject([{ username: 'alice', domain: 'example.com', event: 'presence', etag, body: PIDF }]);
    const notification = await watching.waitFor(({ body }) => body.includes('<basic>open</basic>'), 5000);
    expect([notification.state, notification.type]).toEqual(['active', 'application/pidf+xml']);
    expect(await kamailio.activeWatchers()).toMatchObject([{ presentity_uri: ALICE, callid: watching.callId }]);

    await kamailio.restart();
    expect(kamailio.port).toBe(port);
    expect(kamailio.pid).not.toBe(pid);
    expect(alive(pid)).toBe(false);
    const refreshed = await watcher.client.publish(ALICE, { etag, expires: 600 });
    expect(refreshed.status).toBe(200);
    expect((await watching.unsubscribe()).status).toBe(200);
    await watching.waitFor(({ state }) => state === 'terminated', 5000);

    await kamailio.clear();
    expect([await kamailio.presentity(), await kamailio.activeWatchers()]).toEqual([[], []]);
    expect(
      (await watcher.client.publish(ALICE, { etag: refreshed.headers.get('SIP-ETag')!, expires: 600 })).status,
    ).toBe(412);
    const last = kamailio.pid;
    await kamailio.stop();
    expect(alive(last)).toBe(false);
    await kamailio.stop();
  });

  test('Kamailio with digest: 407, then 200 for the right credentials', async () => {
    const kamailio = await kamailioWith({ digest: true });
    await kamailio.addSubscriber('alice', 'example.com', 'secret');
    const [without, wrong, right] = await Promise.all([
      watcherOf(kamailio),
      watcherOf(kamailio, { username: 'alice', password: 'wrong' }),
      watcherOf(kamailio, { username: 'alice', password: 'secret' }),
    ]);
    const challenged = await without.client.publish(ALICE, { body: PIDF, expires: 600 });
    expect([challenged.status, challenged.headers.get('Proxy-Authenticate')]).toEqual([
      407,
      expect.stringContaining('realm="example.com"'),
    ]);
    expect((await wrong.client.publish(ALICE, { body: PIDF, expires: 600 })).status).toBe(407);
    expect(await kamailio.presentity()).toEqual([]);
    expect((await right.client.publish(ALICE, { body: PIDF, expires: 600 })).status).toBe(200);
    await kamailio.waitForPresentity(({ length }) => length === 1, 5000);
    await expect(kamailio.waitForPresentity(() => false, 0)).rejects.toThrow(/not seen within 0 ms; rows: .*alice/);
  });

  test('other events have their modules', async () => {
    const kamailio = await kamailioWith();
    const watcher = await watcherOf(kamailio);
    const watching = await watcher.subscribe(ALICE, 'message-summary');
    expect(watching.answer!.status).toBe(200);
    const body = { type: 'application/simple-message-summary', content: 'Messages-Waiting: yes\r\n' };
    expect((await watcher.client.publish(ALICE, { event: 'message-summary', body, expires: 600 })).status).toBe(200);
    await watching.waitFor((notification) => notification.body.includes('Messages-Waiting: yes'), 5000);
    expect((await watcher.subscribe(ALICE, 'dialog')).answer!.status).toBe(200);
  });

  test('Kamailio with more modules, whose parameters can be set; interrupted and resumed', async () => {
    const kamailio = await kamailioWith({
      modules: ['pua'],
      modparams: (url) => [
        ['pua', 'db_url', url],
        ['pua', 'outbound_proxy', 'sip:127.0.0.1:9'],
      ],
      sharedMemory: 32,
    });
    const tables = await kamailio.database.connect();
    const { pid, port } = kamailio;
    await kamailio.interrupt('kill');
    expect(alive(pid)).toBe(false);
    await tables.query(
      `INSERT INTO pua (pres_uri, pres_id, event, expires, desired_expires, flag, etag, watcher_uri, call_id, to_tag,
         from_tag, cseq, contact, remote_contact, version, extra_headers)
       VALUES (?, '', 1, UNIX_TIMESTAMP() + 3600, 0, 1, 'e', '', '', '', '', 0, '', '', 0, '')`,
      [ALICE],
    );
    await kamailio.resume();
    expect(kamailio.port).toBe(port);
    // pua has read its rows, and deletes what it has read.
    expect((await tables.query('SELECT COUNT(*) AS n FROM pua'))[0]).toEqual([{ n: 0 }]);
    await tables.end();
  });

  test('a peer that can not start says why, and leaves nothing', async () => {
    const error = await launchKamailio({ mariadb, minExpires: Number.NaN }).then(
      () => undefined,
      (failure: Error) => failure.message,
    );
    expect(error).toContain('Kamailio did not start: it ended');
    const file = /parse error in config file (\S+kamailio\.cfg), line \d+/.exec(error!)![1]!;
    expect(existsSync(dirname(file))).toBe(false);
  });

  test('when the process that launched a peer is killed, the peer and its folder go as well', async () => {
    const program = `
      const { launchMariadb } = require(${JSON.stringify(require.resolve('../dist/index.js'))});
      setInterval(() => {}, 1000);
      launchMariadb().then((m) => console.log(JSON.stringify({ pid: m.pid })));
    `;
    const env = { ...process.env };
    delete env.PUA_TEST_MARIADB;
    const child = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'pipe', 'inherit'], env });
    const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
    const { pid } = JSON.parse(line) as { pid: number };
    const commandLine = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
    const folder = /--datadir=([^\0]*)\/data/.exec(commandLine)![1]!;
    expect([alive(pid), existsSync(folder)]).toEqual([true, true]);
    child.kill('SIGKILL');
    await once(child, 'exit');
    await eventually(() => !existsSync(folder));
  });

  if (!process.env.PUA_TEST_MARIADB) {
    test('a database server can be interrupted and resumed on its files', async () => {
      const database = await mariadb.createDatabase();
      await mariadb.interrupt('kill');
      await expect(database.connect()).rejects.toThrow();
      await mariadb.resume();
      await (await database.connect()).end();
      await database.drop();
    });

    test('a database server keeps its temporary tables apart from those of others, which remove them', async () => {
      const database = await mariadb.createDatabase();
      const connection = await database.connect();
      const [rows] = await connection.query('SELECT @@tmpdir AS temporary, @@datadir AS data');
      const [{ temporary, data }] = rows as [{ temporary: string; data: string }];
      expect(temporary).toBe(dirname(data));
      await connection.end();
      await database.drop();
    });
  }
});
