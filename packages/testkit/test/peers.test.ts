import { mariadbFromEnvironment, missingPeers, peersReady, postgresFromEnvironment } from '@pua/testkit';

describe('PUA_TEST_MARIADB', () => {
  const read = (value: string | undefined) => mariadbFromEnvironment({ PUA_TEST_MARIADB: value });

  test.each([
    ['mysql://me:p%40ss@db.example:3307/', { host: 'db.example', port: 3307, user: 'me', password: 'p@ss' }],
    ['mysql://db.example', { host: 'db.example', port: 3306, user: 'root', password: '' }],
    ['{"host":"h","port":1,"user":"u","password":"p"}', { host: 'h', port: 1, user: 'u', password: 'p' }],
    ['{"port":3310}', { host: '127.0.0.1', port: 3310, user: 'root', password: '' }],
  ])('%s', (value, access) => {
    expect(read(value)).toEqual(access);
  });

  test('absent or empty: none', () => {
    expect([read(undefined), read(' ')]).toEqual([undefined, undefined]);
  });

  test.each(['{"password":"top-secret"', 'postgres://u:top-secret@h', 'top-secret'])(
    'a wrong value is not shown: %#',
    (value) => {
      let message = '';
      try {
        read(value);
      } catch (error) {
        message = String(error);
      }
      expect(message).toContain('expected mysql://');
      expect(message).not.toContain('top-secret');
    },
  );
});

describe('PUA_TEST_POSTGRES', () => {
  const read = (value: string) => postgresFromEnvironment({ PUA_TEST_POSTGRES: value });

  test.each([
    ['postgres://me:p%40ss@db.example:5433/', { host: 'db.example', port: 5433, user: 'me', password: 'p@ss' }],
    ['postgresql://db.example', { host: 'db.example', port: 5432, user: 'postgres', password: '' }],
    ['{"port":3310}', { host: '127.0.0.1', port: 3310, user: 'postgres', password: '' }],
  ])('%s', (value, access) => {
    expect(read(value)).toEqual(access);
  });

  test('a wrong value is not shown', () => {
    expect(() => read('mysql://u:top-secret@h')).toThrow(/^PUA_TEST_POSTGRES: expected postgres:(?!.*secret)/);
  });
});

describe('missing peers', () => {
  const { PATH } = process.env;
  afterEach(() => {
    process.env.PATH = PATH;
  });

  test('nothing is asked for, nothing is missing', () => {
    expect(missingPeers([])).toEqual({ packages: [], command: '' });
    expect(peersReady([])).toBe(true);
  });

  test('what is missing is named with the command that installs it; with CI=true it is an error', () => {
    // sipp lies in a folder of PATH only; daemons are also looked for elsewhere.
    process.env.PATH = '/nowhere';
    expect(missingPeers(['sipp'])).toEqual({
      packages: ['sip-tester'],
      command: 'apt-get install -y --no-install-recommends sip-tester',
    });
    expect(() => peersReady(['sipp'], { CI: 'true' })).toThrow('apt-get install -y --no-install-recommends sip-tester');
    const write = jest.spyOn(process.stderr, 'write').mockReturnValue(true);
    expect(peersReady(['sipp'], {})).toBe(false);
    expect(write).toHaveBeenCalledWith(expect.stringContaining('left out: tests with sipp need: apt-get'));
    write.mockRestore();
  });
});
