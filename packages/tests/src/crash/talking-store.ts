/** A store that says every change and every durable mark of the one behind it. */
import type { OpenedStore, PuaRow, RowSource, StorePort, StoreStatus } from '@pua/core';
import { type Line, type Mutant, noteOf, type Snapshot } from './protocol.js';

export function snapshotOf(row: PuaRow): Snapshot {
  return {
    etag: row.etag,
    note: noteOf(row.document),
    pending: row.pending,
    expires: row.expires,
    callId: row.call_id,
    fromTag: row.from_tag,
    toTag: row.to_tag,
    cseq: row.cseq,
  };
}

/** What a stop that was not clean adds to the CSeq of every dialog. */
const RAISE = 1000;

export class TalkingStore implements StorePort {
  unclean = false;

  constructor(
    private readonly store: StorePort,
    private readonly say: (line: Line) => void,
    private readonly mutant: Mutant | undefined,
  ) {
    if (mutant !== 'early-mark') store.onDurable((mark) => say({ is: 'durable', mark }));
  }

  async open(): Promise<OpenedStore> {
    const opened = await this.store.open();
    this.unclean = opened.unclean;
    return opened;
  }

  load(pageSize: number, onPage: (rows: readonly PuaRow[]) => void): Promise<void> {
    if (this.mutant !== 'no-raise' || !this.unclean) return this.store.load(pageSize, onPage);
    const lowered = (row: PuaRow) => (row.call_id === '' ? row : { ...row, cseq: row.cseq - RAISE });
    return this.store.load(pageSize, (rows) => onPage(rows.map(lowered)));
  }

  changed(source: RowSource): number {
    const number = this.store.changed(source);
    const row = source.row();
    this.say({ is: 'change', number, key: source.key, row: row && snapshotOf(row) });
    if (this.mutant === 'early-mark') this.say({ is: 'durable', mark: number });
    return number;
  }

  status(): StoreStatus {
    return this.store.status();
  }

  onDurable(listener: (durable: number) => void): void {
    this.store.onDurable(listener);
  }

  onLeaseLost(listener: (holder: string) => void): void {
    this.store.onLeaseLost(listener);
  }

  flush(): Promise<void> {
    return this.store.flush();
  }

  close(): Promise<void> {
    return this.store.close();
  }
}
