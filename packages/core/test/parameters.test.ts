/** The documented parameters: their defaults, ranges and messages; then the other options of createPua(). */
import { checkOptions, type PuaOptions } from '../dist/options.js';
import { checkParameters, optionName, PUA_PARAMETERS, parameterFault } from '../dist/parameters.js';
import { FakeSip } from './support/sip';

const URI = 'must be a SIP URI such as sip:presence.example.com, or a list of them, not ';

const TABLE: [
  name: keyof typeof PUA_PARAMETERS,
  dflt: unknown,
  good: unknown[],
  bad: [value: unknown, fault: string][],
][] = [
  [
    'hash_size',
    9,
    [0, 1, 20],
    [
      [-1, 'must be 0 or more, not -1'],
      [21, 'must be 20 or less, not 21'],
    ],
  ],
  [
    'db_url',
    'sqlite:./pua.db',
    ['memory:'],
    [
      ['', 'must be a text, not ""'],
      [5, 'must be a text, not 5'],
    ],
  ],
  ['db_table', 'pua', ['t'], [[null, 'must be a text, not null']]],
  [
    'min_expires',
    0,
    [0, 300],
    [
      [-1, 'must be 0 or more, not -1'],
      ['60', 'must be a whole number, not "60"'],
    ],
  ],
  [
    'default_expires',
    3600,
    [1, 599, 2 ** 31 - 1],
    [
      [0, 'must be 1 or more, not 0'],
      [2 ** 31, 'must be 2147483647 or less, not 2147483648'],
    ],
  ],
  ['update_period', 100, [0, -1, 1, 5], [[1.5, 'must be a whole number, not 1.5']]],
  [
    'outbound_proxy',
    null,
    [null, 'sip:p', 'SIPS:p:5061;transport=tls', ['sip:a', 'sip:b'], []],
    [
      ['p.example.com', `${URI}"p.example.com"`],
      [['sip:a', 5], `${URI}5`],
      ['<sip:a>', `${URI}"<sip:a>"`],
      ['tel:+49', `${URI}"tel:+49"`],
    ],
  ],
  ['dlginfo_increase_version', 0, [0, 1], [[2, 'must be one of 0, 1, not 2']]],
  ['reginfo_increase_version', 0, [0, 1], [[true, 'must be a whole number, not true']]],
  ['db_mode', 0, [0, 1, 2], [[3, 'must be one of 0, 1, 2, not 3']]],
  ['db_table_lock_write', 1, [0, 1], [[-1, 'must be one of 0, 1, not -1']]],
  ['check_remote_contact', 1, [0, 1], [[Number.NaN, 'must be a whole number, not null']]],
  [
    'fetch_rows',
    500,
    [1, 100_000],
    [
      [0, 'must be 1 or more, not 0'],
      [100_001, 'must be 100000 or less, not 100001'],
    ],
  ],
];

test('there are thirteen', () => {
  expect(Object.keys(PUA_PARAMETERS)).toEqual(TABLE.map(([name]) => name));
});

describe.each(TABLE)('%s', (name, dflt, good, bad) => {
  const spec = PUA_PARAMETERS[name];

  test('default', () => {
    expect(spec.default).toEqual(dflt);
    expect(parameterFault(spec, spec.default)).toBeUndefined();
    expect(spec.doc).not.toBe('');
  });

  test.each(good.map((value) => [value]))('%j', (value) => {
    expect(parameterFault(spec, value)).toBeUndefined();
  });

  test.each(bad)('not %j', (value, fault) => {
    expect(parameterFault(spec, value)).toBe(fault);
  });
});

test('option names', () => {
  expect(['db_table_lock_write', 'min_expires', 'pua'].map(optionName)).toEqual([
    'dbTableLockWrite',
    'minExpires',
    'pua',
  ]);
});

