import { resolve } from 'node:path';
import { openStore, type StoreOptions } from '@pua/store';
import { type Location, parseUrl, shownLocation } from '../dist/url.js';

const server = (kind: string, host: string, port: number, user: string, password: string) => ({
  kind,
  server: { host, port, user, password, database: 'kamailio' },
});

test.each([
  ['memory:', { kind: 'memory' }],
  ['sqlite:./pua.db', { kind: 'sqlite', file: resolve('pua.db') }],
  ['sqlite:/var/lib/pua.db', { kind: 'sqlite', file: '/var/lib/pua.db' }],
  ['sqlite:///var/lib/pua.db', { kind: 'sqlite', file: '/var/lib/pua.db' }],
  ['sqlite:////var/lib/pua.db', { kind: 'sqlite', file: '/var/lib/pua.db' }],
  ['SQLite:a b:c.db', { kind: 'sqlite', file: resolve('a b:c.db') }],
  ['mysql://kamailio:kamailiorw@localhost/kamailio', server('mysql', 'localhost', 3306, 'kamailio', 'kamailiorw')],
  ['mariadb://kamailio@db.example:3307/kamailio', server('mysql', 'db.example', 3307, 'kamailio', '')],
  ['postgres://kamailio:p%40%2F%3A@[::1]:1/kamailio', server('postgres', '::1', 1, 'kamailio', 'p@/:')],
  ['PostgreSQL://k%C3%A4:p@h/kamailio', server('postgres', 'h', 5432, 'kä', 'p')],
])('db_url %s', (url, location) => {
  expect(parseUrl(url)).toEqual(location);
});

test.each([
  ['sqlite:', /names no file/],
  ['sqlite::memory:', /names no file.*memory:/],
  ['pua.db', /without a scheme.*sqlite:<path>/],
  ['', /without a scheme/],
  [
    'oracle://user:secret@host/db',
    /^db_url with the scheme "oracle:" is not known: use sqlite:<path>, mysql:\/\/, postgres:\/\/ or memory:$/,
  ],
  ['mysql://user:secret@host', /names no database: use mysql:\/\/user:password@host:port\/database/],
  ['mysql://user:secret@host/', /names no database/],
  ['mysql://user:secret@host/a/b', /names no database/],
  ['postgres://host/db', /names no user: use postgres:/],
  ['postgres://user:secret@/db', /is malformed|names no host/],
  ['mysql:user:secret@host', /names no host/],
  ['mysql://user:secret/secret@host/db', /percent-encoded/],
  ['mysql://user:secret%zz@host/db', /percent-encoded/],
  ['mysql://user:secret@host:port/db', /percent-encoded/],
  ['mysql://user:secret@host/db?ssl=secret', /parameters behind the database.*not known/],
])('db_url %p is refused, without its secrets', (url, text) => {
  expect(() => openStore(url)).toThrow(
    expect.objectContaining({ code: 'PUA_ERR_OPTION', message: expect.stringMatching(text) }),
  );
  expect(() => openStore(url)).not.toThrow(/secret/);
});

test('what people are shown has no password', () => {
  const shown = (url: string) => shownLocation(parseUrl(url) as Exclude<Location, { kind: 'memory' }>);
  expect(shown('mariadb://me:secret@[::1]/db')).toBe('mysql://me@[::1]:3306/db');
  expect(shown('sqlite:/var/pua.db')).toBe('/var/pua.db');
});

test.each<[StoreOptions, RegExp]>([
  [{ table: 'pua; drop table pua' }, /table \(db_table\)/],
  [{ table: '1pua' }, /table/],
  [{ table: 'x'.repeat(27) }, /at most|26/],
  [{ writeDelayMs: -1 }, /writeDelayMs/],
  [{ writeAt: 0 }, /writeAt/],
  [{ groupMax: 1.5 }, /groupMax/],
  [{ leaseMs: 99 }, /leaseMs/],
  [{ closeMs: Number.NaN }, /closeMs/],
  [{ maxPending: 0 }, /maxPending/],
  [{ retryMs: [0, 1] }, /retryMs\[0\]/],
  [{ synchronous: 'off' as 'full' }, /synchronous/],
])('option %p is refused by name', (options, text) => {
  for (const url of ['sqlite:pua.db', 'memory:']) {
    expect(() => openStore(url, options)).toThrow(
      expect.objectContaining({ code: 'PUA_ERR_OPTION', message: expect.stringMatching(text) }),
    );
  }
});
