/** The companions and their sources in the configuration. */
import { ConfigError, parseConfig, problemLine } from '@pua/bundle';
import { DIALOGINFO_PARAMETERS } from '@pua/dialoginfo';
import { REGINFO_PARAMETERS } from '@pua/reginfo';
import { USRLOC_PARAMETERS } from '@pua/usrloc';

function wrong(modules: string): string[] {
  try {
    parseConfig(`modules:\n${modules}\n`, 'pua.yaml');
  } catch (error) {
    if (error instanceof ConfigError) return error.problems.map(problemLine);
    throw error;
  }
  return [];
}

const TAP = 'sources: [{ type: registrar, trusted: [127.0.0.1/32] }]';

test.each([
  ['usrloc', USRLOC_PARAMETERS, TAP],
  ['dialoginfo', DIALOGINFO_PARAMETERS, 'sources: [{ type: dialog, db_url: "mysql://k:secret@127.0.0.1/kamailio" }]'],
  ['reginfo', REGINFO_PARAMETERS, TAP],
])('%s: every parameter is a key, with its default', (name, table, sources) => {
  const { values } = parseConfig(`modules:\n  ${name}: { ${sources} }\n`, 'pua.yaml');
  const section = (values['modules'] as Record<string, Record<string, unknown>>)[name]!;
  const { sources: _, subscribe: _s, profile: _p, ...parameters } = section;
  const { profile: _ours, ...defaults } = Object.fromEntries(
    Object.entries(table as Record<string, { default: unknown }>).map(([key, spec]) => [key, spec.default]),
  ) as Record<string, unknown>;
  expect(parameters).toEqual(defaults);
});

test('what is written is taken; an entry of sources has only what is written', () => {
  const { config } = parseConfig(
    `modules:
  usrloc: { default_domain: example.com, ${TAP} }
  reginfo:
  dialoginfo: { include_callid: 0, local_domains: "example.com,/^pbx/", sources: [{ type: webhook, heartbeat: 30 }] }
  mi: { listen: "127.0.0.1:0" }
`,
    'pua.yaml',
  );
  expect(config.modules.usrloc).toMatchObject({
    default_domain: 'example.com',
    sources: [{ type: 'registrar', trusted: ['127.0.0.1/32'] }],
  });
  expect(config.modules.usrloc?.sources).toEqual([{ type: 'registrar', trusted: ['127.0.0.1/32'] }]);
  expect(config.modules.reginfo?.sources).toEqual([]);
  expect(config.modules.dialoginfo).toMatchObject({ include_callid: 0, sources: [{ type: 'webhook', heartbeat: 30 }] });
});

test.each([
  [
    'usrloc:',
    ['pua.yaml:2:10: modules.usrloc: has no sources; such as sources: [{ type: registrar, trusted: [127.0.0.1/32] }]'],
  ],
  ['dialoginfo: {}', ['pua.yaml:2:15: modules.dialoginfo: has no sources; such as sources: [{ type: webhook }]']],
  [
    `usrloc: { defualt_domain: a, ${TAP} }`,
    ['pua.yaml:2:13: modules.usrloc.defualt_domain: unknown key; did you mean "default_domain"?'],
  ],
  [
    `usrloc: { branch_flag: 32, ${TAP} }`,
    ['pua.yaml:2:26: modules.usrloc.branch_flag: must be 31 or less, not 32; leave it out for -1'],
  ],
  [
    'usrloc: { sources: [{ trusted: [127.0.0.1/32] }] }',
    ['pua.yaml:2:23: modules.usrloc.sources[0]: needs a type; one of registrar, location, webhook'],
  ],
  [
    'usrloc: { sources: [{ type: registrars }] }',
    [
      'pua.yaml:2:31: modules.usrloc.sources[0].type: must be one of registrar, location, webhook, not "registrars"; choose one',
    ],
  ],
  [
    'usrloc: { sources: [{ type: location, trusted: [127.0.0.1/32] }] }',
    [
      expect.stringContaining(
        'modules.usrloc.sources[0].trusted: is no key of a source of type location; did you mean',
      ),
    ],
  ],
  [
    'usrloc: { sources: [{ type: registrar }] }',
    [expect.stringMatching(/modules\.usrloc\.sources\[0\]: needs to know whom to believe.*trusted/)],
  ],
  [
    'usrloc: { sources: [{ type: registrar, trusted: [localhost] }] }',
    [expect.stringMatching(/modules\.usrloc\.sources\[0\]\.trusted: .*localhost/)],
  ],
  [
    `usrloc: { ${TAP} }\n  reginfo: { sources: [{ type: registrar, trusted: [10.0.0.0/8] }] }`,
    [
      'pua.yaml:3:23: modules.reginfo.sources: there can be one registrar only; write the same entry in both modules, or in one',
    ],
  ],
  [
    'dialoginfo: { sources: [{ type: webhook }] }',
    ['pua.yaml:2:27: modules.dialoginfo.sources[0]: a webhook is served by the module mi; add the section modules.mi'],
  ],
  [
    'dialoginfo: { use_pubruri_avps: 1, sources: [{ type: dialog, db_url: "sqlite:k.db" }] }',
    [expect.stringMatching(/modules\.dialoginfo.*with usePubruriAvps must be an AVP/)],
  ],
])('%s', (modules, expected) => {
  expect(wrong(`  ${modules}`)).toEqual(expected);
});

test('a password of a source is in no message and no explanation', () => {
  const users = 'users: [{ username: ann, password: sesame7 }], domains: [example.com]';
  const loaded = parseConfig(`modules: { usrloc: { sources: [{ type: registrar, ${users} }] } }`, 'pua.yaml');
  expect(loaded.secrets.hide('it is sesame7')).not.toContain('sesame7');
  const database = 'sources: [{ type: location, db_url: "mysql://k:sesame8@127.0.0.1/kamailio" }]';
  const other = parseConfig(`modules: { usrloc: { ${database} } }`, 'pua.yaml');
  expect(other.secrets.hide('mysql://k:sesame8@127.0.0.1/kamailio')).not.toContain('sesame8');
});
