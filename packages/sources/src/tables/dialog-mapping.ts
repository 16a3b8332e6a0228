/** Rows of `dialog` as calls (spec of dialoginfo: a row is one call, whose key is hash_entry:hash_id). */
import type { DialogEvent, DialogEventKind, DialogParty, DialogSnapshot, DialogState } from '@pua/core';
import { CONFIRMED_NA, type Dialog, dialogOf, EARLY } from './dialog-rows.js';
import type { Meaning, Time } from './table-source.js';
import { known, text } from './values.js';

export const dialogMeaning: Meaning<DialogEvent, DialogSnapshot> = {
  item: (row, time) => snapshotOf(dialogOf(row.text), time),
  appeared(row, time) {
    const dialog = dialogOf(row.text);
    return { kind: kindOf(dialog), dialog: snapshotOf(dialog, time) };
  },
  changed(row, before, time) {
    const dialog = dialogOf(row.text);
    const kind = kindOf(dialog);
    return { kind: kind === kindOf(dialogOf(before.text)) ? 'updated' : kind, dialog: snapshotOf(dialog, time) };
  },
  ended(row, late, time) {
    // Who ended an answered call, or why nobody answered, the table does not tell.
    const { lifetime: _, ...dialog } = snapshotOf(dialogOf(row.text), time);
    return late
      ? { kind: 'expired', dialog: { ...dialog, state: 'terminated', reason: { event: 'timeout' } } }
      : { kind: 'terminated', dialog: { ...dialog, state: 'terminated' } };
  },
};

const STATES: Readonly<Record<'created' | 'early' | 'confirmed', DialogState>> = {
  created: 'trying',
  early: 'early',
  confirmed: 'confirmed',
};

function kindOf({ state }: Dialog): keyof typeof STATES & DialogEventKind {
  const number = Number(state);
  return number >= CONFIRMED_NA ? 'confirmed' : number === EARLY ? 'early' : 'created';
}

function snapshotOf(row: Dialog, time: Time): DialogSnapshot {
  const kind = kindOf(row);
  const party = (uri: unknown, tag: unknown, contact: unknown): DialogParty =>
    known({ uri: String(uri), tag: text(tag), contact: text(contact) });
  const answered = kind === 'confirmed' && Number(row.start_time) > 0;
  const timeout = kind === 'confirmed' ? Number(row.timeout) : 0;
  return known({
    key: row.key,
    callId: String(row.callid),
    caller: party(row.from_uri, row.from_tag, row.caller_contact),
    callee: party(row.to_uri, row.to_tag, row.callee_contact),
    requestUri: text(row.req_uri),
    state: STATES[kind],
    answeredAt: answered ? time.wall(Number(row.start_time)) : undefined,
    lifetime: timeout > 0 ? Math.max(0, Math.round(timeout - time.now())) : undefined,
    flags: Number(row.sflags),
    vars: Object.keys(row.vars).length > 0 ? row.vars : undefined,
  });
}
