/** One run of one side of a row, in a process of its own; the parent names it, and gets the result. */
import { rowOf } from './rows/index.js';
import type { Job } from './runner.js';

async function run({ row, side, effort }: Job): Promise<void> {
  const { ours, against } = rowOf(row);
  const measure = side === 'ours' ? ours : against?.measure;
  if (!measure) throw new Error(`row ${row} has no other side`);
  const sample = await measure(effort);
  process.send!(sample, () => process.disconnect());
}

process.once('message', (job) => {
  run(job as Job).catch((error: unknown) => {
    console.error(error);
    process.exitCode = 1;
    // A peer that is still up would keep the process alive.
    process.exit();
  });
});
