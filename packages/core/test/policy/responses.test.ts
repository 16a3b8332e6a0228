/** Every status against the table of the response policy, written down once more from the specification. */
import { endsRemoval, endsSubscription, honoursRetryAfter, responseRow } from '../../dist/policy/responses.js';

const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i);

const ROWS: [row: string, statuses: number[]][] = [
  ['accepted', range(200, 299)],
  ['unauthorized', [401, 407]],
  ['lost', [412]],
  ['brief', [423]],
  ['no-dialog', [481]],
  ['pending', [491]],
  ['unsupported', [405, 406, 415, 489, 501, 505, 513]],
  ['unavailable', [408, ...range(500, 599).filter((status) => ![501, 505, 513].includes(status))]],
];
const named = new Map(ROWS.flatMap(([row, statuses]) => statuses.map((status) => [status, row] as const)));

test.each(range(200, 699).map((status) => [status, named.get(status) ?? 'refused']))('%i is %s', (status, row) => {
  expect(responseRow(status as number)).toBe(row);
});

const exactly = (of: (status: number) => boolean) => range(200, 699).filter(of);

test('answers to a refresh that end a subscription (RFC 6665 4.1.2.2)', () => {
  expect(exactly(endsSubscription)).toEqual([404, 405, 410, 416, 480, 481, 482, 483, 484, 485, 489, 501, 604]);
});

test('answers whose Retry-After concerns the record', () => {
  expect(exactly(honoursRetryAfter)).toEqual([404, 413, 480, 486, 500, 600, 603]);
});

test('answers that end a removal', () => {
  expect(exactly(endsRemoval)).toEqual([...range(200, 299), 404, 410, 412, 481]);
});
