/** Runs rows in turn, again and again, so that what else the machine does falls on all of them alike. */
import { fork } from 'node:child_process';
import { join } from 'node:path';
import type { Load, Measurement, Row } from './row.js';

export interface RowResult {
  readonly row: Row;
  readonly runs: readonly Measurement[];
}

/** Each run has a fresh process: no row meets the heap and the compiled code of another one. */
function runOnce(row: Row, load: Load): Promise<Measurement> {
  return new Promise((resolve, reject) => {
    const child = fork(join(__dirname, 'run-row.js'), [row.name, JSON.stringify(load)]);
    let measurement: Measurement | undefined;
    child.once('message', (message) => {
      measurement = message as Measurement;
    });
    child.once('error', reject);
    child.once('exit', (code) => {
      if (measurement) resolve(measurement);
      else reject(new Error(`row ${row.name} ended with ${code} and no result`));
    });
  });
}

export async function runAll(
  rows: readonly Row[],
  rounds: number,
  load: Load,
  progress: (row: Row, round: number, measurement: Measurement) => void,
): Promise<readonly RowResult[]> {
  const results = rows.map((row) => ({ row, runs: [] as Measurement[] }));
  for (let round = 1; round <= rounds; round++) {
    for (const { row, runs } of results) {
      const measurement = await runOnce(row, load);
      runs.push(measurement);
      progress(row, round, measurement);
    }
  }
  return results;
}
