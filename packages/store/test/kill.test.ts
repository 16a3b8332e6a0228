import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { PuaRow } from '@pua/core';
import { loadAll } from './database';
import { type SqliteFixture, sqliteFixture } from './sqlite-fixture';

interface Operations {
  readonly KEYS: number;
  hash(seed: number, number: number): number;
  operation(seed: number, number: number): { key: string; row: PuaRow | null };
}
const { KEYS, hash, operation } = jest.requireActual<Operations>('./fixtures/operations.cjs');

const ROUNDS = 10;
/** Repeat a failure with PUA_TEST_SEED. */
const seed = Number(process.env.PUA_TEST_SEED ?? Date.now() % 1_000_000);

/** Runs the load until it has printed `marks` durable marks, then kill -9. Returns the last mark it printed. */
async function killedUnderLoad(url: string, round: number, marks: number): Promise<number> {
  const child = spawn(process.execPath, [join(__dirname, 'fixtures/load.cjs'), url, String(round)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  let last = 0;
  let seen = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    last = Number(line);
    if (++seen === marks) child.kill('SIGKILL');
  }
  const [code, signal] = await exited;
  expect([code, signal]).toEqual([null, 'SIGKILL']);
  return last;
}

/** Number of the last change of each record up to the mark. */
function lastChanges(round: number, mark: number): Map<string, number> {
  const numbers = new Map<string, number>();
  for (let number = 1; number <= mark; number++) numbers.set(operation(round, number).key, number);
  return numbers;
}

/** Whether a change after `from` ended the record: the load may have come further than it could say. */
function endedLater(round: number, key: string, from: number): boolean {
  for (let number = from + 1; number <= from + 10_000; number++) {
    const change = operation(round, number);
    if (change.key === key && change.row === null) return true;
  }
  return false;
}

/** As an unclean stop leaves it. */
function raised(row: PuaRow): PuaRow {
  return row.watcher_uri === '' ? row : { ...row, cseq: row.cseq + 1000 };
}

let fixture: SqliteFixture;
beforeEach(async () => {
  fixture = await sqliteFixture();
});
afterEach(() => fixture.dispose());

test(`kill -9 at random moments under load (PUA_TEST_SEED=${seed}): all up to the durable mark is there`, async () => {
  let before = new Map<string, PuaRow>();
  let raises = 0;
  for (let turn = 0; turn < ROUNDS; turn++) {
    const round = seed + turn;
    const mark = await killedUnderLoad(`sqlite:${fixture.file}`, round, 1 + (hash(seed, turn) % 40));
    const store = fixture.store();
    const opened = await store.open();
    expect(opened.unclean).toBe(true);
    const found = new Map((await loadAll(store, 64)).map((row) => [row.record_key, row]));
    expect(found.size).toBe(opened.rows);
    const changes = lastChanges(round, mark);
    for (let id = 0; id < KEYS; id++) {
      const key = `k${id}`;
      const row = found.get(key);
      const number = changes.get(key) ?? 0;
      const durable = number > 0 ? operation(round, number).row : (before.get(key) ?? null);
      if (row === undefined) {
        if (durable !== null && !endedLater(round, key, mark)) throw new Error(`${key} is lost (durable ${mark})`);
      } else if (row.expires === round) {
        // The state of this very change, which is not older than what was durable.
        expect(row.version).toBeGreaterThanOrEqual(number);
        expect(row).toEqual(raised(operation(round, row.version).row!));
        if (row.watcher_uri !== '') raises++;
      } else {
        expect(number).toBe(0);
        expect(row).toEqual(raised(durable!));
      }
    }
    before = found;
    await store.close();
  }
  expect(raises).toBeGreaterThan(0);
}, 60_000);
