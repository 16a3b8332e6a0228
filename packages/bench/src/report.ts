/** From runs to a table for people and JSON for programs. */
import { cpus, loadavg } from 'node:os';
import type { Load, Measurement } from './row.js';
import type { RowResult } from './runner.js';

export interface Spread {
  readonly min: number;
  readonly median: number;
  readonly max: number;
}

export function spread(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  const median = (sorted[Math.ceil(middle) - 1]! + sorted[Math.floor(middle)]!) / 2;
  return { min: sorted[0]!, median, max: sorted[sorted.length - 1]! };
}

export interface RowReport {
  readonly name: string;
  readonly title: string;
  readonly rate: Spread;
  /** Rate as a part of that of `raw`, run by run: both of the same round. Absent without that row. */
  readonly ofRaw?: Spread;
  readonly goal?: number;
  readonly reached?: boolean;
  /** Medians. */
  readonly cpu: { readonly main: number; readonly store?: number; readonly server: number };
  readonly serverLoad: number;
  readonly runs: readonly Measurement[];
}

export interface Report {
  readonly date: string;
  /** Load average of the last minute when it began: what others did; ratios of a busy machine say little. */
  readonly machine: { readonly cores: number; readonly node: string; readonly loadBefore: number };
  readonly load: Load;
  readonly rows: readonly RowReport[];
}

const median = (runs: readonly Measurement[], pick: (run: Measurement) => number): number =>
  spread(runs.map(pick)).median;

function rowReport({ row, runs }: RowResult, ceiling: readonly Measurement[] | undefined): RowReport {
  const ofRaw = ceiling && spread(runs.map((run, round) => run.rate / ceiling[round]!.rate));
  const stored = runs.some((run) => run.cpu.store !== undefined);
  return {
    name: row.name,
    title: row.title,
    rate: spread(runs.map((run) => run.rate)),
    ...(ofRaw && { ofRaw }),
    ...(row.goal !== undefined && { goal: row.goal }),
    ...(row.goal !== undefined && ofRaw && { reached: ofRaw.median >= row.goal }),
    cpu: {
      main: median(runs, (run) => run.cpu.main),
      ...(stored && { store: median(runs, (run) => run.cpu.store ?? 0) }),
      server: median(runs, (run) => run.cpu.server),
    },
    serverLoad: median(runs, (run) => run.serverLoad),
    runs,
  };
}

export const loadAverage = (): number => loadavg()[0]!;

export function reportOf(results: readonly RowResult[], load: Load, loadBefore: number): Report {
  const ceiling = results.find(({ row }) => row.name === 'raw')?.runs;
  return {
    date: new Date().toISOString(),
    machine: { cores: cpus().length, node: process.version, loadBefore },
    load,
    rows: results.map((result) => rowReport(result, ceiling)),
  };
}

const thousands = (rate: number): string => (rate / 1000).toFixed(1);
const percent = (part: number): string => `${(part * 100).toFixed(0)} %`;
const range = ({ min, median, max }: Spread, show: (value: number) => string): string =>
  `${show(min)} / ${show(median)} / ${show(max)}`;

const HEAD = ['row', 'k/s min / median / max', 'of raw', 'goal', 'CPU ms/1000: main', 'store', 'server', 'server busy'];

/** A Markdown table, columns aligned. */
export function tableOf({ rows }: Report): string {
  const cells = rows.map(({ name, rate, ofRaw, goal, reached, cpu, serverLoad }) => [
    name,
    range(rate, thousands),
    ofRaw ? range(ofRaw, percent) : '',
    goal === undefined ? '' : `${percent(goal)}${reached === undefined ? '' : reached ? ' reached' : ' missed'}`,
    cpu.main.toFixed(1),
    cpu.store?.toFixed(1) ?? '',
    cpu.server.toFixed(1),
    percent(serverLoad),
  ]);
  const widths = HEAD.map((title, i) => Math.max(title.length, ...cells.map((row) => row[i]!.length)));
  const line = (row: readonly string[]) => `| ${row.map((cell, i) => cell.padEnd(widths[i]!)).join(' | ')} |`;
  return [line(HEAD), `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`, ...cells.map(line)].join('\n');
}

/** Medians of what a row tells beyond the table, one line per row. */
export function detailsOf({ rows }: Report): string {
  const lines = rows.map(({ name, runs }) => {
    const names = Object.keys(runs[0]?.details ?? {});
    const shown = names.map((key) => `${key} ${Math.round(median(runs, (run) => run.details[key] ?? 0))}`);
    return `${name}: ${shown.join(', ')}`;
  });
  return lines.join('\n');
}
