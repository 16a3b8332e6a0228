/**
 * The port to storage, mode 0: memory is the truth, changes are written behind in groups and survive a restart.
 * Times in rows are wall time, seconds since 1970.
 */

/** Columns of the table `pua` (Kamailio's version 7, by their names) and, from recordKey on, our own. */
export interface PuaRow {
  readonly pres_uri: string;
  /** The caller's id of the record; empty when it gave none. */
  readonly pres_id: string;
  /** Event flag, see flags.ts. */
  readonly event: number;
  /** End of the lifetime that the server granted; in the past when the server holds nothing of ours. */
  readonly expires: number;
  /** End of the lifetime that was asked for; 0 = for ever. */
  readonly desired_expires: number;
  /** Source flag. */
  readonly flag: number;
  readonly etag: string;
  readonly tuple_id: string | null;
  /** Empty for a publication. */
  readonly watcher_uri: string;
  readonly call_id: string;
  readonly to_tag: string;
  readonly from_tag: string;
  readonly cseq: number;
  /** Route set as a name-addr list, in route-set order. */
  readonly record_route: string | null;
  readonly contact: string;
  readonly remote_contact: string;
  readonly version: number;
  readonly extra_headers: string;

  /** Unique; see recordKey(). */
  readonly record_key: string;
  readonly event_name: string;
  readonly document: string | Uint8Array | null;
  readonly content_type: string | null;
  readonly outbound_proxy: string | null;
  /** Last CSeq seen in a NOTIFY; 0 = none. */
  readonly remote_cseq: number;
  /** Subscription-State of the last NOTIFY: active, pending or empty. */
  readonly subscription_state: string;
  /** Learned Min-Expires of the record's target, seconds; 0 = none. */
  readonly min_expires: number;
  /** Lifetime the caller asked for, seconds; -1 = default, for ever. */
  readonly asked_expires: number;
  /** What is still to be done, bits: see row.ts of the machines; 0 = server and wish agree. */
  readonly pending: number;
  /** Nothing goes out for this record before then, whoever asks (Retry-After); 0 = no such time. */
  readonly not_before: number;
  /** Rarely used attributes as JSON; null when all have their defaults. */
  readonly more: string | null;
}

/** What the store asks for the newest state of a record when it writes it. */
export interface RowSource {
  readonly key: string;
  /** null: the record is gone, its row is to be deleted. */
  row(): PuaRow | null;
}

export interface StoreStatus {
  /** Number of the last change that is on disk. */
  readonly durable: number;
  /** Number of the last change that was reported. */
  readonly last: number;
  /** Records that wait to be written. */
  readonly pending: number;
  /** Last failure, until a write succeeds again. */
  readonly error: Error | null;
}

export interface OpenedStore {
  /** Rows that were found. */
  readonly rows: number;
  /** The last holder stopped without closing: CSeqs of all dialogs have been raised by 1000 on disk. */
  readonly unclean: boolean;
}

export interface StorePort {
  /**
   * Creates or checks the table, takes the lease on it.
   * @throws PuaError `PUA_ERR_STORE_HELD` (names the holder), `PUA_ERR_STORE_VERSION`, `PUA_ERR_STORE_OPEN`
   */
  open(): Promise<OpenedStore>;
  /** Reads all rows in pages of at most `pageSize`; the next page is read after `onPage` has returned. */
  load(pageSize: number, onPage: (rows: readonly PuaRow[]) => void): Promise<void>;
  /**
   * A record has changed. Never waits, never throws; writing starts within 50 ms (configurable). Changes of one
   * record that meet before the write are written once. Returns the number of the change.
   */
  changed(source: RowSource): number;
  status(): StoreStatus;
  /** Called after each group that reached the disk, with the durable mark. */
  onDurable(listener: (durable: number) => void): void;
  /** The lease is lost: another process owns the table, nothing is written any more. */
  onLeaseLost(listener: (holder: string) => void): void;
  /** Resolves when all that was reported up to now is on disk. */
  flush(): Promise<void>;
  /** Flushes, marks the stop as clean, gives the lease back. */
  close(): Promise<void>;
}
