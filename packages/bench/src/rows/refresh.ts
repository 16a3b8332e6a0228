import { RAW } from '../load/raw.js';
import { refreshing } from '../load/refreshing.js';
import { type Row, scaled } from '../row.js';

export const RECORDS = 100_000;

export const refresh: Row = {
  name: 'refresh',
  what: 'publications refreshed that are due at the same time',
  unit: 'k/s',
  n: RECORDS,
  goal: { atLeast: 0.45 },
  ours: (effort) => refreshing(scaled(RECORDS, effort), effort),
  against: RAW,
};
