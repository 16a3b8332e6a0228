import { type LaunchedMariadb, launchMariadb, peersReady } from '@pua/testkit';
import { databaseTests } from './database';
import { mariadbFixtures } from './mariadb-fixture';

// Processes and threads start slowly on a busy machine.
jest.setTimeout(30_000);

(peersReady(['mariadb']) ? describe : describe.skip)('MariaDB', () => {
  let server: LaunchedMariadb;
  beforeAll(async () => {
    server = await launchMariadb();
  });
  afterAll(() => server.stop());

  databaseTests(mariadbFixtures(() => server));
});
