import { join } from 'node:path';
import { configFile, folder, pua, removeFolders } from './support';

afterAll(removeFolders);

test('migrate says what it will do, does it with --yes, and then has nothing to do; and back', async () => {
  const file = join(folder(), 'pua.db');
  const config = configFile(`pua: { db_url: "sqlite:${file}" }\n`);
  const migrate = (...more: string[]) => pua('migrate', '--config', config, ...more);
  const plan = `table pua of ${file}, 0 rows:\n  - make the tables pua and pua_lease\n`;
  const later = 'Nothing was changed. Stop Kamailio and `pua run`, then run this again with --yes.\n';
  for (let i = 0; i < 2; i++) expect(await migrate()).toEqual({ code: 0, out: plan + later, err: '' });
  expect(await migrate('--yes')).toEqual({ code: 0, out: `${plan}Done.\n`, err: '' });
  expect(await migrate()).toEqual({ code: 0, out: `table pua of ${file}, 0 rows: nothing to do.\n`, err: '' });
  const down = await migrate('--down', '--yes');
  expect(down).toMatchObject({ code: 0, err: '' });
  expect(down.out).toMatch(/ {2}- drop the table pua_lease\nDone\.\n$/);
  expect(await migrate('--from', 'none')).toMatchObject({ code: 1, err: expect.stringMatching(/no table "none"/) });
});

test('wrong use is told, exit 2', async () => {
  const config = configFile('pua: { db_url: "memory:" }\n');
  expect(await pua('migrate', '--config', config)).toEqual({
    code: 2,
    out: '',
    err: 'pua: db_url memory: has no table to migrate\n',
  });
  expect(await pua('migrate')).toMatchObject({ code: 2, err: expect.stringMatching(/--config/) });
  const both = await pua('migrate', '--config', configFile('{}'), '--down', '--from', 'pua2');
  expect(both).toMatchObject({ code: 2, out: '', err: expect.stringMatching(/not with down/) });
});

test('a database that is away: its remedy, without the password', async () => {
  const config = configFile('pua: { db_url: "mysql://me:top-secret@127.0.0.1:1/pua" }\n');
  const { code, err } = await pua('migrate', '--config', config);
  expect(code).toBe(1);
  expect(err).toMatch(/^pua: cannot use mysql:\/\/me@127\.0\.0\.1:1\/pua: .*is the database server running/);
  expect(err).not.toContain('top-secret');
});
