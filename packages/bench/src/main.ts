/** `npm run bench`: measures rows and prints the table. */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { printProfile } from './profile/print.js';
import { type Machine, type RowReport, reportOf, thisMachine } from './report.js';
import { type Effort, FULL, QUICK, type Row } from './row.js';
import { ROWS, rowsOf } from './rows/index.js';
import { obstacle, runRow } from './runner.js';
import { detailsOf, lineOf, machineOf, tableOf } from './table.js';

const USAGE = `bench [NAME...] [--quick] [--rounds N] [--seconds S] [--window N] [--markdown] [--json FILE] [--profile]

  NAME        rows, or the part of their names before a "-" (publish); default: all but the large ones
  --quick     few records, short times: shows that a row works
  --rounds    runs of each side (${FULL.rounds})
  --seconds   counted time of a run (${FULL.measureMs / 1000})
  --window    operations outstanding (${FULL.window})
  --markdown  the table as Markdown
  --json      writes all runs to a file, too
  --profile   instead of measuring: where the time of our side goes, by package and module

${ROWS.map(({ name, what, large }) => `  ${name.padEnd(18)} ${what}${large ? ' (large)' : ''}`).join('\n')}`;

/** Load average up to which the machine counts as idle. */
const QUIET = 0.5;

interface Arguments {
  readonly rows: readonly Row[];
  readonly effort: Effort;
  readonly markdown: boolean;
  readonly profile: boolean;
  readonly json: string | undefined;
}

function above0(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const number = Number(text);
  if (number > 0 && Number.isFinite(number)) return number;
  throw new Error(`--${name} must be a number above 0, not ${JSON.stringify(text)}`);
}

/** null: it was asked how it is used. */
function readArguments(args: string[]): Arguments | null {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      quick: { type: 'boolean', default: false },
      rounds: { type: 'string' },
      seconds: { type: 'string' },
      window: { type: 'string' },
      markdown: { type: 'boolean', default: false },
      json: { type: 'string' },
      profile: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return null;
  const usual = values.quick ? QUICK : FULL;
  return {
    rows: rowsOf(positionals),
    effort: {
      ...usual,
      rounds: Math.ceil(above0('rounds', values.rounds) ?? usual.rounds),
      window: Math.ceil(above0('window', values.window) ?? usual.window),
      measureMs: (above0('seconds', values.seconds) ?? usual.measureMs / 1000) * 1000,
    },
    markdown: values.markdown,
    profile: values.profile,
    json: values.json,
  };
}

async function measure(row: Row, effort: Effort): Promise<RowReport> {
  const { unit } = row;
  const runs = await runRow(row, effort, (side, round, { value }) => {
    const name = side === 'ours' ? 'ours' : row.against!.name;
    console.error(`  ${row.name}, round ${round} of ${effort.rounds}: ${name} ${value.toPrecision(3)} ${unit}`);
  });
  const report = reportOf(runs, effort);
  console.error(lineOf(report));
  return report;
}

function print(reports: readonly RowReport[], machine: Machine, { effort, markdown }: Arguments): void {
  console.log(`\n${machineOf(machine)}\n\n${tableOf(reports, markdown)}\n\n${detailsOf(reports)}`);
  if (effort.scale < 1) console.log('\nOf so few records and so short times the figures mean nothing.');
  else if (machine.loadBefore > QUIET) console.log('\nThe machine was not quiet: run it again before you believe it.');
}

async function main(args: Arguments): Promise<void> {
  const { rows, effort, profile, json } = args;
  const machine = thisMachine();
  const reports: RowReport[] = [];
  for (const row of rows) {
    const missing = obstacle(row);
    if (missing !== undefined) {
      console.error(`${row.name}: left out, ${missing}`);
      continue;
    }
    try {
      if (profile) await printProfile(row, effort);
      else reports.push(await measure(row, effort));
    } catch (error) {
      // The others can still be measured.
      console.error(`${row.name} failed:`, error);
      process.exitCode = 1;
    }
  }
  if (profile) return;
  if (reports.length > 0) print(reports, machine, args);
  if (json !== undefined) writeFileSync(json, `${JSON.stringify({ machine, effort, rows: reports }, null, 2)}\n`);
}

try {
  const args = readArguments(process.argv.slice(2));
  if (!args) console.log(USAGE);
  else {
    main(args).catch((error: unknown) => {
      console.error(error);
      process.exitCode = 1;
    });
  }
} catch (error) {
  console.error(`${(error as Error).message}\n\n${USAGE}`);
  process.exitCode = 2;
}
