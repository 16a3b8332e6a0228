/** Database servers of a row: launched once, found by the processes that measure through the environment. */
import { type DatabaseAccess, type LaunchedMariadb, launchMariadb, launchPostgres } from '@pua/testkit';
import type { Prepared } from '../row.js';

const accessOf = ({ host, port, user, password }: DatabaseAccess): string =>
  JSON.stringify({ host, port, user, password });

/** Each commit goes to the disk, as in use, and the tables fit into memory; unless PUA_TEST_MARIADB names another one. */
export async function prepareMariadb(): Promise<Prepared & { readonly mariadb: LaunchedMariadb }> {
  const mariadb = await launchMariadb({ durable: true, arguments: ['--innodb-buffer-pool-size=1G'] });
  return { mariadb, env: { PUA_TEST_MARIADB: accessOf(mariadb) }, end: () => mariadb.stop() };
}

export async function preparePostgres(): Promise<Prepared> {
  const postgres = await launchPostgres({ durable: true, settings: { shared_buffers: '1GB' } });
  return { env: { PUA_TEST_POSTGRES: accessOf(postgres) }, end: () => postgres.stop() };
}
