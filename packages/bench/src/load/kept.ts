/** Publications as the last run left them: rows of 800-byte documents, all different. */
import { EventFlag, type OpenedStore, type PuaRow, SourceFlag, type StorePort, type StoreStatus } from '@pua/core';
import { openStore } from '@pua/store';
import { pidf, presentity } from './document.js';

/** Rows that are on their way to a database at any time while it is filled. */
const FILL_GROUP = 10_000;

/** `expires`: end of the granted lifetime, seconds since 1970. The caller's own lifetime is without end. */
export function publicationRow(serial: number, expires: number): PuaRow {
  const presUri = presentity(serial);
  return {
    pres_uri: presUri,
    pres_id: '',
    event: EventFlag.PRESENCE_EVENT,
    expires,
    desired_expires: 0,
    flag: SourceFlag.RPC_PUBLISH,
    etag: `etag${serial}`,
    tuple_id: null,
    watcher_uri: '',
    call_id: '',
    to_tag: '',
    from_tag: '',
    cseq: 0,
    record_route: null,
    contact: '',
    remote_contact: '',
    version: 1,
    extra_headers: '',
    record_key: `p|${EventFlag.PRESENCE_EVENT}|${SourceFlag.RPC_PUBLISH}|${presUri}|`,
    event_name: 'presence',
    document: pidf(presUri, serial),
    content_type: 'application/pidf+xml',
    outbound_proxy: null,
    remote_cseq: 0,
    subscription_state: '',
    min_expires: 0,
    asked_expires: -1,
    pending: 0,
    not_before: 0,
    more: null,
  };
}

/** Gives `count` publications with a granted lifetime (seconds) when it is read, and keeps nothing: storage is off. */
export class KeptPublications implements StorePort {
  private changes = 0;
  private awaited = Number.POSITIVE_INFINITY;
  private reached: (() => void) | undefined;

  constructor(
    private readonly count: number,
    private readonly lifetime: number,
  ) {}

  async open(): Promise<OpenedStore> {
    return { rows: this.count, unclean: false };
  }

  async load(pageSize: number, onPage: (rows: readonly PuaRow[]) => void): Promise<void> {
    const expires = Math.round(Date.now() / 1000) + this.lifetime;
    for (let first = 0; first < this.count; first += pageSize) {
      const length = Math.min(pageSize, this.count - first);
      onPage(Array.from({ length }, (_, i) => publicationRow(first + i, expires)));
    }
  }

  /** A refresh is one change: its answer. */
  changed(): number {
    if (++this.changes === this.awaited) this.reached?.();
    return this.changes;
  }

  /** Resolves after so many further changes. */
  further(changes: number): Promise<void> {
    this.awaited = this.changes + changes;
    return new Promise((resolve) => {
      this.reached = resolve;
    });
  }

  status(): StoreStatus {
    return { durable: this.changes, last: this.changes, pending: 0, error: null };
  }

  onDurable(): void {}
  onLeaseLost(): void {}
  async flush(): Promise<void> {}
  async close(): Promise<void> {}
}

/** Writes so many rows, whose lifetime ends in a day, into a database. */
export async function fill(url: string, count: number): Promise<void> {
  const store = openStore(url);
  await store.open();
  const expires = Math.round(Date.now() / 1000) + 86_400;
  for (let serial = 0; serial < count; serial++) {
    const row = publicationRow(serial, expires);
    store.changed({ key: row.record_key, row: () => row });
    if (serial % FILL_GROUP === FILL_GROUP - 1) await store.flush();
  }
  await store.close();
}
