import { join } from 'node:path';
import { type StartedServer, startPresenceServer } from '@pua/testkit';
import { configFile, folder, pua, removeFolders, start } from './support';

afterAll(removeFolders);

const PIDF =
  '<presence xmlns="urn:ietf:params:xml:ns:pidf" entity="sip:a@example.com"><tuple id="a"><status/></tuple></presence>';

test('check: what is fine is explained, exit 0', async () => {
  const file = configFile('modules: { mi: { token: open-sesame } }\n');
  const { code, out, err } = await pua('check', '--config', file);
  expect([code, err]).toEqual([0, '']);
  expect(out).toContain(`# Effective configuration of ${file}: it is fine.\n# HTTP on 127.0.0.1:8060, with token\n`);
  expect(out).toMatch(/^ {2}db_url: sqlite:\.\/pua\.db +# default$/m);
  expect(out).not.toContain('sesame');
});

test('check: what is wrong is listed, exit 2', async () => {
  const file = configFile('pua: { db_mod: 0, fetch_rows: 0 }\n');
  const { code, out, err } = await pua('check', '--config', file);
  expect([code, out]).toEqual([2, '']);
  expect(err).toBe(
    `pua: the configuration has 2 problems:\n${file}:1:8: pua.db_mod: unknown key; did you mean "db_mode"?\n` +
      `${file}:1:31: pua.fetch_rows: must be 1 or more, not 0; leave it out for 500\n`,
  );
});

test.each([
  [
    'no such file',
    ['check', '--config', '/nowhere/pua.yaml'],
    2,
    /^pua: .*\/nowhere\/pua\.yaml: there is no such file; give the path/s,
  ],
  ['no configuration', ['run'], 2, /required option '-c, --config <file>'/],
  ['an unknown command', ['frobnicate'], 2, /unknown command/],
  ['an unknown option', ['demo', '--twice'], 2, /unknown option/],
  ['no number', ['publish', 'sip:a@b', '--expires', 'soon'], 2, /"soon" is not a whole number/],
  ['no header', ['publish', 'sip:a@b', '--header', 'x'], 2, /write Name: value/],
  ['no document', ['publish', 'sip:a@b', '--file', '/nowhere/x.xml'], 2, /can't read \/nowhere\/x\.xml/],
  [
    'nobody there',
    ['stats', '--url', 'http://127.0.0.1:9'],
    1,
    /^pua: no answer from http:\/\/127\.0\.0\.1:9 \(.*\); is `pua run` running/,
  ],
])('%s: one clear message, no stack', async (_, argv, exit, message) => {
  const { code, out, err } = await pua(...argv);
  expect([code, out]).toEqual([exit, '']);
  expect(err).toMatch(message);
  expect(err).not.toMatch(/^ +at /m);
});

test('help and version are fine', async () => {
  expect(await pua('--version')).toMatchObject({ code: 0, out: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) });
  expect((await pua('publish', '--help')).code).toBe(0);
});

describe('pua run', () => {
  let presence: StartedServer;
  beforeAll(async () => {
    presence = await startPresenceServer();
  });
  afterAll(() => presence.server.stop());
  const text = (db: string, more = '') =>
    `sip: { listen: [udp:127.0.0.1:0] }\npua: { db_url: "${db}", outbound_proxy: "${presence.uri}" }\n` +
    `modules: { mi: { listen: 127.0.0.1:0, token: open-sesame } }\n${more}`;

  test('answers health and commands, ends with 0 on SIGTERM, restores what it had', async () => {
    const file = configFile(text(`sqlite:${join(folder(), 'pua.db')}`));
    const child = start(['run', '--config', file]);
    const { http } = JSON.parse(await child.line((line) => line.includes('"app.started"'))) as { http: string };
    const health = await fetch(`${http}/health`);
    expect(health.status).toBe(200);
    expect(await health.json()).toMatchObject({ ok: true, checks: { store: 'ok', sip: 'ok' } });

    const token = ['--url', http, '--token', 'open-sesame'];
    const sent = await pua('publish', 'sip:a@example.com', '--body', PIDF, '--header', 'X-A: 1', ...token);
    expect(sent).toMatchObject({ code: 0, err: '' });
    const { key, ...answer } = JSON.parse(sent.out) as { key: string };
    expect(answer).toMatchObject({ sent: true, status: 200, etag: presence.server.publications[0]!.etag });
    const listed = await pua('list', '--kind', 'publication', '--limit', '5', ...token);
    expect(JSON.parse(listed.out)).toMatchObject({ records: [{ key, extraHeaders: [['X-A', '1']] }] });
    expect(JSON.parse((await pua('show', key, ...token)).out)).toMatchObject({ key, body: PIDF });
    expect(JSON.parse((await pua('stats', ...token)).out)).toMatchObject({ records: { publications: 1 } });
    expect(JSON.parse((await pua('cleanup', ...token)).out)).toHaveProperty('overdue');
    const watched = await pua('subscribe', 'sip:a@example.com', 'sip:b@example.com', ...token);
    expect(JSON.parse(watched.out)).toMatchObject({ sent: true, status: 200 });

    const wrong = await pua('publish', 'nobody', '--body', PIDF, ...token);
    expect([wrong.code, wrong.err]).toEqual([2, expect.stringMatching(/^pua: uri: must be a SIP URI/)]);
    const unauthorized = await pua('stats', '--url', http, '--token', 'wrong');
    expect([unauthorized.code, unauthorized.err]).toEqual([1, expect.stringContaining('--token or PUA_TOKEN')]);

    child.signal('SIGTERM');
    const done = await child.done;
    expect([done.code, done.signal]).toEqual([0, null]);
    const codes = done.out.split('\n').map((line) => (JSON.parse(line) as { code: string }).code);
    expect(codes.slice(0, 2)).toEqual(['store.opened', 'app.started']);
    expect(codes.at(-1)).toBe('app.stopped');
    expect(done.out + done.err).not.toContain('sesame');

    const again = start(['run', '--config', file]);
    const started = JSON.parse(await again.line((line) => line.includes('"app.started"')));
    expect(started).toMatchObject({ publications: 1, subscriptions: 1 });
    again.signal('SIGINT');
    expect((await again.done).code).toBe(0);
  }, 30_000);

  test('a configuration that is wrong: exit 2; a port or database that is taken: exit 1; one message each', async () => {
    const wrong = await start(['run', '--config', configFile('pua: { db_mode: 2 }\n')]).done;
    expect([wrong.code, wrong.out]).toEqual([2, '']);
    expect(wrong.err).toMatch(/^pua: the configuration has a problem:\n.*not built yet.*\n$/);

    const file = configFile(text(`sqlite:${join(folder(), 'pua.db')}`));
    const blocker = start(['run', '--config', file]);
    const { sip } = JSON.parse(await blocker.line((line) => line.includes('"app.started"'))) as { sip: string[] };
    const taken = await start(['run', '--config', configFile(text('memory:'))], { PUA_SIP__LISTEN: `["${sip[0]}"]` })
      .done;
    expect([taken.code, taken.err]).toEqual([
      1,
      expect.stringMatching(/^pua: cannot listen on udp:.*choose a free port.*\n$/),
    ]);
    const held = await start(['run', '--config', file]).done;
    expect([held.code, held.err]).toEqual([1, expect.stringMatching(new RegExp(`^pua: .*/${blocker.pid}.*\\n$`))]);
    blocker.signal('SIGTERM');
    expect((await blocker.done).code).toBe(0);
  }, 30_000);

  test('a second signal does not wait for what is in flight', async () => {
    const child = start(['run', '--config', configFile(text('memory:'))]);
    const { http } = JSON.parse(await child.line((line) => line.includes('"app.started"'))) as { http: string };
    presence.server.ignoreNext({ method: 'PUBLISH' });
    const arrived = presence.server.nextRequest(({ status }) => status === 0, 5000);
    const argv = ['publish', 'sip:c@example.com', '--body', PIDF, '--url', http, '--token', 'open-sesame'];
    const waiting = pua(...argv);
    await arrived;
    child.signal('SIGTERM');
    await child.line((line) => line.includes('"app.stopping"'));
    child.signal('SIGTERM');
    expect((await child.done).code).toBe(1);
    expect((await waiting).code).toBe(1);
  }, 30_000);

  test('db_mode 1 is warned about', async () => {
    const child = start(['run', '--config', configFile(text('memory:'))], { PUA_PUA__DB_MODE: '1' });
    const line = JSON.parse(await child.line((text) => text.includes('"option.warning"')));
    expect(line).toMatchObject({ level: 'warn', msg: 'db_mode 1 is reserved; 0 is used' });
    await child.line((text) => text.includes('"app.started"'));
    child.signal('SIGTERM');
    expect((await child.done).code).toBe(0);
  }, 30_000);
});
