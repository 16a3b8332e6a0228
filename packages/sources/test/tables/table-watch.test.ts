/** What a watch tells of a table, and how much of it it reads. */
import { SimClock } from '@pua/testkit';
import fc from 'fast-check';
import { TableWatch } from '../../dist/tables/table-watch.js';
import { FakeTable, Log, textOfRow } from './fake-table';

interface Scene {
  readonly clock: SimClock;
  readonly table: FakeTable;
  readonly log: Log;
  readonly watch: TableWatch;
  /** One poll, a second later. */
  poll(): Promise<string[]>;
}

async function scene(table: FakeTable, rowsPerPoll = 2000): Promise<Scene> {
  const clock = new SimClock();
  const log = new Log();
  const watch = new TableWatch(table, clock, rowsPerPoll, log);
  // The database's clock is that of the scene.
  await watch.load(0);
  for (const { id, text } of watch.told()) log.living.set(id, text);
  return {
    ...{ clock, table, log, watch },
    async poll() {
      clock.advance(1000);
      await watch.poll(clock.now() / 1000);
      return log.take();
    },
  };
}

test('what is there at the start is not told; a row that appears, changes and goes is, once each', async () => {
  const table = new FakeTable();
  table.put(1, 'a');
  const { watch, poll } = await scene(table);
  expect([...watch.told()].map(({ id }) => id)).toEqual([1]);
  expect(await poll()).toEqual([]);
  table.put(2, 'b');
  expect(await poll()).toEqual(['+2 b']);
  table.put(2, 'c');
  expect(await poll()).toEqual(['~2 c']);
  expect(await poll()).toEqual([]);
  table.rows.delete(1);
  table.rows.delete(2);
  expect((await poll()).sort()).toEqual(['-1 a', '-2 c']);
  expect([...watch.told()]).toEqual([]);
});

test('a row ends when its time has run out, also while it is still there; a refresh after that is a new appearance', async () => {
  const table = new FakeTable();
  table.put(1, 'a', 2);
  const { poll } = await scene(table);
  // One second of grace for a refresh that is being written.
  expect([await poll(), await poll(), await poll()]).toEqual([[], [], ['-1 a']]);
  expect(await poll()).toEqual([]);
  table.put(1, 'b', 100);
  expect(await poll()).toEqual(['+1 b']);
});

test('a refresh moves the end', async () => {
  const table = new FakeTable();
  table.put(1, 'a', 3);
  const { poll } = await scene(table);
  await poll();
  table.put(1, 'a', 6);
  const told = [];
  for (let i = 2; i <= 7; i++) told.push(...(await poll()).map((line) => `${i}: ${line}`));
  expect(told).toEqual(['2: ~1 a', '7: -1 a']);
});

test('what has run out before the start is not alive', async () => {
  const table = new FakeTable();
  table.put(1, 'a', -10);
  const { watch, poll } = await scene(table);
  expect([...watch.told()]).toEqual([]);
  table.rows.delete(1);
  expect(await poll()).toEqual([]);
});

test('a malformed row is told once, and lives once it is mended', async () => {
  const table = new FakeTable();
  table.put(1, 'x', Number.NEGATIVE_INFINITY).fault = 'no contact';
  const { log, poll } = await scene(table);
  expect(log.take()).toEqual(['!1 no contact']);
  expect(await poll()).toEqual([]);
  table.put(1, 'a');
  expect(await poll()).toEqual(['+1 a']);
  table.put(1, 'y', Number.NEGATIVE_INFINITY).fault = 'no user';
  expect(await poll()).toEqual(['!1 no user', '-1 a']);
  // It is refreshed, and still malformed.
  table.put(1, 'z', Number.NEGATIVE_INFINITY).fault = 'no user';
  expect(await poll()).toEqual([]);
});

test('rows that become visible late are found by the rotation, whatever the marks say', async () => {
  const table = new FakeTable();
  const late = table.put(1, 'late');
  late.hidden = true;
  for (let id = 2; id <= 40; id++) table.put(id, 'a');
  const { poll } = await scene(table, 10);
  await poll();
  late.hidden = false;
  const told = [];
  for (let i = 0; i < 4; i++) told.push(...(await poll()));
  expect(told).toEqual(['+1 late']);
});

