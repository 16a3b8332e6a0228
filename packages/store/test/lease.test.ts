import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { OpenedStore } from '@pua/core';
import { type SqliteFixture, sqliteFixture } from './sqlite-fixture';

// Processes and threads start slowly on a busy machine.
jest.setTimeout(30_000);

type Answer = { opened: OpenedStore } | { error: { code: string; message: string } };

let fixture: SqliteFixture;
const children: ChildProcess[] = [];

beforeEach(async () => {
  fixture = await sqliteFixture();
});
afterEach(async () => {
  await Promise.all(children.splice(0).map(kill));
  await fixture.dispose();
});

async function holder(name: string): Promise<ChildProcess> {
  const child = fork(join(__dirname, 'fixtures/holder.cjs'), [`sqlite:${fixture.file}`, name]);
  children.push(child);
  await once(child, 'message');
  return child;
}

async function open(child: ChildProcess): Promise<Answer> {
  const answer = once(child, 'message');
  child.send('open');
  return (await answer)[0] as Answer;
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}

test('a second process is refused, naming holder, host and pid; after a clean stop it gets the table', async () => {
  const [one, two] = [await holder('one'), await holder('two')];
  expect(await open(one)).toEqual({ opened: { rows: 0, unclean: false } });
  expect(await open(two)).toEqual({
    error: {
      code: 'PUA_ERR_STORE_HELD',
      message: expect.stringMatching(new RegExp(`held by "one" \\(host .+, pid ${one.pid}\\) until 20`)),
    },
  });
  const gone = once(one, 'exit');
  one.send('close');
  await gone;
  expect(await open(two)).toEqual({ opened: { rows: 0, unclean: false } });
});

test('after kill -9 the next process need not wait for the lease to run out', async () => {
  const one = await holder('one');
  expect(await open(one)).toEqual({ opened: { rows: 0, unclean: false } });
  await kill(one);
  const [row] = await fixture.sql('select until_ms from pua_lease');
  expect(await open(await holder('two'))).toEqual({ opened: { rows: 0, unclean: true } });
  expect(Number(row?.until_ms)).toBeGreaterThan(Date.now());
});

test("of processes that race for a dead one's lease exactly one wins", async () => {
  const first = await holder('first');
  await open(first);
  await kill(first);
  const racers = await Promise.all(['a', 'b', 'c'].map(holder));
  const answers = await Promise.all(racers.map(open));
  expect(answers.filter((answer) => 'opened' in answer)).toEqual([{ opened: { rows: 0, unclean: true } }]);
  const refused = answers.flatMap((answer) => ('error' in answer ? [answer.error.code] : []));
  expect(refused).toEqual(['PUA_ERR_STORE_HELD', 'PUA_ERR_STORE_HELD']);
  expect(await fixture.sql('select fence from pua_lease')).toEqual([{ fence: 3 }]);
});
