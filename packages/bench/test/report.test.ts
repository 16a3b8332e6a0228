import { type RowReport, reportOf } from '../dist/report.js';
import { FULL, type Row } from '../dist/row.js';
import { spread } from '../dist/spread.js';
import { detailsOf, lineOf, tableOf } from '../dist/table.js';

const ROW: Row = {
  name: 'one',
  what: 'something',
  unit: 'k/s',
  n: 20_000,
  goal: { atLeast: 0.5 },
  ours: () => Promise.reject(new Error('not run')),
  against: { name: 'peer', measure: () => Promise.reject(new Error('not run')) },
};
const samples = (...values: number[]) => values.map((value) => ({ value, details: { cpu: value * 2 } }));
const report = (row: Row, ours: number[], against: number[] = []): RowReport =>
  reportOf({ row, ours: samples(...ours), against: samples(...against) }, FULL);

test('the spread of runs', () => {
  expect(spread([5])).toEqual({ min: 5, median: 5, max: 5 });
  expect(spread([9, 1, 4])).toEqual({ min: 1, median: 4, max: 9 });
  expect(spread([8, 2, 4, 100])).toEqual({ min: 2, median: 6, max: 100 });
});

test('the ratio is that of each round, and its median is compared with the goal', () => {
  const { ratio, ours, against, goal } = report(ROW, [10, 20, 60], [40, 40, 100]);
  expect(ratio).toEqual({ min: 0.25, median: 0.5, max: 0.6 });
  expect(ours.value.median).toBe(20);
  expect(against).toMatchObject({ name: 'peer', value: { median: 40 }, details: { cpu: 80 } });
  expect(goal).toEqual({ atLeast: 0.5, met: true });
  expect(report(ROW, [10, 19, 60], [40, 40, 100]).goal!.met).toBe(false);
  const most = { ...ROW, goal: { atMost: 1 } };
  expect(report(most, [5], [5]).goal!.met).toBe(true);
  expect(report(most, [6], [5]).goal!.met).toBe(false);
});

test('without another side the goal is for our value', () => {
  const { against: _, ...alone } = { ...ROW, unit: 'B/record' as const, goal: { atMost: 1000 } };
  const made = report(alone, [900, 1001, 999]);
  expect(made.ratio).toBeUndefined();
  expect(made.goal!.met).toBe(true);
  expect(lineOf(made)).toBe('one, n 20 000: ours 999 B/record, goal <= 1000 B/record: met');
  expect(report(alone, [1001]).goal!.met).toBe(false);
});

test('the line and the tables', () => {
  const { goal: _, ...aimless } = ROW;
  const reports = [report(ROW, [9.94, 11, 13.2], [40, 50, 60]), report(aimless, [1], [4])];
  expect(lineOf(reports[0]!)).toBe('one, n 20 000: ours 11.0 k/s, peer 50.0 k/s, ratio 22 %, goal >= 50 %: missed');
  const markdown = tableOf(reports, true).split('\n');
  expect(markdown[2]).toBe(
    '| one | 20 000 | k/s  | 9.94 / 11.0 / 13.2 | peer    | 40.0 / 50.0 / 60.0 | 22 % / 22 % / 25 % | >= 50 % | missed |',
  );
  expect(new Set(markdown.map((line) => line.length)).size).toBe(1);
  expect(tableOf(reports, false).split('\n')[2]).toMatch(
    /^one {2}20 000 {2}k\/s {3}1.00 \/ 1.00 \/ 1.00 +peer .* 25 %$/,
  );
  expect(detailsOf(reports).split('\n').slice(0, 2)).toEqual(['one: cpu 22.0', 'one, peer: cpu 100']);
});
