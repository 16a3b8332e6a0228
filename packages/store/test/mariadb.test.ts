import { openStore } from '@pua/store';
import { type LaunchedMariadb, launchMariadb, peersReady } from '@pua/testkit';
import { databaseTests, loadAll } from './database';
import { mariadbFixtures } from './mariadb-fixture';
import { misfitTests } from './misfit';
import { outageTests } from './outage';
import { fullRow, publicationRow, Source } from './rows';

// Processes and threads start slowly on a busy machine.
jest.setTimeout(30_000);

/** The other settings of a server that some have. */
const ODD = [
  "set global sql_mode = 'ANSI_QUOTES,NO_BACKSLASH_ESCAPES,PIPES_AS_CONCAT'",
  "set global time_zone = '+05:00'",
  "set global tx_isolation = 'SERIALIZABLE'",
];
const USUAL = [
  'set global sql_mode = default',
  'set global time_zone = default',
  'set global tx_isolation = default',
  'set global max_allowed_packet = default',
];

(peersReady(['mariadb']) ? describe : describe.skip)('MariaDB', () => {
  let server: LaunchedMariadb;
  beforeAll(async () => {
    server = await launchMariadb();
  });
  afterAll(() => server.stop());

  const make = mariadbFixtures(() => server);
  databaseTests(make);

  describe('away', () =>
    outageTests(make, {
      waiting: `select variable_value as waiting from information_schema.global_status
        where variable_name = 'innodb_row_lock_current_waits'`,
      // The one that has changed less is the victim.
      patient: 'do 0',
    }));

  describe('a record that it refuses', () => {
    const small = async () => {
      const fixture = await make();
      // For connections from here on.
      await fixture.sql('set global max_allowed_packet = 1048576');
      const dispose = async () => {
        await fixture.sql('set global max_allowed_packet = default');
        await fixture.dispose();
      };
      return { ...fixture, dispose };
    };
    misfitTests(small, {
      large: [{ document: 'x'.repeat(2 ** 20) }, /column document is too long for max_allowed_packet = 1048576/],
    });
  });

  describe('its settings change nothing:', () => {
    test('SQL mode, time zone, isolation', async () => {
      const fixture = await make();
      try {
        for (const statement of ODD) await fixture.sql(statement);
        const row = fullRow('a', { document: '\\\'\0"\n' });
        for (let i = 0; i < 2; i++) {
          const store = fixture.store();
          expect(await store.open()).toEqual({ rows: i, unclean: false });
          store.changed(new Source('a', row));
          await store.flush();
          const [lease] = await fixture.sql('select until_ms from pua_lease');
          expect(Math.abs(Number(lease?.until_ms) - Date.now())).toBeLessThan(30_000);
          expect(await loadAll(store)).toEqual([row]);
          await store.close();
        }
      } finally {
        for (const statement of USUAL) await fixture.sql(statement);
        await fixture.dispose();
      }
    });

    test('a group larger than a packet goes in several statements', async () => {
      const fixture = await make();
      try {
        await fixture.sql('set global max_allowed_packet = 1048576');
        const store = fixture.store();
        await store.open();
        const rows = Array.from({ length: 40 }, (_, i) => publicationRow(`k${i}`, { document: 'x'.repeat(90_000) }));
        for (const row of rows) store.changed(new Source(row.record_key, row));
        await store.flush();
        expect(store.status().error).toBeNull();
        expect(await loadAll(store)).toHaveLength(40);
        await store.close();
      } finally {
        for (const statement of USUAL) await fixture.sql(statement);
        await fixture.dispose();
      }
    });
  });

  test('a text that is no UTF-8 is a row that can not be read', async () => {
    const fixture = await make();
    const bad: unknown[] = [];
    const store = fixture.store({ onBadRow: (row) => bad.push(row) });
    await store.open();
    for (const key of ['a', 'b']) store.changed(new Source(key, publicationRow(key)));
    await store.flush();
    await fixture.sql("update pua set etag = x'61ff' where record_key = 'a'");
    expect((await loadAll(store)).map((row) => row.record_key)).toEqual(['b']);
    expect(bad).toEqual([{ id: expect.any(Number), reason: 'column etag (string) holds bytes' }]);
    await fixture.dispose();
  });

  test('a table whose columns are too narrow, or compare text, or whose engine knows no transactions, is refused', async () => {
    const fixture = await make();
    await fixture.sql('alter table pua modify pres_uri varchar(255) not null, engine = MyISAM');
    await expect(fixture.store().open()).rejects.toMatchObject({
      code: 'PUA_ERR_STORE_VERSION',
      message: expect.stringMatching(
        /column pres_uri is varchar\(255\), not varbinary\(1024\); its engine knows no transactions: `pua migrate`/,
      ),
    });
    await fixture.dispose();
  });

  test('wrong credentials, and rights that are missing, are told with their remedy and without the password', async () => {
    const fixture = await make();
    const user = fixture.database.name;
    await fixture.sql(`create user ${user} identified by 'top%secret'`);
    const openAs = async (password: string) => {
      const { host, port, name } = fixture.database;
      const store = openStore(`mysql://${user}:${encodeURIComponent(password)}@${host}:${port}/${name}`);
      const error = await store.open().catch((reason: unknown) => reason as Error);
      await store.close();
      if (!(error instanceof Error)) return error;
      expect(error).toMatchObject({ code: 'PUA_ERR_STORE_OPEN' });
      expect(error.message).not.toContain(password);
      return error.message;
    };
    try {
      expect(await openAs('wrong')).toMatch(/check user and password in db_url/);
      expect(await openAs('top%secret')).toMatch(/grant this user rights on the database/);
      await fixture.sql(`grant select on ${fixture.database.name}.* to ${user}`);
      expect(await openAs('top%secret')).toMatch(/grant this user select, insert, update, delete on the table/);
      await fixture.sql(`grant insert, update, delete on ${fixture.database.name}.* to ${user}`);
      expect(await openAs('top%secret')).toEqual({ rows: 0, unclean: false });
    } finally {
      await fixture.sql(`drop user ${user}`);
      await fixture.dispose();
    }
  });
});
