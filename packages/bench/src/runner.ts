/** Runs both sides of a row in turn, again and again, so that what else the machine does falls on both alike. */
import { fork } from 'node:child_process';
import { join } from 'node:path';
import { missingPeers } from '@pua/testkit';
import type { Effort, Prepared, Row, Sample } from './row.js';

export type Side = 'ours' | 'against';

export interface Job {
  readonly row: string;
  readonly side: Side;
  readonly effort: Effort;
}

export interface RowRuns {
  readonly row: Row;
  readonly ours: readonly Sample[];
  /** As many; empty when there is no other side. */
  readonly against: readonly Sample[];
}

/** Why a row can't run here; undefined: it can. */
export function obstacle({ needs = [] }: Row): string | undefined {
  const { command } = missingPeers(needs);
  return command === '' ? undefined : `${needs.join(', ')} not installed: ${command}`;
}

/** One run of one side. @throws Error (by rejection) when it gives no result */
export function runOnce(
  row: Row,
  side: Side,
  effort: Effort,
  env: Prepared['env'] = {},
  profiler: readonly string[] = [],
): Promise<Sample> {
  return new Promise((resolve, reject) => {
    const child = fork(join(__dirname, 'run-side.js'), {
      execArgv: [...(row.nodeOptions ?? []), ...profiler],
      env: { ...process.env, ...env },
    });
    let sample: Sample | undefined;
    child.once('message', (message) => {
      sample = message as Sample;
    });
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      if (sample) resolve(sample);
      else reject(new Error(`row ${row.name}, ${side}: ended with ${code ?? signal} and no result`));
    });
    const job: Job = { row: row.name, side, effort };
    child.send(job);
  });
}

/** @throws Error (by rejection) when a side gives no result */
export async function runRow(
  row: Row,
  effort: Effort,
  progress: (side: Side, round: number, sample: Sample) => void,
): Promise<RowRuns> {
  const prepared = await row.prepare?.(effort);
  const runs = { ours: [] as Sample[], against: [] as Sample[] };
  const sides: Side[] = row.against ? ['ours', 'against'] : ['ours'];
  try {
    for (let round = 1; round <= effort.rounds; round++) {
      // Who begins changes, so that neither always comes after the other.
      for (const side of round % 2 === 1 ? sides : sides.toReversed()) {
        const sample = await runOnce(row, side, effort, prepared?.env);
        runs[side].push(sample);
        progress(side, round, sample);
      }
    }
  } finally {
    await prepared?.end();
  }
  return { row, ...runs };
}
