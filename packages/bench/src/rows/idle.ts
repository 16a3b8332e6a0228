/** CPU of the whole process in a second in which nothing is due, the sweep left out. */
import { FEW, idlePua, MANY, nodeOptions } from '../load/idle-pua.js';
import { sleep } from '../load/stopwatch.js';
import { type Effort, type Row, type Sample, scaled } from '../row.js';

async function idling(records: number, { warmUpMs, measureMs }: Effort): Promise<Sample> {
  const pua = await idlePua(records);
  await sleep(warmUpMs);
  const from = process.cpuUsage();
  const began = performance.now();
  await sleep(measureMs);
  const { user, system } = process.cpuUsage(from);
  const seconds = (performance.now() - began) / 1000;
  await pua.stop();
  return { value: (user + system) / 1000 / seconds, details: {} };
}

export const idle: Row = {
  name: 'idle',
  what: 'CPU of a second with nothing due',
  unit: 'ms/s',
  n: MANY,
  nodeOptions,
  ours: (effort) => idling(scaled(MANY, effort), effort),
  against: { name: '1000 records', measure: (effort) => idling(scaled(FEW, effort), effort) },
};
