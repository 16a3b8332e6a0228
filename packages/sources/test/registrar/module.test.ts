/** The registrar as a module: options, its life, what it keeps. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type LocationStore, type RegistrarOptions, registrar } from '@pua/sources';
import { HOME, PROXY, Scene, settle, USERS } from './scene';

const trusted = [PROXY.host];

describe('options', () => {
  test.each<[string, object, RegExp]>([
    ['nobody to believe', {}, /^registrar needs to know whom to believe.*trusted.*users/],
    ['users without domains', { users: USERS }, /^registrar domains: name the domains/],
    ['a table of users without domains', { subscriberUrl: 'sqlite:x.db' }, /^registrar domains/],
    ['a bad address', { trusted: ['10.0.0.300'] }, /^registrar trusted\[0\]: .*192\.0\.2\.0\/24/],
    ['a bad prefix', { trusted: ['10.0.0.0/8', '10.0.0.0/33'] }, /^registrar trusted\[1\]/],
    ['a bad prefix of IPv6', { trusted: ['::1/129'] }, /^registrar trusted\[0\]/],
    ['an empty prefix', { trusted: ['10.0.0.1/'] }, /^registrar trusted\[0\]/],
    ['a name', { trusted: ['localhost'] }, /^registrar trusted\[0\]/],
    ['no list', { trusted: '10.0.0.1' }, /^registrar trusted: must be a list/],
    ['a bad domain', { trusted, domains: ['a b'] }, /^registrar domains\[0\]/],
    ['a user without name', { domains: ['x'], users: [{ password: 'secret' }] }, /^registrar users\[0\]\.username/],
    [
      'a user without password',
      { domains: ['x'], users: [{ username: 'a', password: 3 }] },
      /^registrar users\[0\]\.password/,
    ],
    [
      'a user with a bad domain',
      { domains: ['x'], users: [{ ...USERS[0], domain: 1 }] },
      /^registrar users\[0\]\.domain/,
    ],
    ['a user with bad aors', { domains: ['x'], users: [{ ...USERS[0], aors: 'all' }] }, /^registrar users\[0\]\.aors/],
    [
      'a user with an address that can be none',
      { domains: ['x'], users: [{ ...USERS[0], aors: ['bob@x', '<sip:bob@x>'] }] },
      /^registrar users\[0\]\.aors\[1\]: must be .*bob@example\.com/,
    ],
    [
      'an unknown algorithm',
      { domains: ['x'], users: USERS, algorithms: ['SHA-1'] },
      /^registrar algorithms: .*SHA-512-256/,
    ],
    ['no algorithm', { domains: ['x'], users: USERS, algorithms: [] }, /^registrar algorithms/],
    [
      'SHA-256 with MD5 hashes alone',
      { domains: ['x'], subscriberUrl: 'sqlite:x.db', algorithms: ['SHA-256'] },
      /^registrar algorithms: only MD5.*password_column/,
    ],
    [
      'SHA-256 where some have MD5 hashes alone',
      { domains: ['x'], users: USERS, subscriberUrl: 'sqlite:x.db', algorithms: ['SHA-256'] },
      /^registrar algorithms: only MD5.*password_column/,
    ],
    [
      'a bad database of users',
      { domains: ['x'], subscriberUrl: 'mysql://u:secret@' },
      /^registrar subscriberUrl: db_url \(mysql\)/,
    ],
    ['a bad database of bindings', { trusted, location: { dbUrl: 'memory:' } }, /^registrar location: db_url memory/],
    ['no database of bindings', { trusted, location: {} }, /^registrar location\.dbUrl/],
    [
      'a bad table',
      { trusted, location: { dbUrl: 'sqlite:x.db', table: 'a b' } },
      /^registrar location: location table/,
    ],
    ['min_expires', { trusted, minExpires: 3601 }, /^registrar minExpires \(min_expires\): must be 3600 or less/],
    ['max_expires below min_expires', { trusted, maxExpires: 10 }, /^registrar maxExpires \(max_expires\)/],
    ['default_expires below min_expires', { trusted, defaultExpires: 10 }, /^registrar defaultExpires/],
    ['publish', { trusted, publish: true }, /^registrar publish/],
  ])('%s', (_, options, message) => {
    let error: unknown;
    try {
      registrar(options as RegistrarOptions);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toMatchObject({ code: 'PUA_ERR_OPTION', message: expect.stringMatching(message) });
    expect((error as Error).message).not.toContain('secret');
  });

  test('null is as good as absent: a YAML file may say so', () => {
    const nothing = { users: null, domains: null, algorithms: null, location: null, publish: null, realm: null };
    expect(registrar({ ...nothing, trusted } as unknown as RegistrarOptions).name).toBe('registrar');
  });
});

describe('its life', () => {
  test('before pua.use() it knows nothing', () => {
    const source = registrar({ trusted });
    const error = expect.objectContaining({
      code: 'PUA_ERR_STATE',
      message: expect.stringContaining('pua.use(registrar)'),
    });
    expect(() => source.onEvent(() => {})).toThrow(error);
    expect(() => source.snapshot()).toThrow(error);
    expect(() => source.bindings('alice@example.com')).toThrow(error);
  });

  test('REGISTERs wait until the bindings are read, and are refused once it stops', async () => {
    const scene = new Scene({ trusted });
    const early = scene.send({}, PROXY);
    await settle();
    expect(scene.told()).toEqual([]);
    await scene.source.start();
    expect((await early).status).toBe(200);
    expect(scene.told()).toEqual([`insert ${HOME}`]);
    await scene.stop();
    expect(scene.clock.pending).toBe(0);
    const late = await scene.send({}, PROXY);
    expect([late.status, late.get('Retry-After')]).toEqual([503, '10']);
  });

  test('those that wait are bounded, and answered when it never starts', async () => {
    const scene = new Scene({ trusted });
    const waiting = Array.from({ length: 10_000 }, () => scene.send({}, PROXY));
    expect((await scene.send({}, PROXY)).status).toBe(503);
    await scene.stop();
    expect(new Set((await Promise.all(waiting)).map(({ status }) => status))).toEqual(new Set([503]));
  });

  test('it can be stopped before it has started, and twice', async () => {
    const scene = new Scene({ trusted });
    await scene.stop();
    await scene.stop();
  });
});

describe('bindings in a table', () => {
  const folder = mkdtempSync(join(tmpdir(), 'pua-registrar-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  test('are there after a restart; what ran out meanwhile is told', async () => {
    const location = { dbUrl: `sqlite:${join(folder, 'location.db')}`, table: 'registered' };
    const first = await Scene.start({ trusted, location });
    await first.send({ Contact: `<${HOME}>, <sip:short@h>;expires=60` }, PROXY);
    await first.stop();

    const second = new Scene({ trusted, location });
    second.clock.advance(61_000);
    await second.source.start();
    expect(second.told()).toEqual([]);
    expect((await second.source.bindings('alice@example.com')).map(({ contact }) => contact)).toEqual([HOME]);
    second.clock.advance(0);
    expect(second.told()).toEqual(['expire sip:short@h']);
    await second.send({ 'Call-ID': 'again' }, PROXY);
    expect(second.told()).toEqual([`update ${HOME}`]);
    await second.stop();
  });

  test('one that can not be opened ends the start', async () => {
    const scene = new Scene({ trusted, location: { dbUrl: `sqlite:${join(folder, 'none', 'x.db')}` } });
    await expect(scene.source.start()).rejects.toMatchObject({ code: 'PUA_ERR_STORE_OPEN' });
    await scene.stop();
  });

  test('one that can not be read to its end leaves nothing open', async () => {
    const called: string[] = [];
    const binding = { aor: 'alice@example.com', contact: HOME, bindingId: 'b', expiresAt: Date.UTC(2030, 0) };
    const location: LocationStore = {
      open: async () => void called.push('open'),
      load: async (onPage) => {
        onPage([{ key: 'b', binding }]);
        throw new Error('gone away');
      },
      changed: () => {},
      removed: () => {},
      flush: async () => {},
      close: async () => void called.push('close'),
    };
    const scene = new Scene({ trusted, location });
    await expect(scene.source.start()).rejects.toThrow('gone away');
    expect([called, scene.clock.pending]).toEqual([['open', 'close'], 0]);
    await scene.stop();
  });
});

test('bindings of a NOTIFY go the same way', async () => {
  const scene = await Scene.start({ trusted });
  const meta = { origin: 'reginfo', subscriptionId: 's' } as const;
  const binding = { aor: 'alice@example.com', contact: HOME, bindingId: 'c1', expiresAt: 0 };
  expect(await scene.source.upsert(binding, meta)).toBe('inserted');
  expect(await scene.source.listOwned('alice@example.com', 's')).toHaveLength(1);
  expect(await scene.source.remove('alice@example.com', 'c1', { ...meta, event: 'expired' })).toBe(true);
  await scene.source.upsert(binding, meta);
  expect(await scene.source.removeAll('alice@example.com', meta)).toBe(1);
  expect(scene.told()).toEqual([`insert ${HOME}`, `expire ${HOME}`, `insert ${HOME}`, `delete ${HOME}`]);
  const all = [];
  for await (const one of scene.source.snapshot()) all.push(one);
  expect(all).toEqual([]);
  await scene.stop();
});
