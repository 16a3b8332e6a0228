/** Reads the rows of the last run back into records. */

import type { EventRegistry } from './events.js';
import { channels } from './observe.js';
import type { PuaRow, StorePort } from './ports/store.js';
import { PublicationRecord } from './publication/record.js';
import { publicationFromRow } from './publication/row.js';
import type { AnyRecord, Host, Identity } from './record.js';
import type { Records } from './records.js';
import { SubscriptionRecord } from './subscription/record.js';
import { subscriptionFromRow } from './subscription/row.js';

/** A row that can't be read is reported on `pua:fault` and left alone in the table. */
export async function restore(
  store: StorePort,
  pageSize: number,
  host: Host,
  events: EventRegistry,
  records: Records,
): Promise<void> {
  await store.load(pageSize, (rows) => {
    for (const row of rows) {
      try {
        records.add(recordFrom(row));
      } catch (error) {
        channels.fault.publish({ type: 'fault', where: `row ${row.record_key} of the table`, error });
      }
    }
  });

  function recordFrom(row: PuaRow): AnyRecord {
    // Rows of Kamailio have the flag alone; a flag of ours may have been assigned to another event meanwhile.
    const event = events.get(row.event_name === '' ? row.event : row.event_name);
    const identity: Identity = {
      key: row.record_key,
      presUri: row.pres_uri,
      watcherUri: row.watcher_uri,
      id: row.pres_id,
      event,
      source: row.flag,
    };
    const { random } = host.context();
    if (row.watcher_uri === '')
      return new PublicationRecord(host, identity, publicationFromRow(row, host.wallClock(), random));
    const { state, settings, extraHeaders } = subscriptionFromRow(row, host.wallClock(), random, (contact) =>
      host.sip.isOwnContact(contact),
    );
    return new SubscriptionRecord(
      host,
      identity,
      { settings, extraHeaders, outboundProxy: row.outbound_proxy ?? '' },
      state,
    );
  }
}
