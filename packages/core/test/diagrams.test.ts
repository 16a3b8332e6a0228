/** The docs show the tables as they are. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

test('docs/state-machines.md is drawn from the tables of today', () => {
  const { status, stderr } = spawnSync(process.execPath, [join(__dirname, '../../../scripts/diagrams.mjs'), '--check']);
  expect([status, String(stderr)]).toEqual([0, '']);
});
