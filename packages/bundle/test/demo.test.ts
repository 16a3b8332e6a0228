import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { play } from '../dist/demo/play.js';
import { Stage } from '../dist/demo/stage.js';
import { folder, removeFolders, start } from './support';

afterAll(removeFolders);

/** Each rung of the ladder: what was sent, by whom. */
function rungs(out: string): string[] {
  return out.split('\n').flatMap((line) => {
    const match = /^ *\d+\.\d{3} {2}pua {2}(?:(-{5}) (.*?) -+>|(<-{4}) (.*?) -+) {2}server$/.exec(line);
    return match ? [`${match[1] ? '>' : '<'} ${(match[2] ?? match[4]!).replace(/ .*?(?=\[|$)/, ' ').trim()}`] : [];
  });
}

test('demo --once: everything is seen, exit 0', async () => {
  const { code, out, err } = await start(['demo', '--once']).done;
  expect(err).toBe('');
  expect(out).toContain('All of it was seen.');
  expect(code).toBe(0);
  for (const step of [
    '1. Publish',
    '2. Subscribe',
    '3. Refresh',
    '4. Modify',
    '5. kill -9 and restart',
    '6. All goes on',
    '7. Un-publish',
    '8. Unsubscribe',
    '9. Phones register',
    '10. A call',
    '11. The call server falls silent',
    '12. Phones unregister',
  ]) {
    expect(out).toContain(`\n${step}\n`);
  }
  expect(rungs(out).slice(0, 6)).toEqual([
    '> PUBLISH [open]',
    '< 200',
    '> SUBSCRIBE',
    '< 200',
    '< NOTIFY [open]',
    '> 200',
  ]);
  expect(out).toMatch(/entity-tag \S+ and Call-ID \S+ are the same as before/);
  expect(out).toMatch(/NOTIFY terminated;reason=timeout/);
  const lamps = [...out.matchAll(/^ {3}lamp of dave: (\w+)$/gm)].map(([, state]) => state);
  expect(lamps).toEqual(['early', 'confirmed', 'terminated', 'off', 'confirmed', 'terminated', 'off']);
  // Every rung reaches from side to side.
  const lengths = new Set(
    out
      .split('\n')
      .filter((line) => / pua {2}[-<]/.test(line))
      .map((line) => line.length),
  );
  expect(lengths.size).toBe(1);
}, 60_000);

test('without SQLite the demo says so and runs in memory', async () => {
  const hook = join(folder(), 'no-sqlite.cjs');
  writeFileSync(
    hook,
    `const Module = require('node:module');
const resolve = Module._resolveFilename;
Module._resolveFilename = function (name, ...rest) {
  if (/better.sqlite3/.test(name)) throw new Error('Could not locate the bindings file.');
  return resolve.call(this, name, ...rest);
};
`,
  );
  const { code, out } = await start(['demo', '--once'], { NODE_OPTIONS: `--require ${hook}` }).done;
  expect(out).toMatch(/Note: SQLite can't be used here .*Could not locate the bindings file/);
  expect(out).toContain('kill -9 and restart is left out');
  expect(code).toBe(0);
}, 60_000);

test('a step that is not seen fails the play and is named, with what was seen instead', async () => {
  const stage = await Stage.set(() => undefined);
  try {
    await stage.startPua();
    stage.presence.server.shapeNext({ method: 'PUBLISH', headers: [['SIP-ETag', 'another']], omit: ['SIP-ETag'] });
    await expect(play(stage)).rejects.toThrow(
      /^step 1 \(Publish\) failed: expected the entity-tag \S+ in the result; seen instead: another$/,
    );
  } finally {
    expect(await stage.strike()).toBe(0);
  }
}, 60_000);
