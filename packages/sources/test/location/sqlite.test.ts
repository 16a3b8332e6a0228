import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { locationTable } from '@pua/sources';
import { SimClock } from '@pua/testkit';
import { tableTests } from './table';

describe('location table on SQLite', () => {
  const folder = mkdtempSync(join(tmpdir(), 'pua-location-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  let files = 0;
  tableTests(async () => `sqlite:${join(folder, `${++files}.db`)}`);

  test('a database that can not be opened is told with its place', async () => {
    await expect(locationTable(`sqlite:${folder}/none/x.db`).open(new SimClock())).rejects.toMatchObject({
      code: 'PUA_ERR_STORE_OPEN',
      message: expect.stringMatching(/^location table pua_location: .*directory/),
    });
  });

  test.each(['', 'a b', '1', 'x"; drop table y; --', 'a'.repeat(64)])('%j is no name of a table', (table) => {
    expect(() => locationTable('sqlite:x.db', { table })).toThrow(
      expect.objectContaining({
        code: 'PUA_ERR_OPTION',
        message: expect.stringMatching(/^location table: must be a name/),
      }),
    );
  });
});
