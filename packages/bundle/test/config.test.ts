import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ConfigError, parseConfig, problemLine } from '@pua/bundle';
import { PUA_PARAMETERS } from '@pua/core';

/** Lines of what is wrong with a text. */
function wrong(text: string, env: Record<string, string> = {}): string[] {
  try {
    parseConfig(text, 'pua.yaml', env);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems.map(problemLine);
    throw error;
  }
  return [];
}

test('an empty file is a whole configuration', () => {
  for (const text of ['', '# nothing\n', '{}', 'sip:\npua:\nmodules:\nlog:\n']) {
    const { config } = parseConfig(text, 'pua.yaml');
    expect(config.sip).toMatchObject({
      engine: 'embedded',
      listen: ['udp:0.0.0.0:5060'],
      advertise: null,
      credentials: [],
    });
    expect(config.pua).toMatchObject({
      dbUrl: 'sqlite:./pua.db',
      defaultExpires: 3600,
      outboundProxy: null,
      hashSize: 9,
    });
    expect(config.modules).toEqual({});
    expect(config.log.level).toBe('info');
  }
});

test('what is written is taken; a module that is named is loaded', () => {
  const { config } = parseConfig(
    `sip:
  listen: [udp:127.0.0.1:5070, "udp:[::1]:5070"]
  advertise: 192.0.2.1:5060
  credentials: [{ username: alice, password: secret }, { realm: b.example, username: bob, password: word }]
pua:
  db_url: "memory:"
  outbound_proxy: [sip:a.example, sip:b.example]
  min_expires: 60
modules:
  mi:
log: { level: debug }
`,
    'pua.yaml',
  );
  expect(config.sip).toMatchObject({
    listen: ['udp:127.0.0.1:5070', 'udp:[::1]:5070'],
    advertise: '192.0.2.1:5060',
    credentials: [
      { realm: '*', username: 'alice', password: 'secret' },
      { realm: 'b.example', username: 'bob', password: 'word' },
    ],
  });
  expect(config.pua).toMatchObject({
    dbUrl: 'memory:',
    outboundProxy: ['sip:a.example', 'sip:b.example'],
    minExpires: 60,
  });
  expect(config.modules.mi).toMatchObject({ listen: '127.0.0.1:8060', token: null, hosts: [] });
});

test('every parameter of the core is a key, with its default', () => {
  const { values } = parseConfig('', 'pua.yaml');
  const defaults = Object.fromEntries(Object.entries(PUA_PARAMETERS).map(([name, spec]) => [name, spec.default]));
  expect(values['pua']).toEqual(defaults);
});

test('the README has the table of the core', () => {
  const readme = readFileSync(join(__dirname, '..', 'README.md'), 'utf8').replace(/ +/g, ' ');
  for (const [name, spec] of Object.entries(PUA_PARAMETERS)) {
    const shown = spec.default === null ? 'none' : `\`${spec.default}\``;
    expect(readme).toContain(`| \`${name}\` | ${shown} | ${spec.doc} |\n`);
  }
});

