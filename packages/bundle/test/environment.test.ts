import { ConfigError, explain, parseConfig, problemLine } from '@pua/bundle';

function wrong(text: string, env: Record<string, string>): string[] {
  try {
    parseConfig(text, 'pua.yaml', env);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems.map(problemLine);
    throw error;
  }
  return [];
}

test('variables override keys, sections and lists, with the types of the keys', () => {
  const { config } = parseConfig('pua: { db_url: "sqlite:a", default_expires: 60 }', 'pua.yaml', {
    PUA_PUA__DB_URL: 'memory:',
    PUA_PUA__DEFAULT_EXPIRES: '600',
    PUA_PUA__OUTBOUND_PROXY: '["sip:a.example", "sip:b.example"]',
    PUA_SIP__LISTEN: '[udp:127.0.0.1:0]',
    PUA_SIP__CREDENTIALS: '[{username: a, password: "12345"}]',
    PUA_MODULES__MI: '{listen: 127.0.0.1:1}',
    PUA_MODULES__MI__TOKEN: '007',
    PUA_LOG: '{level: warn}',
    HOME: '/nowhere',
  });
  expect(config.pua).toMatchObject({
    dbUrl: 'memory:',
    defaultExpires: 600,
    outboundProxy: ['sip:a.example', 'sip:b.example'],
  });
  expect(config.sip).toMatchObject({
    listen: ['udp:127.0.0.1:0'],
    credentials: [{ realm: '*', username: 'a', password: '12345' }],
  });
  expect(config.modules.mi).toMatchObject({ listen: '127.0.0.1:1', token: '007' });
  expect(config.log.level).toBe('warn');
  expect(parseConfig('', 'pua.yaml', { PUA_PUA__OUTBOUND_PROXY: 'sip:one.example' }).config.pua.outboundProxy).toBe(
    'sip:one.example',
  );
});

test.each<[string, Record<string, string>, string]>([
  [
    'a name that is nearly right',
    { PUA_PUA__DB_URLL: 'x' },
    'environment variable PUA_PUA__DB_URLL: pua.db_urll: unknown key; did you mean PUA_PUA__DB_URL?',
  ],
  [
    'a value that is wrong',
    { PUA_PUA__DEFAULT_EXPIRES: 'soon' },
    'environment variable PUA_PUA__DEFAULT_EXPIRES: pua.default_expires: must be a whole number, not "soon"; leave it out for 3600',
  ],
  [
    'a list that is none',
    { PUA_SIP__LISTEN: 'udp:127.0.0.1:0' },
    'environment variable PUA_SIP__LISTEN: sip.listen: must be a list; write it as [a, b]',
  ],
  [
    'no YAML',
    { PUA_SIP__LISTEN: '[udp' },
    'environment variable PUA_SIP__LISTEN: sip.listen: not valid YAML; write lists and sections as YAML or JSON, such as [udp:127.0.0.1:5060]',
  ],
  [
    'inside a section that was set',
    { PUA_LOG: '{level: loud}' },
    'environment variable PUA_LOG: log.level: must be one of fatal, error, warn, info, debug, trace, silent, not "loud"; leave it out for info',
  ],
])('wrong: %s', (_, env, line) => {
  expect(wrong('', env)).toEqual([line]);
});

test('others that begin with PUA_ are left alone; a slip is warned about', () => {
  const { warnings } = parseConfig('', 'pua.yaml', {
    PUA_HOME: 'x',
    PUA_URL: 'y',
    PUA_TOKEN: 'z',
    PUA_PUA_DB_URL: 'w',
  });
  expect(warnings).toEqual(['environment variable PUA_PUA_DB_URL is not used: did you mean PUA_PUA__DB_URL?']);
});

test('variables are replaced in texts; plain ones may be numbers and lists; a doubled $ is a plain one', () => {
  const { config } = parseConfig(
    `pua:\n  db_url: sqlite:\${DIR}/\${NAME}.db\n  fetch_rows: \${ROWS}\nsip:\n  listen: \${LISTEN}\n` +
      `  credentials: [{ username: "$\${x}", password: "\${WORD}$" }]\n`,
    'pua.yaml',
    { DIR: '/var', NAME: 'a: b', ROWS: '7', LISTEN: '[udp:127.0.0.1:0]', WORD: '99' },
  );
  expect(config.pua).toMatchObject({ dbUrl: 'sqlite:/var/a: b.db', fetchRows: 7 });
  expect(config.sip).toMatchObject({
    listen: ['udp:127.0.0.1:0'],
    credentials: [{ username: `\${x}`, password: '99$' }],
  });
});

describe('secrets', () => {
  const env = { PASSWORD: 'hunter22', TOKEN: 'open-sesame' };
  const text = `sip:
  drachtio: { secret: drachtio-word }
  credentials: [{ username: alice, password: "\${PASSWORD}" }]
pua: { outbound_proxy: "sip:me:uri-word@a.example" }
modules: { mi: { listen: "0.0.0.0:1", token: "\${TOKEN}" } }
`;
  const secret = /hunter22|open-sesame|drachtio-word|uri-word/;

  test('never in the explanation', () => {
    const loaded = parseConfig(text, 'pua.yaml', env);
    expect(loaded.config.modules.mi?.token).toBe('open-sesame');
    const shown = explain(loaded);
    expect(shown).not.toMatch(secret);
    expect(shown).toContain('token: "***"');
    expect(shown).toContain('sip:me:***@a.example');
  });

  test.each([
    ['pua: { db_url: mysql://pua:hunter22@db }', {}],
    [
      'sip: { credentials: [{ username: hunter22, password: hunter22, pasword: hunter22 }], advertise: hunter22 hunter22 }',
      {},
    ],
    ['sip: { credentials: [{ username: a, password: 72727272 }] }', {}],
    ['modules: { mi: { token: [open-sesame] } }', {}],
    ['modules: { mi: { token: "open sesame " } }', {}],
    ['modules: { mi: { token: open-sesame } }\npua: { db_mode: open-sesame }\nlog: { level: open-sesame }', {}],
    ['pua: { outbound_proxy: "tel:a:uri-word@b" }', {}],
    ['', { PUA_MODULES__MI__TOKEN: 'open sesame', PUA_PUA__DB_URL: 'mysql://u:hunter22@h' }],
    ['', { PUA_SIP__CREDENTIALS: '[{password: hunter22' }],
  ])('never in a message: %s', (given, more) => {
    const lines = wrong(given, { ...env, ...(more as Record<string, string>) });
    expect(lines.length).toBeGreaterThan(0);
    expect(lines.join('\n')).not.toMatch(/hunter22(?! hunter22)|open.sesame|uri-word|72727272/);
  });
});

test('the explanation tells where each value comes from', () => {
  const loaded = parseConfig('pua:\n  default_expires: 60\n', 'pua.yaml', {
    PUA_LOG: '{level: warn}',
    PUA_PUA__DB_MODE: '1',
  });
  const lines = explain(loaded)
    .split('\n')
    .map((line) => line.trim().replace(/ +/g, ' '));
  expect(lines).toEqual(
    expect.arrayContaining([
      'default_expires: 60 # pua.yaml:2',
      'min_expires: 0 # default',
      'db_mode: 1 # PUA_PUA__DB_MODE',
      'level: warn # PUA_LOG',
    ]),
  );
});
