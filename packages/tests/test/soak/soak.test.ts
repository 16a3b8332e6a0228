/**
 * A week in the life of many records (src/soak): servers that forget, fall silent and refuse, a network that loses and
 * doubles, a process that is killed and restarted, owners who change their minds. In the end the servers hold just what
 * is wanted, and when all has ended nothing is left. `npm run soak` runs it at full size with a seed of its own.
 *
 * Fails when a gate is not left (`open`), an ended record is not removed (`after`), a 412 is not repaired (`differences`),
 * something is kept of each change of state (`heap`): tried by changing the program's copy of core.
 */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Facts, Load } from '../../dist/soak/facts.js';

const PROGRAM = join(__dirname, '../../dist/soak/program.js');
const FLAGS = ['--expose-gc', '--max-semi-space-size=64'];
const FULL = process.env['PUA_SOAK'] !== undefined;
const LOAD: Load = FULL
  ? { seed: Number(process.env['PUA_SEED'] ?? Date.now() % 1_000_000), records: 10_000, days: 7, lifetime: 7_200 }
  : { seed: Number(process.env['PUA_SEED'] ?? 1), records: 500, days: 1, lifetime: 3_600 };
/** What the code itself may grow by. */
const COMPILED = 1_000_000;
const TIME_MS = 60_000 + LOAD.records * LOAD.days * 50;

test(
  `${LOAD.days} days of ${LOAD.records} records (PUA_SEED=${LOAD.seed})`,
  async () => {
    const { stdout } = await promisify(execFile)(process.execPath, [...FLAGS, PROGRAM, JSON.stringify(LOAD)]);
    const { load, violations, differences, before, after, open, heap, ...facts } = JSON.parse(stdout) as Facts;
    if (process.env['PUA_VERBOSE']) console.log({ heap, ...facts });

    expect({ load, violations, differences }).toEqual({ load: LOAD, violations: [], differences: [] });
    expect(after).toEqual(before);
    expect(open).toBe(true);
    // It was a load, and fate did strike.
    const sum = (counts: Readonly<Record<string, number>>) => Object.values(counts).reduce((all, n) => all + n, 0);
    expect(sum(facts.requests)).toBeGreaterThan((LOAD.records * LOAD.days * 86_400) / LOAD.lifetime);
    expect(sum(facts.faults)).toBeGreaterThan(LOAD.days * 50);
    expect(facts.faults['process killed']).toBeGreaterThan(0);
    expect(facts.requests['PUBLISH 412']).toBeGreaterThan(LOAD.records / 10);
    // With as many records the heap is what it was: less than one byte more per request, once the code is compiled.
    const [, , early = 0] = heap;
    expect(heap.at(-1)! - early).toBeLessThan(COMPILED + sum(facts.requests));
  },
  TIME_MS,
);
