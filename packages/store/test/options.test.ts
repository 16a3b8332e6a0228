import { resolve } from 'node:path';
import { openStore, type StoreOptions } from '@pua/store';
import { parseUrl } from '../dist/url.js';

test.each([
  ['memory:', { kind: 'memory' }],
  ['sqlite:./pua.db', { kind: 'sqlite', file: resolve('pua.db') }],
  ['sqlite:/var/lib/pua.db', { kind: 'sqlite', file: '/var/lib/pua.db' }],
  ['sqlite:///var/lib/pua.db', { kind: 'sqlite', file: '/var/lib/pua.db' }],
  ['sqlite:////var/lib/pua.db', { kind: 'sqlite', file: '/var/lib/pua.db' }],
  ['SQLite:a b:c.db', { kind: 'sqlite', file: resolve('a b:c.db') }],
])('db_url %s', (url, location) => {
  expect(parseUrl(url)).toEqual(location);
});

test.each([
  ['sqlite:', /names no file/],
  ['sqlite::memory:', /names no file.*memory:/],
  ['pua.db', /without a scheme.*sqlite:<path>/],
  ['', /without a scheme/],
  ['oracle://user:secret@host/db', /^db_url with the scheme "oracle:" is not known: use sqlite:<path> or memory:$/],
])('db_url %p is refused, without its secrets', (url, text) => {
  expect(() => openStore(url)).toThrow(
    expect.objectContaining({ code: 'PUA_ERR_OPTION', message: expect.stringMatching(text) }),
  );
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