test.each<[string, string, string[]]>([
  [
    'a key that is nearly right',
    'pua:\n  db_mod: 0\n',
    ['pua.yaml:2:3: pua.db_mod: unknown key; did you mean "db_mode"?'],
  ],
  ['a key of the top level', 'sipp: {}\n', ['pua.yaml:1:1: sipp: unknown key; did you mean "sip"?']],
  [
    'a key in a list',
    'sip:\n  credentials: [{ username: a, password: b, relm: c }]\n',
    ['pua.yaml:2:45: sip.credentials[0].relm: unknown key; did you mean "realm"?'],
  ],
  ['a key of another section', 'db_url: x\n', ['pua.yaml:1:1: db_url: unknown key; move it to the section "pua"']],
  [
    'a section in the wrong place',
    'modules:\n  pua: {}\n',
    ['pua.yaml:2:3: modules.pua: unknown key; move "pua" to the top level'],
  ],
  [
    'a key of the prototype',
    'pua: { __proto__: { a: 1 } }\n',
    ['pua.yaml:1:8: pua.__proto__: unknown key; did you mean "db_url"?'],
  ],
  [
    'too small',
    'pua:\n  default_expires: 0\n',
    ['pua.yaml:2:20: pua.default_expires: must be 1 or more, not 0; leave it out for 3600'],
  ],
  [
    'too big',
    'pua: { hash_size: 21 }\n',
    ['pua.yaml:1:19: pua.hash_size: must be 20 or less, not 21; leave it out for 9'],
  ],
  [
    'not whole',
    'pua: { fetch_rows: 1.5 }\n',
    ['pua.yaml:1:20: pua.fetch_rows: must be a whole number, not 1.5; leave it out for 500'],
  ],
  [
    'a quoted number',
    'pua: { fetch_rows: "500" }\n',
    ['pua.yaml:1:20: pua.fetch_rows: must be a whole number, not "500"; leave it out for 500'],
  ],
  [
    'not one of the values',
    'pua: { check_remote_contact: 2 }\n',
    ['pua.yaml:1:30: pua.check_remote_contact: must be one of 0, 1, not 2; leave it out for 1'],
  ],
  [
    'yes is no number',
    'pua: { db_table_lock_write: yes }\n',
    ['pua.yaml:1:29: pua.db_table_lock_write: must be a whole number, not "yes"; leave it out for 1'],
  ],
  [
    'no SIP URI',
    'pua: { outbound_proxy: [sip:a, presence] }\n',
    [
      'pua.yaml:1:24: pua.outbound_proxy: must be a SIP URI such as sip:presence.example.com, or a list of them, not "presence"; leave it out for none',
    ],
  ],
  [
    'db_mode 2',
    'pua: { db_mode: 2 }\n',
    ['pua.yaml:1:17: pua.db_mode: 2 (database only) is not built yet; use 0, which survives restarts too'],
  ],
  [
    'an unknown database',
    'pua: { db_url: oracle:x }\n',
    [
      'pua.yaml:1:16: pua.db_url: db_url with the scheme "oracle:" is not known; use sqlite:<path>, mysql://, postgres:// or memory:',
    ],
  ],
  [
    'no file',
    'pua: { db_url: "sqlite:" }\n',
    ['pua.yaml:1:16: pua.db_url: db_url "sqlite:" names no file; use sqlite:<path>, or memory: for no storage'],
  ],
  [
    'a table with a blank',
    'pua: { db_table: "a b" }\n',
    [
      'pua.yaml:1:18: pua.db_table: must be 1 to 26 letters, digits or "_", not beginning with a digit, not "a b"; leave it out for pua',
    ],
  ],
  [
    'drachtio-server on another machine',
    'sip: { drachtio: { host: 192.0.2.1 } }\n',
    [
      'pua.yaml:1:26: sip.drachtio.host: is not loopback: the admin protocol is plain text, the secret included; use 127.0.0.1, for a server elsewhere with a tunnel (ssh -L)',
    ],
  ],
  [
    'a secret that the admin protocol can not carry',
    'sip: { drachtio: { secret: "very|private" } }\n',
    ['pua.yaml:1:28: sip.drachtio.secret: must be a text of one line without |; leave it out for the default'],
  ],
  [
    'no engine',
    'sip: { engine: sofia }\n',
    ['pua.yaml:1:16: sip.engine: must be one of embedded, drachtio, not "sofia"; leave it out for embedded'],
  ],
  [
    'another transport',
    'sip:\n  listen:\n    - udp:127.0.0.1:5060\n    - sctp:127.0.0.1:5060\n',
    ['pua.yaml:4:7: sip.listen[1]: the transport is not known; use udp, tcp, tls, ws or wss'],
  ],
  [
    'TLS without a certificate',
    'sip: { listen: [tcp:127.0.0.1:0, tls:127.0.0.1:0, "wss:[::1]:0"] }\n',
    [
      'pua.yaml:1:34: sip.listen[1]: needs a certificate; set sip.tls.cert and sip.tls.key',
      'pua.yaml:1:51: sip.listen[2]: needs a certificate; set sip.tls.cert and sip.tls.key',
    ],
  ],
  [
    'a certificate file that can not be read',
    'sip:\n  tls:\n    cert: /no/such/cert.pem\n    key: /no/such/key.pem\n',
    [
      'pua.yaml:3:11: sip.tls.cert: "/no/such/cert.pem" can\'t be read: there is no such file; give the path of a PEM file',
    ],
  ],
  [
    'no authority in a file',
    'sip: { tls: { ca: package.json } }\n',
    ['pua.yaml:1:19: sip.tls.ca: "package.json" holds no certificate; give one in PEM form'],
  ],
  [
    'a certificate in the configuration itself',
    'sip: { tls: { key: "-----BEGIN PRIVATE KEY-----\\nMII" } }\n',
    ['pua.yaml:1:20: sip.tls.key: must be the path of a PEM file, not its text; write it to a file'],
  ],
  ['no path', 'sip: { tls: { cert: 5 } }\n', ['pua.yaml:1:21: sip.tls.cert: must be a text, not 5; quote it']],
  [
    'a name to listen on',
    'sip: { listen: [udp:localhost:5060] }\n',
    [
      'pua.yaml:1:17: sip.listen[0]: write transport:address:port with an IP address, such as udp:127.0.0.1:5060 or tcp:[::1]:0; names can not be listened on',
    ],
  ],
  [
    'no list',
    'sip: { listen: udp:127.0.0.1:5060 }\n',
    ['pua.yaml:1:16: sip.listen: must be a list; write it as [a, b]'],
  ],
  [
    'an empty list',
    'sip: { listen: [] }\n',
    ['pua.yaml:1:16: sip.listen: must not be empty; such as [udp:0.0.0.0:5060]'],
  ],
  [
    'a bad advertised address',
    'sip: { advertise: "a b" }\n',
    ['pua.yaml:1:19: sip.advertise: write host, host:port or [IPv6 address]:port; such as 192.0.2.1:5060'],
  ],
  [
    'no section',
    'sip: 5\n',
    [
      'pua.yaml:1:6: sip: must be a section with keys of its own; its keys are engine, listen, advertise, tls, drachtio, credentials',
    ],
  ],
  [
    'a list instead of everything',
    '- sip\n',
    ['pua.yaml:1:1: must be a section with keys of its own; its keys are sip, pua, modules, log'],
  ],
  [
    'credentials without password',
    'sip:\n  credentials:\n    - username: alice\n',
    ['pua.yaml:3:7: sip.credentials[0].password: is missing; each entry needs username and password'],
  ],
  [
    'a port that is none',
    'sip: { drachtio: { port: 70000 } }\n',
    ['pua.yaml:1:26: sip.drachtio.port: must be a port from 1 to 65535, not 70000; leave it out for 9022'],
  ],
  [
    'a module of the future',
    'modules:\n  bla: { default_domain: example.com }\n',
    ['pua.yaml:2:8: modules.bla: the module bla is not available in this version; remove this section'],
  ],
  [
    'a socket',
    'modules: { mi: { socket: /run/pua } }\n',
    ['pua.yaml:1:26: modules.mi.socket: the Unix socket is not available in this version; leave it out'],
  ],
  [
    'an open address without token',
    'modules: { mi: { listen: 0.0.0.0:8060 } }\n',
    [
      'pua.yaml:1:26: modules.mi.listen: 0.0.0.0:8060 is not a loopback address, so everybody who reaches it could publish; set a token, or listen on 127.0.0.1',
    ],
  ],
  [
    'an address without port',
    'modules: { mi: { listen: localhost } }\n',
    ['pua.yaml:1:26: modules.mi.listen: "localhost" is not host:port; write for example 127.0.0.1:8060 or [::1]:8060'],
  ],
  [
    'a level that is none',
    'log: { level: loud }\n',
    [
      'pua.yaml:1:15: log.level: must be one of fatal, error, warn, info, debug, trace, silent, not "loud"; leave it out for info',
    ],
  ],
  [
    'the same key twice',
    'pua:\n  db_mode: 0\n  db_mode: 0\n',
    ['pua.yaml:3:3: the same key stands twice in one section; keep one of them'],
  ],
  [
    'an alias',
    'pua: &p { db_mode: 0 }\nlog: *p\n',
    ['pua.yaml:2:6: log: aliases are not supported; write the value itself'],
  ],
  [
    'a variable that is not set',
    `pua:\n  db_url: sqlite:\${NOWHERE}/x\n`,
    [
      'pua.yaml:2:11: pua.db_url: the environment variable NOWHERE is not set; set it, or write $${ for the characters themselves',
    ],
  ],
  [
    'a variable without a name',
    `pua: { db_url: "\${}" }\n`,
    ['pua.yaml:1:16: pua.db_url: a ${ without a name; set it, or write $${ for the characters themselves'],
  ],
])('wrong: %s', (_, text, lines) => {
  expect(wrong(text)).toEqual(lines);
});

