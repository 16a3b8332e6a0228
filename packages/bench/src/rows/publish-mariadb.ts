import { openStore } from '@pua/store';
import { launchMariadb } from '@pua/testkit';
import { PRESENTITIES, publishing } from '../load/publishing.js';
import { RAW } from '../load/raw.js';
import { prepareMariadb } from '../load/servers.js';
import type { Row } from '../row.js';

export const publishMariadb: Row = {
  name: 'publish-mariadb',
  what: 'sendPublish, written behind to MariaDB: acknowledged and on disk',
  unit: 'k/s',
  n: PRESENTITIES,
  needs: ['mariadb'],
  prepare: prepareMariadb,
  async ours(effort) {
    const mariadb = await launchMariadb();
    const { url } = await mariadb.createDatabase();
    try {
      return await publishing(effort, { store: openStore(url) });
    } finally {
      await mariadb.stop();
    }
  },
  against: RAW,
};
