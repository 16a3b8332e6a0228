import type { StorePort } from '@pua/core';
import { openStore } from '@pua/store';
import type { LaunchedMariadb, TestDatabase } from '@pua/testkit';
import type { ServerFixture } from './outage';

type Connection = Awaited<ReturnType<TestDatabase['connect']>>;

export interface MariadbFixture extends ServerFixture {
  readonly database: TestDatabase;
}

/** Text is kept as bytes. */
const readable = (row: object): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(row).map(([name, value]) => [name, Buffer.isBuffer(value) ? value.toString() : value]),
  );

/** A database with no table in it. */
export async function emptyMariadb(server: LaunchedMariadb): Promise<MariadbFixture> {
  const database = await server.createDatabase();
  const connections: Connection[] = [];
  const another = async () => {
    const connection = await database.connect();
    connections.push(connection);
    return async (statement: string) => {
      const [rows] = await connection.query(statement);
      return Array.isArray(rows) ? rows.map(readable) : [];
    };
  };
  const sql = await another();
  const stores: StorePort[] = [];
  return {
    database,
    store(options) {
      const store = openStore(database.url, options);
      stores.push(store);
      return store;
    },
    sql,
    another,
    async dispose() {
      await Promise.allSettled(stores.map((store) => store.close()));
      await Promise.all(connections.map((connection) => connection.end()));
      await database.drop();
    },
  };
}

/** Makes databases with empty tables, as the store makes them: to load knex for each test would take most of the time. */
export function mariadbFixtures(server: () => LaunchedMariadb): () => Promise<MariadbFixture> {
  let template: Promise<string> | null = null;
  const makeTemplate = async (): Promise<string> => {
    const fixture = await emptyMariadb(server());
    const store = fixture.store();
    await store.open();
    await store.close();
    const statements: unknown[] = [];
    for (const table of ['version', 'pua', 'pua_lease']) {
      const [made] = await fixture.sql(`show create table ${table}`);
      statements.push(made?.['Create Table']);
    }
    await fixture.dispose();
    return [
      ...statements,
      "insert into version (table_name, table_version) values ('pua', 7), ('pua_lease', 1)",
      "insert into pua_lease values ('', 'nobody', '', 0, '', 0, 0, 1)",
    ].join(';\n');
  };
  return async () => {
    template ??= makeTemplate();
    const made = await template;
    const fixture = await emptyMariadb(server());
    await fixture.sql(made);
    return fixture;
  };
}
