/** The product as it starts after a stop: `restorer.js DB_URL`. Tells its parent when all records are enlisted. */
import { createPua } from '@pua/core';
import { presence } from '@pua/documents';
import { embeddedSip } from '@pua/sip';
import { openStore } from '@pua/store';

export interface Restored {
  readonly records: number;
  readonly scheduled: number;
  /** CPU time of the process so far, milliseconds. */
  readonly cpuMs: number;
  readonly rssBytes: number;
}

async function main(): Promise<void> {
  const pua = createPua({
    sip: embeddedSip({ listen: ['udp:127.0.0.1:0'] }),
    store: openStore(process.argv[2]!),
    // Nothing is due, so nobody need be there.
    outboundProxy: 'sip:127.0.0.1:9',
  });
  pua.addEvent(presence);
  await pua.start();
  const { records, scheduled } = pua.stats();
  const { user, system } = process.cpuUsage();
  const restored: Restored = {
    records: records.publications,
    scheduled,
    cpuMs: (user + system) / 1000,
    rssBytes: process.memoryUsage.rss(),
  };
  process.send!(restored);
  process.once('message', () => void pua.stop().then(() => process.disconnect()));
}

main().catch((error: unknown) => {
  console.error(error);
  process.exit(1);
});
