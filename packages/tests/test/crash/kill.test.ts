/**
 * `kill -9` of a real process, again and again, in the middle of its work and in the middle of its start, with a real
 * file and real sockets. Whatever was reported as durable is there again; what the server holds too much of is at most
 * one orphan per kill and record, and gone with its lifetime (docs/invariants.md, 7).
 *
 * PUA_SEED repeats a run as far as chance goes (when exactly a kill hits is the machine's affair), PUA_ROUNDS lengthens
 * it, PUA_VERBOSE prints what was counted.
 */
import { type RunOptions, run } from './run';

const seed = Number(process.env['PUA_SEED'] ?? Date.now() % 1_000_000);
const rounds = Number(process.env['PUA_ROUNDS'] ?? 50);
/** A start is over sooner than a life of work, and has fewer moments to be killed at. */
const starts = Math.ceil(rounds * 0.4);
const TIME_MS = 60_000 + rounds * 2_000;

async function harmless(options: Omit<RunOptions, 'seed'>) {
  const result = await run({ seed, ...options });
  if (process.env['PUA_VERBOSE']) console.log(result.summary);
  expect({ seed, violations: result.violations.slice(0, 5) }).toEqual({ seed, violations: [] });
  expect(result.counts.kills).toBe(options.rounds);
  return result.counts;
}

test(
  `killed at work, ${rounds} times (PUA_SEED=${seed})`,
  async () => {
    const counts = await harmless({ rounds, kill: 'life' });
    // It was under load, and kills did hit something.
    expect(counts.durable).toBeGreaterThan(rounds);
    expect(counts.unwritten).toBeGreaterThan(0);
    expect(counts.jumps).toBeGreaterThan(0);
    expect(counts.orphans).toBeGreaterThan(0);
  },
  TIME_MS,
);

test(
  `killed while it starts, ${starts} times (PUA_SEED=${seed})`,
  async () => {
    const counts = await harmless({ rounds: starts, kill: 'start' });
    expect(counts.beforeStart).toBeGreaterThan(starts / 4);
    expect(counts.restored).toBeGreaterThan(0);
  },
  TIME_MS,
);

test.each([
  ['changes are called durable before they are written', 'early-mark', /durable up to/],
  ['CSeqs go on without a jump', 'no-raise', /restored as|CSeq of/],
  ['each PUBLISH is sent twice', 'twice', /two in flight/],
] as const)(
  'caught: %s',
  async (_name, mutant, says) => {
    const { violations, summary } = await run({ seed, rounds, kill: 'life', mutant });
    if (process.env['PUA_VERBOSE']) console.log(summary, violations.slice(0, 3));
    expect(violations.some((violation) => says.test(violation))).toBe(true);
  },
  TIME_MS,
);