test('ids begin again after TRUNCATE: another row under the same id is another thing, and low ids are found', async () => {
  const table = new FakeTable(false);
  for (let id = 11; id <= 20; id++) table.put(id, 'a');
  const { poll } = await scene(table, 100);
  await poll();
  table.rows.clear();
  table.put(11, 'n').key = 'other';
  table.put(1, 'n');
  const told = await poll();
  expect(told.filter((line) => line.startsWith('-'))).toHaveLength(10);
  expect(told.filter((line) => !line.startsWith('-'))).toEqual(['+1 n', '+11 n']);
  table.rows.clear();
  expect((await poll()).sort()).toEqual(['-1 n', '-11 n']);
  table.put(5, 'm');
  expect(await poll()).toEqual(['+5 m']);
});

test('how long ago new rows were written is told, but not of what was written while no poll worked', async () => {
  const table = new FakeTable();
  const { log, poll, clock } = await scene(table);
  table.put(1, 'a', Number.POSITIVE_INFINITY, 0);
  await poll();
  expect(log.lags).toEqual([1]);
  clock.advance(120_000);
  table.put(2, 'b', Number.POSITIVE_INFINITY, 10);
  await poll();
  table.put(3, 'c', Number.POSITIVE_INFINITY, 20);
  await poll();
  expect(log.lags).toEqual([1, 103]);
});

test('a poll that fails loses nothing: the next one starts where it did', async () => {
  const table = new FakeTable();
  table.put(1, 'a');
  table.put(2, 'b', 1);
  const { poll } = await scene(table);
  table.away = true;
  for (let i = 0; i < 5; i++) await expect(poll()).rejects.toThrow('the database is away');
  table.put(3, 'c');
  table.rows.delete(1);
  table.away = false;
  expect(await poll()).toEqual(['+3 c', '-2 b', '-1 a']);
});

describe('5000 rows', () => {
  const ROWS = 5_000;
  const PER_POLL = 1_000;
  const filled = (until = Number.POSITIVE_INFINITY) => {
    const table = new FakeTable();
    for (let id = 1; id <= ROWS; id++) table.put(id, 'a', until, id);
    return table;
  };
  const cost = async ({ table, poll }: Scene) => {
    const before = { statements: table.statements, given: table.given };
    const told = await poll();
    return { told, statements: table.statements - before.statements, rows: table.given - before.given };
  };

  test('a poll reads a part of the table, all of it in rotation', async () => {
    const all = await scene(filled(), PER_POLL);
    // One for new rows, one for changed ones, two pages of the rotation; the last change is read again.
    expect(await cost(all)).toEqual({ told: [], statements: 4, rows: PER_POLL + 1 });
    for (let id = 1; id <= ROWS; id += 250) all.table.rows.delete(id);
    const told = [];
    for (let i = 0; i < ROWS / PER_POLL; i++) {
      const { told: lines, rows } = await cost(all);
      expect(rows).toBeLessThanOrEqual(PER_POLL + 1);
      told.push(...lines);
    }
    expect(told).toHaveLength(20);
  });

  test('new and changed rows are told by the next poll, wherever the rotation is', async () => {
    const all = await scene(filled(), PER_POLL);
    await all.poll();
    all.table.put(3_000, 'b', Number.POSITIVE_INFINITY, ROWS + 1);
    all.table.put(ROWS + 1, 'n', Number.POSITIVE_INFINITY, ROWS + 1);
    expect((await cost(all)).told.sort()).toEqual(['+5001 n', '~3000 b']);
    // They are read once more, because others of the same second may follow.
    for (let i = 0; i < 3; i++) expect((await cost(all)).rows).toBeLessThanOrEqual(PER_POLL + 5);
  });

  test('rows that were all changed in one second are not read for ever', async () => {
    const rows = PER_POLL + 500;
    const table = new FakeTable();
    for (let id = 1; id <= rows; id++) table.put(id, 'a', Number.POSITIVE_INFINITY, 1);
    const all = await scene(table, PER_POLL);
    // Others may follow.
    for (let i = 0; i < 5; i++) {
      expect((await cost(all)).rows).toBe(PER_POLL + rows);
      table.put(10 + i, `b${i}`, Number.POSITIVE_INFINITY, 1);
    }
    expect((await cost(all)).told).toEqual(['~14 b4']);
    expect(await cost(all)).toMatchObject({ told: [], rows: PER_POLL });
    // Then everything is as before.
    table.put(1_300, 'c', Number.POSITIVE_INFINITY, 2);
    expect((await cost(all)).told).toEqual(['~1300 c']);
    table.put(1_200, 'd', Number.POSITIVE_INFINITY, 2);
    expect((await cost(all)).told).toEqual(['~1200 d']);
    for (let i = 0; i < 6; i++) await all.poll();
    expect((await cost(all)).rows).toBe(PER_POLL);
  });

  test('a part of the rotation that could not be read is read by the next poll', async () => {
    const all = await scene(filled(), PER_POLL);
    all.table.rows.delete(1);
    all.table.failsAt = 3;
    await expect(all.poll()).rejects.toThrow('the database is away');
    expect(all.log.take()).toEqual([]);
    expect((await cost(all)).told).toEqual(['-1 a']);
  });

  test('all that run out in one second are told in the order of polls, none is forgotten', async () => {
    const all = await scene(filled(5), PER_POLL);
    for (let i = 1; i < 6; i++) expect((await cost(all)).told).toEqual([]);
    for (let i = 0; i < ROWS / PER_POLL; i++) {
      // The row that changed last is read again.
      const { told, rows } = await cost(all);
      expect(told.length).toBeLessThanOrEqual(PER_POLL + 1);
      expect(rows).toBeLessThanOrEqual(PER_POLL + 1);
    }
    expect(all.log.living.size).toBe(0);
  });
});

