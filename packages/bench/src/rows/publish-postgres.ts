import { openStore } from '@pua/store';
import { launchPostgres } from '@pua/testkit';
import { PRESENTITIES, publishing } from '../load/publishing.js';
import { RAW } from '../load/raw.js';
import { preparePostgres } from '../load/servers.js';
import type { Row } from '../row.js';

export const publishPostgres: Row = {
  name: 'publish-postgres',
  what: 'sendPublish, written behind to PostgreSQL: acknowledged and on disk',
  unit: 'k/s',
  n: PRESENTITIES,
  needs: ['postgres'],
  prepare: preparePostgres,
  async ours(effort) {
    const postgres = await launchPostgres();
    const { url } = await postgres.createDatabase();
    try {
      return await publishing(effort, { store: openStore(url) });
    } finally {
      await postgres.stop();
    }
  },
  against: RAW,
};
