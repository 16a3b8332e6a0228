/** From runs to the figures of the table. */
import { cpus, loadavg } from 'node:os';
import { type Effort, type Goal, type Row, type Sample, scaled } from './row.js';
import type { RowRuns } from './runner.js';
import { type Spread, spread } from './spread.js';

export interface Figures {
  readonly value: Spread;
  /** Medians. */
  readonly details: Readonly<Record<string, number>>;
  readonly runs: readonly Sample[];
}

export interface RowReport {
  readonly name: string;
  readonly what: string;
  readonly unit: Row['unit'];
  readonly n: number;
  readonly ours: Figures;
  readonly against?: Figures & { readonly name: string };
  /** Ours by the other, round by round: both of the same round. */
  readonly ratio?: Spread;
  readonly goal?: Goal & { readonly met: boolean };
}

export interface Machine {
  readonly date: string;
  readonly cpu: string;
  readonly cores: number;
  readonly node: string;
  /** Load average of the last minute when it began: what others did; ratios of a busy machine say little. */
  readonly loadBefore: number;
}

export function thisMachine(): Machine {
  const cores = cpus();
  return {
    date: new Date().toISOString().slice(0, 10),
    cpu: cores[0]?.model.trim() ?? 'unknown',
    cores: cores.length,
    node: process.version,
    loadBefore: loadavg()[0]!,
  };
}

function figures(runs: readonly Sample[]): Figures {
  const names = Object.keys(runs[0]!.details);
  return {
    value: spread(runs.map(({ value }) => value)),
    details: Object.fromEntries(
      names.map((name) => [name, spread(runs.map(({ details }) => details[name] ?? 0)).median]),
    ),
    runs,
  };
}

const meets = (value: number, { atLeast = Number.NEGATIVE_INFINITY, atMost = Number.POSITIVE_INFINITY }: Goal) =>
  value >= atLeast && value <= atMost;

export function reportOf({ row, ours, against }: RowRuns, effort: Effort): RowReport {
  const { name, what, unit, goal } = row;
  const figuresOfOurs = figures(ours);
  const ratio = row.against && spread(ours.map(({ value }, round) => value / against[round]!.value));
  const judged = (ratio ?? figuresOfOurs.value).median;
  return {
    name,
    what,
    unit,
    n: scaled(row.n, effort),
    ours: figuresOfOurs,
    ...(row.against && { against: { name: row.against.name, ...figures(against) } }),
    ...(ratio && { ratio }),
    ...(goal && { goal: { ...goal, met: meets(judged, goal) } }),
  };
}
