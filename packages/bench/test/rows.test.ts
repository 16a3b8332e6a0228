/** Every row runs on both sides, briefly, and its counts make sense; how fast it was is nobody's business here. */
import { type LaunchedMariadb, launchMariadb, missingPeers, peersReady } from '@pua/testkit';
import { reportOf } from '../dist/report.js';
import { QUICK, type Row, type Sample } from '../dist/row.js';
import { ROWS, rowOf, rowsOf } from '../dist/rows/index.js';
import { obstacle, type RowRuns, runRow } from '../dist/runner.js';

const EFFORT = { ...QUICK, measureMs: 100 };

/** One server for all rows: without it each would launch its own. */
let mariadb: LaunchedMariadb | undefined;
beforeAll(async () => {
  if (missingPeers(['mariadb']).packages.length > 0) return;
  mariadb = await launchMariadb();
  const { host, port, user, password } = mariadb;
  process.env['PUA_TEST_MARIADB'] = JSON.stringify({ host, port, user, password });
}, 60_000);
afterAll(() => mariadb?.stop());

async function run(row: Row): Promise<RowRuns> {
  const seen: string[] = [];
  const runs = await runRow(row, EFFORT, (side, round) => seen.push(`${side} ${round}`));
  expect(seen).toEqual(row.against ? ['ours 1', 'against 1'] : ['ours 1']);
  return runs;
}

/** What is in the details of one side of a row. */
const checks: Record<string, (ours: Sample, against: Sample | undefined) => void> = {
  answerer(ours, against) {
    expect(against!.details).toMatchObject({ replyBytes: 350 });
    expect(ours.details['requestBytes']).toBeGreaterThan(1100);
  },
  publish({ details }) {
    expect(details['operations']).toBeGreaterThan(0);
    // Every fifth opens a new publication.
    expect(details['initial']! / details['operations']!).toBeCloseTo(0.2, 1);
  },
  'publish-sqlite'({ value, details }) {
    // Several changes of a record that meet are written once.
    expect(details['rowsWritten']).toBeGreaterThan(0);
    expect(details['acknowledged k/s']).toBeGreaterThanOrEqual(value);
    if (process.platform === 'linux') expect(details['store ms/1000']).toBeGreaterThan(0);
  },
  refresh({ details }) {
    expect(details['operations']! % 100).toBe(0);
  },
  notify({ details }) {
    expect(details['bodyBytes']).toBe(800);
  },
  drachtio({ details }) {
    if (process.env['DRACHTIO_URL'] === undefined) expect(details['double ms/1000']).toBeGreaterThan(0);
  },
  phones({ details }) {
    expect(details['phones busy %']).toBeGreaterThan(0);
  },
  register({ details }, against) {
    for (const { operations, 'phones busy %': busy } of [details, against!.details] as Record<string, number>[]) {
      expect(operations).toBeGreaterThan(0);
      expect(busy).toBeGreaterThan(0);
    }
  },
  restore({ details }, against) {
    expect(details['rowsLeft']).toBeGreaterThan(0);
    expect(against!.details).toMatchObject({ rows: 200, rowsLeft: 0 });
  },
  memory({ details }) {
    expect(details['heap B']).toBeGreaterThan(details['document B']!);
  },
  tick({ details }, against) {
    expect([details['scheduled'], against!.details['scheduled']]).toEqual([1000, 10]);
  },
};

for (const row of ROWS) {
  const ready = row.needs === undefined || peersReady(row.needs);
  (ready ? test : test.skip)(
    `${row.name} runs`,
    async () => {
      expect(obstacle(row)).toBeUndefined();
      const runs = await run(row);
      const [ours] = runs.ours;
      const [against] = runs.against;
      for (const [name, check] of Object.entries(checks)) {
        if (row.name === name || row.name.startsWith(`${name}-`)) check(ours!, against);
      }
      for (const sample of [ours!, ...runs.against]) expect(sample.value).toBeGreaterThan(0);
      const { ratio, goal } = reportOf(runs, EFFORT);
      expect(ratio?.median).toBe(against && ours!.value / against.value);
      expect(goal === undefined).toBe(row.goal === undefined);
    },
    60_000,
  );
}

test('rows are chosen by name, or by the part of it that several share', () => {
  const names = (...given: string[]) => rowsOf(given).map(({ name }) => name);
  expect(names('tick')).toEqual(['tick']);
  expect(names('publish')).toEqual(['publish-memory', 'publish-sqlite', 'publish-mariadb', 'publish-postgres']);
  expect(names('refresh', 'memory-1m')).toEqual(['refresh', 'refresh-growth', 'memory-1m']);
  expect(names().length).toBeLessThan(ROWS.length);
  expect(rowsOf([]).some(({ large }) => large)).toBe(false);
  expect(() => names('pub')).toThrow(/no row pub; there are: answerer, publish-memory/);
  expect(() => rowOf('publish')).toThrow('no row publish; there are: answerer');
});
