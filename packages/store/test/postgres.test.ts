import { type LaunchedPostgres, launchPostgres, peersReady } from '@pua/testkit';
import { databaseTests } from './database';
import { postgresFixtures } from './postgres-fixture';

// Processes and threads start slowly on a busy machine.
jest.setTimeout(30_000);

(peersReady(['postgres']) ? describe : describe.skip)('PostgreSQL', () => {
  let server: LaunchedPostgres;
  beforeAll(async () => {
    server = await launchPostgres();
  });
  afterAll(() => server.stop());

  databaseTests(postgresFixtures(() => server));
});
