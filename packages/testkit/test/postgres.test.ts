import { type LaunchedPostgres, launchPostgres, peersReady } from '@pua/testkit';

jest.setTimeout(30_000);

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

(peersReady(['postgres']) ? describe : describe.skip)('PostgreSQL', () => {
  let postgres: LaunchedPostgres;
  beforeAll(async () => {
    postgres = await launchPostgres({ own: true, durable: true, settings: { max_connections: '10' } });
  });
  afterAll(async () => {
    const pid = postgres.pid!;
    await postgres.stop();
    expect(alive(pid)).toBe(false);
    await postgres.stop();
  });

  test('each suite has a database of its own, or a copy of one, which is dropped also while somebody uses it', async () => {
    const one = await postgres.createDatabase();
    const client = await one.connect();
    await client.query('create table t (a bigint); insert into t values (7)');
    await client.end();
    const two = await postgres.createDatabase(one);
    expect(two.name).not.toBe(one.name);
    const other = await two.connect();
    expect((await other.query('select a from t')).rows).toEqual([{ a: 7 }]);
    expect((await other.query('show max_connections')).rows).toEqual([{ max_connections: '10' }]);
    await two.drop();
    await expect(two.connect()).rejects.toThrow(/does not exist/);
    await one.drop();
    await other.end();
  });

  test.each(['stop', 'kill'] as const)('interrupted (%s) and resumed on its port and files', async (how) => {
    const database = await postgres.createDatabase();
    const client = await database.connect();
    await client.query('create table t (a integer)');
    const { pid } = postgres;
    await postgres.interrupt(how);
    expect(alive(pid!)).toBe(false);
    await expect(database.connect()).rejects.toThrow(/ECONNREFUSED/);
    await postgres.resume();
    const again = await database.connect();
    expect((await again.query('select * from t')).rows).toEqual([]);
    await again.end();
    await database.drop();
  });

  test('one that can not start says why', async () => {
    await expect(launchPostgres({ own: true, settings: { max_connections: 'many' } })).rejects.toThrow(
      /^PostgreSQL did not start: it ended\n.*max_connections/s,
    );
  });
});
