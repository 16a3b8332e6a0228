import { memoryStore } from '@pua/store';
import { storeCompliance } from '@pua/testkit';
import { databaseTests } from './database';
import { sqliteFixture } from './sqlite-fixture';

// Processes and threads start slowly on a busy machine.
jest.setTimeout(30_000);

describe('SQLite', () => databaseTests(sqliteFixture));

describe('memory:', () => {
  const fixture = { store: memoryStore, dispose: async () => {} };
  for (const { name, run } of storeCompliance(async () => fixture, { keeps: false })) test(name, run);
});
