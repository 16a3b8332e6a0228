import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

function bench(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(__dirname, '../dist/main.js'), ...args], {
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
}

test('wrong arguments: 2, and how it is used', () => {
  expect(bench('nothing')).toMatchObject({ status: 2, stderr: expect.stringContaining('no row nothing; there are:') });
  expect(bench('--rounds', '0')).toMatchObject({
    status: 2,
    stderr: expect.stringContaining('--rounds must be a number above 0, not "0"'),
  });
  expect(bench('--help')).toMatchObject({ status: 0, stdout: expect.stringContaining('bench [NAME...]') });
});

test('a table of the rows that were named, and all runs in a file', () => {
  const folder = mkdtempSync(join(tmpdir(), 'pua-bench-test-'));
  try {
    const file = join(folder, 'bench.json');
    const { status, stdout } = bench('answerer', '--quick', '--rounds', '2', '--markdown', '--json', file);
    expect(status).toBe(0);
    expect(stdout).toMatch(/^\| answerer +\| 1 +\| k\/s +\|/m);
    const { effort, rows } = JSON.parse(readFileSync(file, 'utf8'));
    expect(effort).toMatchObject({ rounds: 2, scale: 0.001 });
    expect(rows).toMatchObject([{ name: 'answerer', ours: { runs: [{}, {}] }, against: { runs: [{}, {}] } }]);
  } finally {
    rmSync(folder, { recursive: true });
  }
}, 60_000);

test('where the time goes, by package and module', () => {
  const { status, stdout } = bench('publish-memory', '--quick', '--profile');
  expect(status).toBe(0);
  expect(stdout).toMatch(/^publish-memory: sendPublish/);
  expect(stdout).toMatch(/ % {2}@pua\/core$/m);
  expect(stdout).toMatch(/ % {2}@pua\/sip\/.+\.js$/m);
}, 60_000);
