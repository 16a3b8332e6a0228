/** `npm run bench`: runs the rows and prints the table. */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { detailsOf, loadAverage, reportOf, tableOf } from './report.js';
import { type Load, USUAL } from './row.js';
import { ROWS, rowOf } from './rows/index.js';
import { runAll } from './runner.js';

const USAGE = `bench [--rounds N] [--seconds S] [--warm-up S] [--window N] [--rows a,b,..] [--json FILE]

  --rounds   each row so often, in turn (5)
  --seconds  counted time of a run (3)
  --warm-up  time before it (1, and ${USUAL.warmUpOperations} operations)
  --window   operations outstanding (200)
  --rows     only these, in this order: ${ROWS.map((row) => row.name).join(', ')}
  --json     writes all runs to a file, too`;

/** Load average up to which the machine counts as idle. */
const QUIET = 0.5;

interface Arguments {
  readonly rounds: number;
  readonly load: Load;
  readonly rows: readonly string[];
  readonly json: string | undefined;
}

function positive(name: string, value: string): number {
  const number = Number(value);
  if (number > 0 && Number.isFinite(number)) return number;
  throw new Error(`--${name} must be a number above 0, not ${JSON.stringify(value)}`);
}

function readArguments(args: string[]): Arguments | null {
  const { values } = parseArgs({
    args,
    options: {
      rounds: { type: 'string', default: '5' },
      seconds: { type: 'string', default: '3' },
      'warm-up': { type: 'string', default: '1' },
      window: { type: 'string', default: '200' },
      rows: { type: 'string', default: ROWS.map((row) => row.name).join(',') },
      json: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return null;
  return {
    rounds: Math.ceil(positive('rounds', values.rounds)),
    load: {
      ...USUAL,
      window: Math.ceil(positive('window', values.window)),
      warmUpMs: positive('warm-up', values['warm-up']) * 1000,
      measureMs: positive('seconds', values.seconds) * 1000,
    },
    rows: values.rows.split(','),
    json: values.json,
  };
}

async function main(args: Arguments): Promise<void> {
  const { rounds, load, json } = args;
  const rows = args.rows.map(rowOf);
  const loadBefore = loadAverage();
  const results = await runAll(rows, rounds, load, (row, round, { rate }) => {
    console.error(`round ${round} of ${rounds}: ${row.name.padEnd(8)} ${(rate / 1000).toFixed(1)} k/s`);
  });
  const report = reportOf(results, load, loadBefore);
  console.log(`\n${rows.map((row) => `${row.name.padEnd(8)} ${row.title}`).join('\n')}\n`);
  console.log(`${tableOf(report)}\n\n${detailsOf(report)}`);
  if (loadBefore > QUIET) {
    console.log(
      `\nload average before: ${loadBefore.toFixed(1)}; the rows need two cores for themselves, run it again when it is quiet`,
    );
  }
  if (json !== undefined) writeFileSync(json, `${JSON.stringify(report, null, 2)}\n`);
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