describe('createPua options', () => {
  const check = (more: object = {}) => checkOptions({ sip: new FakeSip(), ...more } as PuaOptions);
  const warnings = (more: object) => {
    const heard: string[] = [];
    check({ ...more, warn: (message: string) => heard.push(message) });
    return heard;
  };

  test('defaults', () => {
    expect(check()).toMatchObject({
      outboundProxies: [],
      onePublishPerUri: true,
      maxNotifyBytes: 262_144,
      onStop: 'leave',
      updatePeriod: 100,
      fetchRows: 500,
      checkRemoteContact: true,
      ceiling: { perSecond: 0, inFlight: 1000 },
      policy: { defaultExpires: 3600, minExpires: 0 },
    });
  });

  test('one proxy or a list', () => {
    expect(check({ outboundProxy: 'sip:a' }).outboundProxies).toEqual(['sip:a']);
    expect(check({ outboundProxy: ['sip:a', 'sip:b'] }).outboundProxies).toEqual(['sip:a', 'sip:b']);
  });

  test('warnings', () => {
    expect(warnings({ defaultExpires: 60 })).toEqual([]);
    expect(warnings({ defaultExpires: 59 })[0]).toMatch(/^default_expires 59: honoured/);
    expect(warnings({ dbMode: 1 })).toEqual(['db_mode 1 is reserved; 0 is used']);
  });

  test.each([
    [{ minExpires: -1 }, 'minExpires (min_expires): must be 0 or more, not -1'],
    [{ dbMode: 2 }, 'dbMode (db_mode): 2 (database only) is not built yet'],
    [{ outboundProxy: 'x' }, 'outboundProxy (outbound_proxy): must be a SIP URI'],
    [{ sip: undefined }, 'sip: '],
    [{ sip: {} }, 'sip: '],
    [{ store: {} }, 'store: '],
    [{ ceiling: { inFlight: 0 } }, 'ceiling.inFlight: must be a whole number of 1 or more, not 0'],
    [{ ceiling: { perSecond: -1 } }, 'ceiling.perSecond: must be a whole number of 0 or more, not -1'],
    [{ ceiling: { perSecond: 0.5 } }, 'ceiling.perSecond: '],
    [{ maxNotifyBytes: '1k' }, 'maxNotifyBytes: '],
    [{ policy: { t1: 0 } }, 'policy.t1: must be a number above 0, not 0'],
    [{ policy: { backoffBase: 'x' } }, 'policy.backoffBase: '],
    [{ policy: { longRetry: Number.NaN } }, 'policy.longRetry: '],
    [{ policy: { nope: 1 } }, 'policy.nope: '],
    [{ onStop: 'restart' }, "onStop: must be 'leave' or 'unpublish', not \"restart\""],
    [{ digestAlgorithms: ['MD6'] }, 'digestAlgorithms: must be of MD5, '],
    [{ credentials: [{ realm: 'r', username: 'u' }] }, 'credentials[0].password: must be a text'],
    [{ credentials: {} }, 'credentials: must be a list'],
  ])('%j', (options, message) => {
    expect(() => check(options)).toThrow(
      expect.objectContaining({ code: 'PUA_ERR_OPTION', message: expect.stringContaining(message) }),
    );
  });

  test('a password never gets into a message', () => {
    const credentials = [{ realm: 'r', username: 5, password: 'hidden' }];
    expect(() => check({ credentials })).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining('hidden') }),
    );
  });
});

describe('checkParameters: the tables of the companions', () => {
  const TABLE = {
    default_domain: { type: 'string', default: null, doc: '' },
    presence_server: { type: 'uri', default: null, doc: '' },
    branch_flag: { type: 'int', default: -1, min: -1, max: 31, doc: '' },
  } as const;

  test('defaults are filled in; null unsets what has no default', () => {
    expect(checkParameters('usrloc', TABLE, { branchFlag: 3 })).toEqual({
      defaultDomain: null,
      presenceServer: null,
      branchFlag: 3,
    });
    expect(checkParameters('usrloc', TABLE, { defaultDomain: null, presenceServer: null }).branchFlag).toBe(-1);
  });

  test.each([
    [{ defaultDomain: '' }, 'usrloc defaultDomain (default_domain): must be a text, not ""'],
    [
      { presenceServer: 'presence.example.com' },
      'usrloc presenceServer (presence_server): must be a SIP URI such as sip:presence.example.com, not "presence.example.com"',
    ],
    [
      { presenceServer: ['sip:a'] as unknown as string },
      'usrloc presenceServer (presence_server): must be a SIP URI such as sip:presence.example.com, not ["sip:a"]',
    ],
    [{ branchFlag: 32 }, 'usrloc branchFlag (branch_flag): must be 31 or less, not 32'],
  ])('%j', (given, message) => {
    expect(() => checkParameters('usrloc', TABLE, given)).toThrow(
      expect.objectContaining({ code: 'PUA_ERR_OPTION', message }),
    );
  });
});