/** What a run does: rows come late, go, are refreshed by clocks that differ. */
const step = fc.oneof(
  fc.record({
    do: fc.constant('insert' as const),
    life: fc.integer({ min: 0, max: 9 }),
    late: fc.integer({ max: 3, min: 0 }),
  }),
  fc.record({
    do: fc.constant('refresh' as const),
    which: fc.nat(),
    life: fc.integer({ min: 0, max: 9 }),
    skew: fc.integer({ min: -5, max: 5 }),
  }),
  fc.record({ do: fc.constant('remove' as const), which: fc.nat() }),
  fc.record({ do: fc.constant('truncate' as const) }),
  fc.record({ do: fc.constant('fail' as const) }),
  fc.record({ do: fc.constant('poll' as const) }),
);

test.each([true, false])(
  'whatever happens, in the end it has told what is there (index on last_modified: %s)',
  async (indexed) => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 80 }),
        fc.integer({ min: 1, max: 7 }),
        async (steps, rowsPerPoll) => {
          const table = new FakeTable(indexed);
          const { clock, log, watch, poll } = await scene(table, rowsPerPoll);
          const hidden: { at: number; id: number }[] = [];
          let id = 0;
          let generation = 0;
          const show = () => {
            for (const { at, id } of hidden)
              if (at <= clock.now()) Object.assign(table.rows.get(id) ?? {}, { hidden: false });
          };
          for (const one of steps) {
            const now = clock.now() / 1000;
            show();
            if (one.do === 'insert') {
              const until = one.life === 0 ? Number.POSITIVE_INFINITY : now + one.life;
              const more = { hidden: one.late > 0, key: `${generation}.${id + 1}` };
              Object.assign(table.put(++id, `v${now}`, until, now), more);
              hidden.push({ at: clock.now() + one.late * 1000, id });
            } else if (one.do === 'fail') {
              table.away = true;
              await expect(poll()).rejects.toThrow();
              table.away = false;
            } else if (one.do === 'truncate') {
              table.rows.clear();
              id = 0;
              generation++;
            } else if (one.do === 'poll') {
              await poll();
            } else {
              const ids = [...table.rows.keys()];
              if (ids.length === 0) continue;
              const row = table.rows.get(ids[one.which % ids.length]!)!;
              if (one.do === 'remove') table.rows.delete(row.id);
              else
                Object.assign(row, { text: `r${now}`, until: now + one.life, modified: Math.max(0, now + one.skew) });
            }
          }
          // The rotation comes round.
          for (let i = 0; i <= 2 * table.rows.size + 14; i++) {
            show();
            await poll();
          }
          const there = [...table.rows.values()].filter(({ until }) => until + 1 > clock.now() / 1000);
          expect(new Map([...log.living].sort(([a], [b]) => a - b))).toEqual(
            new Map(there.map((row) => [row.id, textOfRow(row)])),
          );
          expect([...watch.told()].length).toBe(there.length);
          watch.stop();
          expect(clock.pending).toBe(0);
        },
      ),
      { numRuns: 300 },
    );
  },
);
