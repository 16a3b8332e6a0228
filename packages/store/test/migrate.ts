/** `migrate()` on any database. */
import { type MigrateOptions, type MigrationPlan, migrate } from '@pua/store';
import { type DatabaseFixture, loadAll } from './database';
import { KAMAILIO_ROWS } from './kamailio-tables';
import { publicationRow, Source, subscriptionRow } from './rows';

export interface MigrateFixture extends DatabaseFixture {
  readonly url: string;
  /** Everything that makes the form of the table: columns with types, indexes. */
  form(table: string): Promise<unknown>;
}

const LEASE_HELD = `insert into pua_lease (part, holder, host, pid, started, fence, until_ms, clean)
  values ('', 'far', 'another-host', 1, '', 1, ${Date.now() + 3_600_000}, 0)`;

export function migrateTests(make: () => Promise<MigrateFixture>, kamailioScript: readonly string[]): void {
  let fixture: MigrateFixture;
  beforeEach(async () => {
    fixture = await make();
  });
  afterEach(() => fixture.dispose());

  const kamailios = async (rows: readonly string[] = KAMAILIO_ROWS): Promise<void> => {
    for (const statement of [...kamailioScript, ...rows]) await fixture.sql(statement);
  };
  const migrated = (options: MigrateOptions = {}): Promise<MigrationPlan> => migrate(fixture.url, options, () => true);
  const tables = async (): Promise<string[]> => {
    const found: string[] = [];
    for (const name of ['version', 'pua', 'pua_lease', 'pua2', 'pua2_lease']) {
      if (await fixture.sql(`select 1 from ${name}`).catch(() => null)) found.push(name);
    }
    return found;
  };
  /** Columns that both forms have. */
  const kamailioPart = (): Promise<Record<string, unknown>[]> =>
    fixture.sql(
      'select pres_uri, etag, tuple_id, call_id, cseq, record_route, extra_headers, expires from pua order by id',
    );
  const filled = async (rows: Parameters<typeof publicationRow>[1][]): Promise<void> => {
    const store = fixture.store();
    await store.open();
    for (const [i, change] of rows.entries()) store.changed(new Source(`k${i}`, publicationRow(`k${i}`, change)));
    await store.close();
  };
  const refusal = (options: MigrateOptions = {}): Promise<unknown> =>
    migrated(options).catch((error: unknown) => error);

  test('an empty database: the tables are made, once', async () => {
    expect((await migrated()).steps).toEqual(['make the tables pua and pua_lease']);
    expect((await migrated()).steps).toEqual([]);
    expect(await fixture.store().open()).toEqual({ rows: 0, unclean: false });
  });

  test("Kamailio's table: first it is said what will be done, and nothing happens when that is declined", async () => {
    await kamailios();
    const form = await fixture.form('pua');
    const plan = await migrate(fixture.url, {}, () => false);
    expect(plan).toMatchObject({ rows: 2, lost: [], where: expect.stringMatching(/^table pua of /) });
    expect(plan.steps.join('\n')).toMatch(/drop the unique index .*\(etag, tuple_id, call_id, from_tag\)/);
    expect(plan.steps.join('\n')).toMatch(/add the columns record_key, .*more/);
    expect(plan.steps.join('\n')).toMatch(/make the table pua_lease/);
    expect(await fixture.form('pua')).toEqual(form);
    expect(await tables()).toEqual(['version', 'pua']);
  });

  test("Kamailio's table becomes ours in place, every row stays, a second run has nothing to do", async () => {
    await kamailios();
    const before = await kamailioPart();
    expect((await migrated()).steps.length).toBeGreaterThan(0);
    expect(await kamailioPart()).toEqual(before);
    expect((await migrated()).steps).toEqual([]);
    const store = fixture.store();
    // Kamailio writes now and then: the CSeqs of its dialogs have gone on.
    expect(await store.open()).toEqual({ rows: 2, unclean: true });
    expect((await kamailioPart()).map((row) => row.cseq)).toEqual([0, 1007]);
    store.changed(new Source('ours', subscriptionRow('ours', { etag: 'a.1' })));
    await store.flush();
    expect((await loadAll(store)).map((row) => row.record_key)).toEqual(['ours']);
  });

  test('up and down again: exactly the table that it was', async () => {
    await kamailios();
    const [form, rows] = [await fixture.form('pua'), await kamailioPart()];
    await migrated();
    expect(await fixture.form('pua')).not.toEqual(form);
    expect((await migrated({ down: true })).lost).toEqual([]);
    expect(await fixture.form('pua')).toEqual(form);
    expect(await kamailioPart()).toEqual(rows);
    expect(await tables()).toEqual(['version', 'pua']);
    expect(await fixture.sql('select table_name, table_version from version')).toEqual([
      { table_name: 'pua', table_version: 7 },
    ]);
    expect((await migrated({ down: true })).steps).toEqual([]);
  });

  test('a table that we made goes down as well; rows that have no room are told, and only they go', async () => {
    const same = { etag: 'e', tuple_id: 't' };
    await filled([
      { ...same, expires: 100 },
      { ...same, expires: 300 },
      { ...same, expires: 200 },
      { etag: 'other', tuple_id: 't' },
      { etag: 'e', tuple_id: null },
      { etag: 'e', tuple_id: null },
    ]);
    const plan = await migrate(fixture.url, { down: true }, () => false);
    expect(plan.steps[0]).toBe("delete 2 rows that have no room in Kamailio's table");
    const reason = 'it has the etag, tuple id, Call-ID and tag of k1, which lives longer';
    expect(plan.lost).toMatchObject([
      { key: 'k2', reason },
      { key: 'k0', reason },
    ]);
    expect(await fixture.sql('select id from pua')).toHaveLength(6);
    await migrated({ down: true });
    expect((await kamailioPart()).map((row) => row.expires)).toEqual([
      300, 1_700_000_000, 1_700_000_000, 1_700_000_000,
    ]);
    const form = await fixture.form('pua');
    const fresh = await make();
    for (const statement of kamailioScript) await fresh.sql(statement);
    expect(form).toEqual(await fresh.form('pua'));
    await fresh.dispose();
  });

  test('down after a stop that was not clean: the CSeqs of dialogs are raised, as Kamailio could not know', async () => {
    await filled([{ call_id: 'c', watcher_uri: 'sip:w@example.com', cseq: 7 }]);
    await fixture.sql('update pua_lease set clean = 0, until_ms = 1');
    await migrated({ down: true });
    expect((await kamailioPart()).map((row) => row.cseq)).toEqual([1007]);
  });

  test('after up and down of a clean table nothing is raised', async () => {
    await filled([{ call_id: 'c', watcher_uri: 'sip:w@example.com', cseq: 7 }]);
    await fixture.sql('create unique index too_narrow on pua (call_id)');
    expect((await migrated()).steps).toEqual(['drop the unique index too_narrow (call_id)']);
    expect(await fixture.store().open()).toEqual({ rows: 1, unclean: false });
  });

  test('indexes of others stay', async () => {
    await kamailios();
    await fixture.sql('create index theirs on pua (contact)');
    await migrated();
    expect(JSON.stringify(await fixture.form('pua'))).toContain('theirs');
    await migrated({ down: true });
    expect(JSON.stringify(await fixture.form('pua'))).toContain('theirs');
  });

  test('a copy: Kamailio’s table stays as it is, its rows are in ours, once', async () => {
    await kamailios();
    const form = await fixture.form('pua');
    const plan = await migrated({ from: 'pua', table: 'pua2' });
    expect(plan.steps).toEqual([
      'make the tables pua2 and pua2_lease',
      'copy 2 rows from the table pua, which stays as it is',
    ]);
    expect(await fixture.form('pua')).toEqual(form);
    expect(await fixture.sql('select etag, call_id from pua2 order by id')).toEqual([
      { etag: 'a.1', call_id: '' },
      { etag: '', call_id: 'call@host' },
    ]);
    expect(await migrated({ from: 'pua', table: 'pua2' })).toMatchObject({ rows: 2, steps: [] });
    expect(await fixture.store({ table: 'pua2' }).open()).toEqual({ rows: 2, unclean: true });
  });

  test.each<[string, MigrateOptions]>([
    ['up', {}],
    ['down', { down: true }],
  ])('%s is refused while a process has the table', async (_, options) => {
    await filled([]);
    await fixture.sql('delete from pua_lease');
    await fixture.sql(LEASE_HELD);
    await fixture.sql('alter table pua drop column more');
    expect(await refusal(options)).toMatchObject({
      code: 'PUA_ERR_STORE_HELD',
      message: expect.stringContaining('"far"'),
    });
    expect(await fixture.sql('select holder from pua_lease')).toEqual([{ holder: 'far' }]);
  });

  test.each<[string, MigrateOptions]>([
    ['up', {}],
    ['down', { down: true }],
    ['copied', { from: 'pua', table: 'pua2' }],
  ])('OpenSIPS’ table is not %s, and the reason told', async (_, options) => {
    await kamailios();
    await fixture.sql("update version set table_version = 9 where table_name = 'pua'");
    const form = await fixture.form('pua');
    expect(await refusal(options)).toMatchObject({
      code: 'PUA_ERR_STORE_VERSION',
      message: expect.stringMatching(/OpenSIPS' table, whose columns and bit values differ/),
    });
    expect(await fixture.form('pua')).toEqual(form);
  });

  test('a table of newer software, or something else, is refused', async () => {
    await filled([]);
    await fixture.sql("update version set table_version = 2 where table_name = 'pua_lease'");
    expect(await refusal()).toMatchObject({ message: expect.stringMatching(/newer version.*upgrade/) });
    await fixture.sql('drop table pua');
    await fixture.sql('create table pua (id integer, name integer)');
    expect(await refusal()).toMatchObject({ message: expect.stringMatching(/lacks the columns pres_uri/) });
    expect(await refusal({ from: 'none', table: 'pua2' })).toMatchObject({ message: /there is no table "none"/ });
  });

  test('what contradicts itself is a wrong option', async () => {
    for (const options of [{ from: 'pua' }, { from: 'pua', table: 'pua2', down: true }, { from: '; drop table pua' }]) {
      expect(await refusal(options)).toMatchObject({ code: 'PUA_ERR_OPTION' });
    }
    const none = migrate('memory:', {}, () => true);
    await expect(none).rejects.toMatchObject({ code: 'PUA_ERR_OPTION', message: expect.stringMatching(/no table/) });
  });
}

/** Runs migrations that are cut off before their first, second, ... change; each time running it again completes it. */
export async function interruptedEverywhere(
  fixture: MigrateFixture,
  kamailioScript: readonly string[],
  cutBefore: (change: number) => void,
  url: string,
): Promise<number> {
  const rows = async () =>
    (await fixture.sql('select etag, cseq from pua order by id')).map((row) => Object.values(row));
  const cutOff = async (options: MigrateOptions, change: number): Promise<boolean> => {
    cutBefore(change);
    const failed = await migrate(url, options, () => true).then(
      () => false,
      () => true,
    );
    await migrate(fixture.url, options, () => true);
    expect((await migrate(fixture.url, options, () => true)).steps).toEqual([]);
    return failed;
  };
  for (const statement of [...kamailioScript, ...KAMAILIO_ROWS]) await fixture.sql(statement);
  const form = await fixture.form('pua');
  for (let change = 1; ; change++) {
    const up = await cutOff({}, change);
    expect(await rows()).toEqual([
      ['a.1', 0],
      ['', 7],
    ]);
    const down = await cutOff({ down: true }, change);
    expect(await fixture.form('pua')).toEqual(form);
    expect(await rows()).toEqual([
      ['a.1', 0],
      ['', 7],
    ]);
    if (!up && !down) return change - 1;
  }
}
