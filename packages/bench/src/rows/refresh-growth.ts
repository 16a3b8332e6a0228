import { refreshing } from '../load/refreshing.js';
import { type Row, scaled } from '../row.js';
import { RECORDS } from './refresh.js';

const FEW = 1_000;

/** The same when few are due; what is left between them is the memory, which no cache holds. */
export const refreshGrowth: Row = {
  name: 'refresh-growth',
  what: 'refreshes per second, many due against few due',
  unit: 'k/s',
  n: RECORDS,
  goal: { atLeast: 0.8 },
  ours: (effort) => refreshing(scaled(RECORDS, effort), effort),
  against: { name: '1000 due', measure: (effort) => refreshing(scaled(FEW, effort), effort) },
};