test('YAML that is none: place and remedy, without quoting the line', () => {
  const [line, ...more] = wrong('sip:\n  credentials: [{ password: hunter22\npua: {}\n');
  expect(line).toMatch(/^pua\.yaml:\d+:\d+: not valid YAML: .*; check indentation, quotes and colons$/);
  expect([line, ...more].join()).not.toContain('hunter22');
});

test('a tree without bottom is refused, not a crash', () => {
  const lines = wrong(`pua: ${'['.repeat(5000)}`);
  expect(lines.length).toBeGreaterThan(0);
  expect(wrong(`pua: ${'{a: '.repeat(100)}1${'}'.repeat(100)}`)[0]).toContain('nested too deeply');
});

test('everything that is wrong is told at once, in the order of the file', () => {
  const lines = wrong(
    'log: { level: 1 }\npua:\n  db_mode: 7\n  fetch_rows: 0\nmodules: { mi: { tokn: x } }\nother: 1\n',
  );
  expect(lines.map((line) => line.split(': ')[1])).toEqual([
    'log.level',
    'pua.db_mode',
    'pua.fetch_rows',
    'modules.mi.tokn',
    'other',
  ]);
});

test('db_mode 1 is taken', () => {
  expect(parseConfig('pua: { db_mode: 1 }', 'pua.yaml').config.pua.dbMode).toBe(1);
});
