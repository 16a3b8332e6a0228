import { PRESENTITIES, publishing } from '../load/publishing.js';
import { RAW } from '../load/raw.js';
import type { Row } from '../row.js';

export const publishMemory: Row = {
  name: 'publish-memory',
  what: 'sendPublish, storage off',
  unit: 'k/s',
  n: PRESENTITIES,
  goal: { atLeast: 0.45 },
  ours: (effort) => publishing(effort),
  against: RAW,
};
