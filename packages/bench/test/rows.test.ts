/** Every row runs, briefly, and its counts make sense; how fast it was is nobody's business here. */
import { type RowReport, reportOf, spread, tableOf } from '../dist/report.js';
import type { Load } from '../dist/row.js';
import { ROWS, rowOf } from '../dist/rows/index.js';
import { runAll } from '../dist/runner.js';

const LOAD: Load = { window: 20, warmUpMs: 20, warmUpOperations: 20, measureMs: 200 };

test('every row answers what it sends', async () => {
  const seen: string[] = [];
  const results = await runAll(ROWS, 1, LOAD, (row, round) => seen.push(`${row.name} ${round}`));
  expect(seen).toEqual(['raw 1', 'answerer 1', 'memory 1', 'sqlite 1']);
  for (const { runs } of results) {
    expect(runs).toHaveLength(1);
    const [run] = runs;
    expect(run!.operations).toBeGreaterThan(0);
    expect(run!.rate).toBeGreaterThan(0);
    expect(run!.cpu.main).toBeGreaterThan(0);
    expect(run!.cpu.server).toBeGreaterThan(0);
  }
  const { raw, memory, sqlite } = Object.fromEntries(results.map(({ row, runs }) => [row.name, runs[0]!]));
  expect(raw!.details).toMatchObject({ replyBytes: 350 });
  expect(raw!.details['requestBytes']).toBeGreaterThan(1100);
  for (const run of [memory!, sqlite!]) {
    // All in their first cycle through the presentities.
    expect(run.details['initial']).toBe(run.operations);
  }
  expect(sqlite!.details['acknowledgedRate']).toBeGreaterThanOrEqual(sqlite!.rate);
  expect(sqlite!.details['rowsWritten']).toBeGreaterThanOrEqual(sqlite!.operations);
  if (process.platform === 'linux') expect(sqlite!.cpu.store).toBeGreaterThan(0);

  const report = reportOf(results, LOAD, 0);
  const rows = Object.fromEntries(report.rows.map((row) => [row.name, row])) as Record<string, RowReport>;
  expect(rows['raw']!.ofRaw).toEqual({ min: 1, median: 1, max: 1 });
  expect(rows['memory']!.ofRaw!.median).toBeCloseTo(memory!.rate / raw!.rate, 9);
  expect(rows['memory']!.goal).toBe(0.45);
  expect(tableOf(report).split('\n')).toHaveLength(2 + ROWS.length);
}, 60_000);

test('the spread of runs', () => {
  expect(spread([5])).toEqual({ min: 5, median: 5, max: 5 });
  expect(spread([9, 1, 4])).toEqual({ min: 1, median: 4, max: 9 });
  expect(spread([8, 2, 4, 100])).toEqual({ min: 2, median: 6, max: 100 });
});

test('an unknown row names the known ones', () => {
  expect(() => rowOf('rwa')).toThrow('no row rwa; there are: raw, answerer, memory, sqlite');
});
