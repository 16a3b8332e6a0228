/** The sweep of `update_period` with nothing overdue. It looks at every record, so what counts is the cost of one. */
import { FEW, idlePua, MANY, nodeOptions } from '../load/idle-pua.js';
import { medianTime } from '../load/stopwatch.js';
import { type Effort, type Row, type Sample, scaled } from '../row.js';

async function sweeping(records: number, effort: Effort): Promise<Sample> {
  const pua = await idlePua(records);
  const ms = medianTime(effort, () => {
    if (pua.cleanup() > 0) throw new Error('something was overdue');
  });
  await pua.stop();
  return { value: (ms / records) * 1e6, details: { 'ms each': ms } };
}

export const sweep: Row = {
  name: 'sweep',
  what: 'a record looked at by the sweep (each update_period, 100 s)',
  unit: 'ns/record',
  n: MANY,
  nodeOptions,
  ours: (effort) => sweeping(scaled(MANY, effort), effort),
  against: { name: '1000 records', measure: (effort) => sweeping(scaled(FEW, effort), effort) },
};
