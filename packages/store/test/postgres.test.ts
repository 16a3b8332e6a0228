import { openStore } from '@pua/store';
import { type LaunchedPostgres, launchPostgres, peersReady } from '@pua/testkit';
import { databaseTests, loadAll } from './database';
import { misfitTests } from './misfit';
import { outageTests } from './outage';
import { postgresFixtures } from './postgres-fixture';
import { fullRow, Source } from './rows';

// Processes and threads start slowly on a busy machine.
jest.setTimeout(30_000);

/** The other settings of a server that some have. */
const ODD = [
  'default_transaction_isolation = serializable',
  'bytea_output = escape',
  'standard_conforming_strings = off',
  "timezone = 'Asia/Karachi'",
];

(peersReady(['postgres']) ? describe : describe.skip)('PostgreSQL', () => {
  let server: LaunchedPostgres;
  beforeAll(async () => {
    server = await launchPostgres();
  });
  afterAll(() => server.stop());

  const make = postgresFixtures(() => server);
  databaseTests(make);

  describe('away', () =>
    outageTests(make, {
      waiting: `select count(*) as waiting from pg_stat_activity
        where datname = current_database() and wait_event_type = 'Lock'`,
      patient: "set deadlock_timeout = '1h'",
    }));

  describe('a record that it refuses', () =>
    misfitTests(make, { nul: [{ contact: 'a\0b' }, /column contact holds a NUL/] }));

  test('its settings change nothing', async () => {
    const fixture = await make();
    for (const setting of ODD) await fixture.sql(`alter database ${fixture.database.name} set ${setting}`);
    const row = fullRow('a', { document: Buffer.from([0, 0x27, 0x5c, 0xff]) });
    for (let i = 0; i < 2; i++) {
      const store = fixture.store();
      expect(await store.open()).toEqual({ rows: i, unclean: false });
      store.changed(new Source('a', row));
      await store.flush();
      const [lease] = await fixture.sql('select until_ms from pua_lease');
      expect(Math.abs(Number(lease?.until_ms) - Date.now())).toBeLessThan(30_000);
      const [found] = await loadAll(store);
      expect({ ...found, document: Buffer.from(found!.document!) }).toEqual(row);
      await store.close();
    }
    await fixture.dispose();
  });

  test('a table whose columns are too narrow is refused', async () => {
    const fixture = await make();
    await fixture.sql('alter table pua alter pres_uri type varchar(255)');
    await expect(fixture.store().open()).rejects.toMatchObject({
      code: 'PUA_ERR_STORE_VERSION',
      message: expect.stringMatching(
        /column pres_uri is character varying\(255\), not character varying\(1024\): `pua migrate`/,
      ),
    });
    await fixture.dispose();
  });

  test('a user that does not exist, and rights that are missing, are told with their remedy', async () => {
    const fixture = await make();
    const user = fixture.database.name;
    const openAs = async () => {
      const { host, port, name } = fixture.database;
      const store = openStore(`postgres://${user}:top-secret@${host}:${port}/${name}`);
      const error = await store.open().catch((reason: unknown) => reason as Error);
      await store.close();
      if (!(error instanceof Error)) return error;
      expect(error).toMatchObject({ code: 'PUA_ERR_STORE_OPEN' });
      expect(error.message).not.toContain('top-secret');
      return error.message;
    };
    try {
      expect(await openAs()).toMatch(/check user and password in db_url/);
      await fixture.sql(`create role ${user} login`);
      expect(await openAs()).toMatch(/grant this user select, insert, update, delete on the table/);
      await fixture.sql(`grant all on all tables in schema public to ${user}`);
      expect(await openAs()).toEqual({ rows: 0, unclean: false });
    } finally {
      await fixture.sql(`drop owned by ${user}; drop role ${user}`);
      await fixture.dispose();
    }
  });
});
