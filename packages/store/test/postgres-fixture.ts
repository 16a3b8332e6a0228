import type { StorePort } from '@pua/core';
import { openStore } from '@pua/store';
import type { LaunchedPostgres, PostgresDatabase } from '@pua/testkit';
import type { ServerFixture } from './outage';

type Client = Awaited<ReturnType<PostgresDatabase['connect']>>;

export interface PostgresFixture extends ServerFixture {
  readonly database: PostgresDatabase;
}

async function fixtureOn(database: PostgresDatabase): Promise<PostgresFixture> {
  const clients: Client[] = [];
  const another = async () => {
    const client = await database.connect();
    clients.push(client);
    return async (statement: string) => (await client.query<Record<string, unknown>>(statement)).rows;
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
      await Promise.all(clients.map((client) => client.end()));
      await database.drop();
    },
  };
}

/** A database with no table in it. */
export async function emptyPostgres(server: LaunchedPostgres): Promise<PostgresFixture> {
  return fixtureOn(await server.createDatabase());
}

/** Makes databases with empty tables, as the store makes them: to load knex for each test would take most of the time. */
export function postgresFixtures(server: () => LaunchedPostgres): () => Promise<PostgresFixture> {
  let template: Promise<PostgresDatabase> | null = null;
  const makeTemplate = async (): Promise<PostgresDatabase> => {
    const database = await server().createDatabase();
    const store = openStore(database.url);
    await store.open();
    await store.close();
    return database;
  };
  return async () => {
    template ??= makeTemplate();
    return fixtureOn(await server().createDatabase(await template));
  };
}
