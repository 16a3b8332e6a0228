/** Users of Kamailio's table `subscriber`. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openDatabase } from '@pua/store';
import { answerChallenge } from '@pua/testkit';
import { Scene } from './scene';

const md5 = (text: string) => createHash('md5').update(text).digest('hex');
const folder = mkdtempSync(join(tmpdir(), 'pua-subscriber-'));
afterAll(() => rmSync(folder, { recursive: true }));

interface Row {
  readonly username: string;
  readonly domain?: string;
  readonly password?: string | null;
  readonly ha1?: string | null;
}

let files = 0;
async function tableOf(rows: readonly Row[], columns: Readonly<Record<string, string>> = {}): Promise<string> {
  const url = `sqlite:${join(folder, `${++files}.db`)}`;
  const database = openDatabase(url);
  await database.schema.createTable('subscriber', (made) => {
    for (const name of ['username', 'domain', 'password', 'ha1']) made.string(columns[name] ?? name);
  });
  for (const row of rows) {
    await database('subscriber').insert(
      Object.fromEntries(Object.entries(row).map(([name, value]) => [columns[name] ?? name, value])),
    );
  }
  await database.destroy();
  return url;
}

let scene: Scene | undefined;
afterEach(() => scene?.stop());
async function start(subscriberUrl: string, options: object = {}): Promise<Scene> {
  scene = await Scene.start({ subscriberUrl, domains: ['example.com', 'example.org'], ...options });
  return scene;
}
const offered = async () =>
  (await scene!.send()).all('WWW-Authenticate').map((text) => /algorithm=([^,]+)/.exec(text)![1]);

test('the hash of the password is enough, MD5 alone is offered then', async () => {
  const ha1 = md5('alice:example.com:secret');
  await start(await tableOf([{ username: 'alice', domain: 'example.com', password: '', ha1: ha1.toUpperCase() }]));
  expect(await offered()).toEqual(['MD5']);
  expect((await scene!.login()).status).toBe(200);
  expect((await scene!.login({ 'Call-ID': 'b' }, { password: 'guess' })).status).toBe(401);
  expect(
    (await scene!.login({ 'Call-ID': 'c', To: '<sip:alice@example.org>' }, { uri: 'sip:example.org' })).status,
  ).toBe(401);
});

test('beside users whose password is known, too: the others could not log in with another algorithm', async () => {
  const ha1 = md5('bob:example.com:secret');
  const users = [{ username: 'alice', password: 'secret' }];
  await start(await tableOf([{ username: 'bob', domain: 'example.com', password: '', ha1 }]), { users });
  expect(await offered()).toEqual(['MD5']);
  expect((await scene!.login()).status).toBe(200);
  expect((await scene!.login({ To: '<sip:bob@example.com>' }, { username: 'bob' })).status).toBe(200);
});

test('the password works with every algorithm', async () => {
  const url = await tableOf([{ username: 'alice', domain: 'example.com', password: 'secret' }]);
  await start(url, { passwordColumn: 'password', algorithms: ['SHA-512-256', 'SHA-256', 'MD5'] });
  expect(await offered()).toEqual(['SHA-512-256', 'SHA-256', 'MD5']);
  expect((await scene!.login()).status).toBe(200);
});

test.each([null, ''])(
  'a user whose password is %j can not register, and neither can one with a made-up name',
  async (password) => {
    await start(await tableOf([{ username: 'alice', domain: 'example.com', password, ha1: password }]), {
      passwordColumn: 'password',
      ha1Column: 'ha1',
    });
    expect((await scene!.login({}, { password: '' })).status).toBe(401);
    expect((await scene!.login({}, { username: "x' or 1=1 --", password: '' })).status).toBe(401);
  },
);

test('the columns may have other names; without domains they are not looked at', async () => {
  const names = { username: 'name', domain: 'realm', password: 'pw', ha1: 'hash' };
  const url = await tableOf([{ username: 'alice', domain: 'whatever', password: 'secret' }], names);
  await start(url, { userColumn: 'name', domainColumn: 'realm', passwordColumn: 'pw', useDomain: 0 });
  expect((await scene!.login()).status).toBe(200);
});

test('users of the configuration go first', async () => {
  const url = await tableOf([
    { username: 'alice', domain: 'example.com', password: 'other' },
    { username: 'bob', domain: 'example.com', password: 'secret' },
  ]);
  await start(url, { passwordColumn: 'password', users: [{ username: 'alice', password: 'secret' }] });
  expect((await scene!.login()).status).toBe(200);
  expect((await scene!.login({ To: '<sip:bob@example.com>' }, { username: 'bob' })).status).toBe(200);
});

test('a user is remembered for 30 s, one that is not there for 5 s', async () => {
  const url = await tableOf([{ username: 'alice', domain: 'example.com', password: 'secret' }]);
  await start(url, { passwordColumn: 'password' });
  const database = openDatabase(url);
  const login = async (user: string) =>
    (await scene!.login({ To: `<sip:${user}@example.com>` }, { username: user })).status;
  try {
    expect(await login('alice')).toBe(200);
    expect(await login('bob')).toBe(401);
    await database('subscriber').where('username', 'alice').update({ username: 'bob' });
    scene!.clock.advance(4_999);
    expect([await login('alice'), await login('bob')]).toEqual([200, 401]);
    scene!.clock.advance(1);
    expect(await login('bob')).toBe(200);
    scene!.clock.advance(25_000);
    expect(await login('alice')).toBe(401);
  } finally {
    await database.destroy();
  }
});

test('a database that compares without case: the user is the one whose name it is', async () => {
  const url = `sqlite:${join(folder, `${++files}.db`)}`;
  const database = openDatabase(url);
  await database.raw('create table subscriber (username text collate nocase, domain text, password text)');
  await database('subscriber').insert({ username: 'Alice', domain: 'example.com', password: 'secret' });
  await database.destroy();
  await start(url, { passwordColumn: 'password' });
  expect((await scene!.login({}, { username: 'alice' })).status).toBe(401);
  expect((await scene!.login({ To: '<sip:Alice@example.com>' }, { username: 'Alice' })).status).toBe(200);
});

test('a name that is too long for an address is nobody: it is neither looked up nor remembered', async () => {
  const url = await tableOf([]);
  const database = openDatabase(url);
  await database.schema.renameTable('subscriber', 'elsewhere');
  await database.destroy();
  await start(url, { passwordColumn: 'password' });
  expect((await scene!.login({}, { username: 'a'.repeat(256) })).status).toBe(401);
  expect((await scene!.login({}, { username: 'a'.repeat(255) })).status).toBe(503);
});

test('a database that fails: 503, one fault, and no secret in it; it works again when the database does', async () => {
  const url = await tableOf([]);
  const database = openDatabase(url);
  await database.schema.renameTable('subscriber', 'elsewhere');
  await start(url, { passwordColumn: 'password' });
  const answers = [await scene!.login(), await scene!.login()];
  expect(answers.map(({ status }) => status)).toEqual([503, 503]);
  expect(answers[0]!.get('Retry-After')).toBe('10');
  expect(scene!.faults).toHaveLength(1);
  expect(scene!.faults[0]!.where).toBe('registrar: table subscriber');
  expect(JSON.stringify(scene!.faults) + scene!.faults[0]!.error.message).not.toContain('secret');
  await database('elsewhere').insert({ username: 'alice', domain: 'example.com', password: 'secret' });
  await database.schema.renameTable('elsewhere', 'subscriber');
  await database.destroy();
  expect((await scene!.login()).status).toBe(200);
  expect(scene!.events).toHaveLength(1);
});

test('a user who is found when it has been stopped is not registered', async () => {
  const url = await tableOf([{ username: 'alice', domain: 'example.com', password: 'secret' }]);
  await start(url, { passwordColumn: 'password' });
  const challenged = await scene!.send();
  const uri = 'sip:example.com';
  const [challenge] = challenged.all('WWW-Authenticate');
  const Authorization = answerChallenge(
    challenge!,
    { username: 'alice', password: 'secret' },
    { method: 'REGISTER', uri },
  );
  const answer = scene!.send({ Authorization });
  await scene!.source.stop();
  expect((await answer).status).toBe(503);
  expect(scene!.events).toEqual([]);
});

test('a database that is silent: 503 after 4 s; for one user it is asked once', async () => {
  const sockets: Socket[] = [];
  const silent = createServer((socket) => void sockets.push(socket));
  const listening = new Promise<void>((done) => silent.listen(0, '127.0.0.1', done));
  await listening;
  const { port } = silent.address() as AddressInfo;
  const connected = once(silent, 'connection');
  await start(`mysql://user:secret@127.0.0.1:${port}/kamailio`);
  const slow = [scene!.login(), scene!.login()];
  await connected;
  scene!.clock.advance(4_000);
  expect((await Promise.all(slow)).map(({ status }) => status)).toEqual([503, 503]);
  expect(scene!.faults.map(({ error }) => error.message)).toEqual(['the database has not answered for 4 s']);
  expect(sockets).toHaveLength(1);
  for (const socket of sockets) socket.destroy();
  silent.close();
});
