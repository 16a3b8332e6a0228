import { type LaunchedMariadb, type LaunchedPostgres, launchMariadb, launchPostgres, peersReady } from '@pua/testkit';
import { tableTests } from './table';

// Servers start slowly on a busy machine.
jest.setTimeout(30_000);

(peersReady(['mariadb']) ? describe : describe.skip)('location table on MariaDB', () => {
  let server: LaunchedMariadb;
  beforeAll(async () => {
    server = await launchMariadb();
  });
  afterAll(() => server.stop());
  tableTests(async () => (await server.createDatabase()).url);
});

(peersReady(['postgres']) ? describe : describe.skip)('location table on PostgreSQL', () => {
  let server: LaunchedPostgres;
  beforeAll(async () => {
    server = await launchPostgres();
  });
  afterAll(() => server.stop());
  tableTests(async () => (await server.createDatabase()).url);
});
