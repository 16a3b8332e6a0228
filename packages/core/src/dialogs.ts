/** Questions about dialogs that modules ask (`is_dialog`, `get_record_id`, `get_subs_list`, `pua_update_contact`). */
import type { DialogQuery } from './api.js';
import { checkUri } from './arguments.js';
import type { Clock } from './ports/runtime.js';
import type { Records } from './records.js';
import { alive } from './subscription/parts.js';

export class Dialogs {
  constructor(
    readonly records: Records,
    readonly clock: Clock,
  ) {}

  state(dialog: DialogQuery): 'established' | 'provisional' | 'unknown' {
    const record = this.records.dialog(dialog.callId, dialog.fromTag, dialog.toTag);
    const same = record?.identity.presUri === dialog.presUri && record.identity.watcherUri === dialog.watcherUri;
    if (!record || !same) return 'unknown';
    if (!alive(record.state, this.clock.now())) return 'provisional';
    return record.state.remoteTag === dialog.toTag ? 'established' : 'unknown';
  }

  recordId(dialog: DialogQuery): string | undefined {
    if (this.state(dialog) === 'unknown') return undefined;
    return this.records.dialog(dialog.callId, dialog.fromTag, dialog.toTag)?.identity.id;
  }

  /** Looks at every record: meant for list servers at the pace of their own requests. */
  presentities(id: string): readonly string[] {
    const found = new Set<string>();
    for (const record of this.records.all()) {
      if (record.kind === 'subscription' && record.identity.id === id) found.add(record.identity.presUri);
    }
    return [...found];
  }

  updateContact(dialog: Pick<DialogQuery, 'callId' | 'toTag' | 'fromTag'>, contact: string): boolean {
    const record = this.records.dialog(dialog.callId, dialog.fromTag, dialog.toTag);
    const target = checkUri('contact', contact);
    if (!record || record.state.remoteTag !== dialog.toTag || !alive(record.state, this.clock.now())) return false;
    record.retarget(target);
    return true;
  }
}
