/**
 * No lock and no transaction is open while SIP is on the wire, a record is one row that is written in place, and what the
 * database refuses for now is written later. On a real MariaDB: its locks are what it is about.
 *
 * Fails when a write does not commit, what failed is not written again, or the table has Kamailio's unique index: tried.
 */
import { createPua, type Pua } from '@pua/core';
import { presence } from '@pua/documents';
import { embeddedSip } from '@pua/sip';
import { openStore } from '@pua/store';
import {
  type LaunchedMariadb,
  launchMariadb,
  peersReady,
  type StartedServer,
  startPresenceServer,
  type TestDatabase,
} from '@pua/testkit';
import { document } from '../../dist/world/world.js';
import { eventually } from '../kamailio/support/eventually';

type Connection = Awaited<ReturnType<TestDatabase['connect']>>;

const USERS = 50;
const users = Array.from({ length: USERS }, (_, i) => `u${i}`);
/** Longer than the store waits for a lock, milliseconds. */
const LOCKED_MS = 6_000;

(peersReady(['mariadb']) ? describe : describe.skip)(
  '6: MySQL locking (kamailio#2805, #960, #3183, #2414, #2416, #104; OpenSIPS#3564)',
  () => {
    let mariadb: LaunchedMariadb;
    let database: TestDatabase;
    let other: Connection;
    let presenceServer: StartedServer;
    let pua: Pua;

    beforeAll(async () => {
      mariadb = await launchMariadb();
    }, 60_000);
    afterAll(() => mariadb.stop());

    beforeEach(async () => {
      database = await mariadb.createDatabase();
      presenceServer = await startPresenceServer();
      pua = createPua({
        sip: embeddedSip({ listen: ['udp:127.0.0.1:0'] }),
        store: openStore(database.url),
        outboundProxy: presenceServer.uri,
      });
      pua.addEvent(presence);
      await pua.start();
      other = await database.connect();
    });
    afterEach(async () => {
      await other.end();
      await pua.stop(0);
      await presenceServer.server.stop();
      await database.drop();
    });

    const publish = (user: string, note: number, id = '') =>
      pua.sendPublish({
        presUri: `sip:${user}@example.com`,
        event: 'presence',
        sourceFlag: 'DIALOG_PUBLISH',
        id,
        // Of one tuple id all: Kamailio's unique index is on entity-tag, tuple id, Call-ID and From tag.
        body: document(user, note).replace('<tuple>', '<tuple id="t">'),
      }).result;
    /** Key columns are binary: as text. */
    const rows = async (sql: string) =>
      ((await other.query(sql))[0] as Record<string, unknown>[]).map((row) =>
        Object.fromEntries(
          Object.entries(row).map(([name, value]) => [name, value instanceof Uint8Array ? `${value}` : value]),
        ),
      );
    const durable = () =>
      eventually(
        'all is on the disk',
        () => pua.stats().store,
        ({ pending, durable, last }) => pending === 0 && durable === last,
      );

    test('while 50 requests wait for their answer nobody else has to', async () => {
      await Promise.all(users.map((user) => publish(user, 1)));
      await durable();
      presenceServer.server.away();
      const answers = users.map((user) => publish(user, 2));
      await eventually(
        'all are on the wire',
        () => pua.stats().inFlight,
        (inFlight) => inFlight === USERS,
      );
      await durable();
      const mine = `SELECT COUNT(*) AS n FROM information_schema.innodb_trx JOIN information_schema.processlist p
        ON trx_mysql_thread_id = p.id WHERE p.db = DATABASE()`;
      expect(await rows(mine)).toEqual([{ n: 0 }]);
      // An administrator takes the whole table at once, and each row.
      await other.query('SET SESSION lock_wait_timeout = 1');
      await other.query('LOCK TABLES pua WRITE');
      await other.query('UNLOCK TABLES');
      await other.query('BEGIN');
      expect(await rows('SELECT pres_uri FROM pua FOR UPDATE NOWAIT')).toHaveLength(USERS);
      await other.query('ROLLBACK');
      presenceServer.server.back();
      expect((await Promise.all(answers)).every(({ outcome }) => outcome === 'accepted')).toBe(true);
    }, 30_000);

    test.each([
      ['the whole table', 'LOCK TABLES pua WRITE', 'UNLOCK TABLES', 500],
      ['its rows, longer than a lock is waited for', 'BEGIN; SELECT * FROM pua FOR UPDATE', 'ROLLBACK', LOCKED_MS],
    ])(
      'somebody locks %s: publishing goes on, and it is all written afterwards',
      async (_what, lock, unlock, ms) => {
        await Promise.all(users.map((user) => publish(user, 1)));
        await durable();
        await other.query(lock);
        const locked = performance.now();
        const results = await Promise.all(users.map((user) => publish(user, 2)));
        expect(results.every(({ outcome }) => outcome === 'accepted')).toBe(true);
        await publish('u0', 3);
        const { etag } = [...pua.list({ presUri: 'sip:u0@example.com' })][0]!;
        // As long as it is locked nothing is called durable.
        await eventually(
          'some time with the lock',
          () => pua.stats().store,
          ({ durable: mark, last }) => {
            expect(mark).toBeLessThan(last);
            return performance.now() - locked > ms;
          },
        );
        await other.query(unlock);
        await durable();
        expect(await rows("SELECT etag FROM pua WHERE pres_uri = 'sip:u0@example.com'")).toEqual([{ etag }]);
        expect(await rows("SELECT COUNT(*) AS n FROM pua WHERE document LIKE '%<note>2</note>%'")).toEqual([
          { n: USERS - 1 },
        ]);
      },
      30_000,
    );

    test('a call of twenty states is one row, with the newest one, and modified in place at the server', async () => {
      for (let note = 1; note <= 20; note++)
        expect(await publish('alice', note)).toMatchObject({ outcome: 'accepted' });
      await durable();
      const { publications } = presenceServer.server;
      expect(publications.map(({ generation }) => generation)).toEqual([20]);
      const found = await rows('SELECT etag, document FROM pua');
      expect(found).toHaveLength(1);
      expect(found[0]!['etag']).toBe(publications[0]!.etag);
      expect(found[0]!['document']).toContain('<note>20</note>');
    }, 30_000);

    test('equal entity-tags, and those that differ in case only, are rows of their own', async () => {
      for (const etag of ['same', 'same', 'SAME', 'sàme']) {
        presenceServer.server.answerNext({
          status: 200,
          headers: [
            ['SIP-ETag', etag],
            ['Expires', '3600'],
          ],
        });
        await publish('alice', 1, `${[...pua.list()].length}`);
      }
      await durable();
      expect(pua.stats().store.error).toBeNull();
      const found = (await rows('SELECT pres_id, etag FROM pua ORDER BY pres_id')).map(({ etag }) => etag);
      expect(found).toEqual(['same', 'same', 'SAME', 'sàme']);
    }, 30_000);
  },
);
