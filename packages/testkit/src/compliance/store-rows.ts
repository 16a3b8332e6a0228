/** Rows to test a store with. */
import type { PuaRow, RowSource } from '@pua/core';

export function publicationRow(key: string, change: Partial<PuaRow> = {}): PuaRow {
  return {
    pres_uri: 'sip:alice@example.com',
    pres_id: '',
    event: 1,
    expires: 1_700_000_000,
    desired_expires: 0,
    flag: 2,
    etag: 'e1',
    tuple_id: null,
    watcher_uri: '',
    call_id: '',
    to_tag: '',
    from_tag: '',
    cseq: 0,
    record_route: null,
    contact: '',
    remote_contact: '',
    version: 0,
    extra_headers: '',
    record_key: key,
    event_name: 'presence',
    document: null,
    content_type: null,
    outbound_proxy: null,
    remote_cseq: 0,
    subscription_state: '',
    min_expires: 0,
    asked_expires: -1,
    pending: 0,
    not_before: 0,
    more: null,
    ...change,
  };
}

/** Of a dialog: with watcher and Call-ID. */
export function subscriptionRow(key: string, change: Partial<PuaRow> = {}): PuaRow {
  return publicationRow(key, { etag: '', watcher_uri: 'sip:bob@example.com', call_id: `${key}@host`, ...change });
}

/** A different value in every column, with what databases like to spoil. */
export function fullRow(key: string, change: Partial<PuaRow> = {}): PuaRow {
  return {
    pres_uri: 'sip:ælice%20"\'`@example.com',
    pres_id: '漢字\u{1f600}',
    event: 256,
    expires: 2_000_000_001,
    desired_expires: 2_000_000_002,
    flag: 8192,
    etag: 'ETag ',
    tuple_id: 't\\1\n\r\t',
    watcher_uri: 'sip:wätcher@example.com',
    call_id: 'call-id@host',
    to_tag: 'to',
    from_tag: 'from',
    cseq: 2_000_000_003,
    record_route: '<sip:p1.example.com;lr>,<sip:p2.example.com;lr>',
    contact: 'sip:us@192.0.2.1',
    remote_contact: 'sip:them@192.0.2.2',
    version: 17,
    extra_headers: 'X-One: 1\r\nX-Two: 2\r\n',
    record_key: key,
    event_name: 'dialog;sla',
    document: '<?xml version="1.0"?><presence>ß漢\u{1f600}\n</presence>',
    content_type: 'application/pidf+xml',
    outbound_proxy: 'sip:proxy.example.com;lr',
    remote_cseq: 2_000_000_004,
    subscription_state: 'pending',
    min_expires: 61,
    asked_expires: 3600,
    pending: 5,
    not_before: 2_000_000_005,
    more: '{"a":[1,null]}',
    ...change,
  };
}

/** A record whose state a test changes at will; counts how often it was asked. */
export class RowHolder implements RowSource {
  asked = 0;

  constructor(
    readonly key: string,
    public state: PuaRow | null,
  ) {}

  row(): PuaRow | null {
    this.asked++;
    return this.state;
  }
}
