/** Reports for people: a line for each row, a table of all. */
import type { Figures, Machine, RowReport } from './report.js';
import type { Spread } from './spread.js';

/** Three digits are more than two runs agree in. */
function digits(value: number): string {
  const places = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return value.toFixed(places);
}
const percent = (part: number): string => `${(part * 100).toFixed(0)} %`;
const range = ({ min, median, max }: Spread, show: (value: number) => string): string =>
  `${show(min)} / ${show(median)} / ${show(max)}`;
/** 1000000 -> 1 000 000 */
const grouped = (n: number): string => String(n).replace(/\B(?=(\d{3})+$)/g, ' ');

function goalOf({ goal, ratio, unit }: RowReport): string {
  if (!goal) return '';
  const shown = (value: number) => (ratio ? percent(value) : `${digits(value)} ${unit}`);
  const least = goal.atLeast === undefined ? [] : [`>= ${shown(goal.atLeast)}`];
  const most = goal.atMost === undefined ? [] : [`<= ${shown(goal.atMost)}`];
  return [...least, ...most].join(', ');
}

const verdict = ({ goal }: RowReport): string => (goal ? (goal.met ? 'met' : 'missed') : '');

/** `tick, n 1 000 000: ours 92 ns, 1000 records 90 ns, ratio 102 %, goal <= 125 %: met` */
export function lineOf(report: RowReport): string {
  const { name, n, ours, against, ratio, unit, goal } = report;
  const parts = [`ours ${digits(ours.value.median)} ${unit}`];
  if (against) parts.push(`${against.name} ${digits(against.value.median)} ${unit}`);
  if (ratio) parts.push(`ratio ${percent(ratio.median)}`);
  if (goal) parts.push(`goal ${goalOf(report)}: ${verdict(report)}`);
  return `${name}, n ${grouped(n)}: ${parts.join(', ')}`;
}

const HEAD = ['row', 'n', 'unit', 'ours', 'against', 'of it', 'ratio', 'goal', ''];

/** All rows, `min / median / max` of the rounds; columns aligned, as Markdown with bars. */
export function tableOf(reports: readonly RowReport[], markdown: boolean): string {
  const cells = reports.map((report) => {
    const { name, n, unit, ours, against, ratio } = report;
    return [
      name,
      grouped(n),
      unit,
      range(ours.value, digits),
      against?.name ?? '',
      against ? range(against.value, digits) : '',
      ratio ? range(ratio, percent) : '',
      goalOf(report),
      verdict(report),
    ];
  });
  const widths = HEAD.map((title, i) => Math.max(title.length, ...cells.map((row) => row[i]!.length)));
  const padded = (row: readonly string[]) => row.map((cell, i) => cell.padEnd(widths[i]!));
  if (!markdown) return [HEAD, ...cells].map((row) => padded(row).join('  ').trimEnd()).join('\n');
  const line = (row: readonly string[]) => `| ${padded(row).join(' | ')} |`;
  return [line(HEAD), `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`, ...cells.map(line)].join('\n');
}

/** What the figures beside the value were, medians; one line per side. */
export function detailsOf(reports: readonly RowReport[]): string {
  const side = (name: string, { details }: Figures): string[] => {
    const shown = Object.entries(details).map(([key, value]) => `${key} ${digits(value)}`);
    return shown.length === 0 ? [] : [`${name}: ${shown.join(', ')}`];
  };
  return reports
    .flatMap(({ name, ours, against }) => [
      ...side(name, ours),
      ...(against ? side(`${name}, ${against.name}`, against) : []),
    ])
    .join('\n');
}

export const machineOf = ({ date, cpu, cores, node, loadBefore }: Machine): string =>
  `${date}, ${cores} cores (${cpu}), Node ${node}, load average at the start ${loadBefore.toFixed(1)}`;
