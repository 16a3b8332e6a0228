import { join } from 'node:path';
import { openStore } from '@pua/store';
import { inFolder } from '../load/folder.js';
import { PRESENTITIES, publishing } from '../load/publishing.js';
import { RAW } from '../load/raw.js';
import type { Row } from '../row.js';

export const publishSqlite: Row = {
  name: 'publish-sqlite',
  what: 'sendPublish, written behind to SQLite: acknowledged and on disk',
  unit: 'k/s',
  n: PRESENTITIES,
  goal: { atLeast: 0.25 },
  ours: (effort) => inFolder((folder) => publishing(effort, { store: openStore(`sqlite:${join(folder, 'pua.db')}`) })),
  against: RAW,
};
