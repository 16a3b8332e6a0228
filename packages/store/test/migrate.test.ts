import { migrate } from '@pua/store';
import { type LaunchedMariadb, type LaunchedPostgres, launchMariadb, launchPostgres, peersReady } from '@pua/testkit';
import { KAMAILIO_SCRIPTS } from './kamailio-tables';
import { emptyMariadb } from './mariadb-fixture';
import { interruptedEverywhere, type MigrateFixture, migrateTests } from './migrate';
import type { ServerFixture } from './outage';
import { emptyPostgres } from './postgres-fixture';
import { Relay } from './relay';
import { publicationRow, Source } from './rows';
import { emptyFixture } from './sqlite-fixture';

// Processes and threads start slowly on a busy machine.
jest.setTimeout(60_000);

/** Requests that change something, as they are on the wire. */
const CHANGE = /\b(create|alter|insert|update|delete|drop|commit)\b/i;

async function interrupted(fixture: ServerFixture & MigrateFixture, script: readonly string[]): Promise<number> {
  const relay = await Relay.to(fixture.database);
  const url = fixture.url.replace(`:${fixture.database.port}/`, `:${relay.port}/`);
  try {
    return await interruptedEverywhere(fixture, script, (change) => relay.cutBefore(CHANGE, change), url);
  } finally {
    await relay.away();
    await fixture.dispose();
  }
}

describe('SQLite', () => {
  const make = async (): Promise<MigrateFixture> => {
    const fixture = await emptyFixture();
    // So that there is a file when the test looks into it first.
    await fixture.touch();
    const form = async (table: string) => [
      await fixture.sql(`select name, lower(type) as type, "notnull" from pragma_table_info('${table}')`),
      await fixture.sql(
        `select l."unique", group_concat(i.name) as columns from pragma_index_list('${table}') l, pragma_index_info(l.name) i
          group by l.name order by 2`,
      ),
      await fixture.sql(
        `select name from pragma_index_list('${table}') where origin = 'c' and not "unique" order by name`,
      ),
    ];
    return { ...fixture, url: `sqlite:${fixture.file}`, form };
  };
  migrateTests(make, KAMAILIO_SCRIPTS.sqlite);
});

(peersReady(['mariadb']) ? describe : describe.skip)('MariaDB', () => {
  let server: LaunchedMariadb;
  beforeAll(async () => {
    server = await launchMariadb();
  });
  afterAll(() => server.stop());

  const make = async () => {
    const fixture = await emptyMariadb(server);
    const form = async (table: string) => {
      const [made] = await fixture.sql(`show create table ${table}`);
      return String(made?.['Create Table'])
        .replace(/ AUTO_INCREMENT=\d+/, '')
        .split('\n')
        .sort();
    };
    return { ...fixture, url: fixture.database.url, form };
  };
  migrateTests(make, KAMAILIO_SCRIPTS.mariadb);

  test('interrupted before any of its changes, it is completed by running it again', async () => {
    expect(await interrupted(await make(), KAMAILIO_SCRIPTS.mariadb)).toBeGreaterThan(5);
  });

  test('values that are too long for Kamailio’s columns, and etags that differ in case only, have no room', async () => {
    const fixture = await make();
    const store = fixture.store();
    await store.open();
    const rows = [
      publicationRow('long', { pres_uri: `sip:${'a'.repeat(300)}@example.com` }),
      publicationRow('low', { etag: 'e', tuple_id: 't', expires: 5 }),
      publicationRow('high', { etag: 'E ', tuple_id: 't', expires: 6 }),
      publicationRow('text', { extra_headers: 'x'.repeat(70_000) }),
    ];
    for (const row of rows) store.changed(new Source(row.record_key, row));
    await store.close();
    const { lost } = await migrate(fixture.url, { down: true }, () => true);
    expect(lost).toMatchObject([
      { key: 'long', reason: 'pres_uri is longer than 255' },
      { key: 'text', reason: 'extra_headers is longer than 65535' },
      { key: 'low', reason: expect.stringContaining('of high, which lives longer') },
    ]);
    expect(await fixture.sql('select etag from pua')).toEqual([{ etag: 'E ' }]);
    await fixture.dispose();
  });

  test('octets of other character sets, and numbers of rows beyond 32 bits, survive the way there and back', async () => {
    const fixture = await make();
    for (const statement of KAMAILIO_SCRIPTS.mariadb) await fixture.sql(statement);
    const [{ hex }] = (await fixture.sql("select hex('sip:\u00e4\u6f22@example.com') as hex")) as [{ hex: string }];
    await fixture.sql(
      `insert into pua values (7, x'${hex}', '', 1, 1, 0, 1, 'e', null, '', '', '', '', 0, null, '', '', 0, '')`,
    );
    await migrate(fixture.url, {}, () => true);
    expect(await fixture.sql('select hex(pres_uri) as hex from pua')).toEqual([{ hex }]);
    await fixture.sql('update pua set id = 5000000000');
    await migrate(fixture.url, { down: true }, () => true);
    expect(await fixture.sql('select id, hex(pres_uri) as hex from pua')).toEqual([{ id: 1, hex }]);
    await fixture.dispose();
  });
});

(peersReady(['postgres']) ? describe : describe.skip)('PostgreSQL', () => {
  let server: LaunchedPostgres;
  beforeAll(async () => {
    server = await launchPostgres();
  });
  afterAll(() => server.stop());

  const make = async () => {
    const fixture = await emptyPostgres(server);
    const form = async (table: string) => [
      await fixture.sql(
        `select attname, format_type(atttypid, atttypmod) as type, attnotnull, pg_get_expr(adbin, adrelid) as initial
          from pg_attribute left join pg_attrdef on adrelid = attrelid and adnum = attnum
          where attrelid = '${table}'::regclass and attnum > 0 and not attisdropped order by attnum`,
      ),
      await fixture.sql(
        `select pg_get_indexdef(indexrelid) as index from pg_index where indrelid = '${table}'::regclass order by 1`,
      ),
      await fixture.sql(
        `select conname, pg_get_constraintdef(oid) as text from pg_constraint where conrelid = '${table}'::regclass order by 1`,
      ),
      await fixture.sql(`select data_type from pg_sequences where sequencename = '${table}_id_seq'`),
    ];
    return { ...fixture, url: fixture.database.url, form };
  };
  migrateTests(make, KAMAILIO_SCRIPTS.postgres);

  test('interrupted before any of its changes, it is completed by running it again', async () => {
    expect(await interrupted(await make(), KAMAILIO_SCRIPTS.postgres)).toBeGreaterThan(5);
  });
});
