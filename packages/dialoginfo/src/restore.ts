/** Calls of the last run, read back from the documents of their records. */
import { type DialogParty, type PuaApi, type PuaRecord, SourceFlag } from '@pua/core';
import {
  type Dialog,
  type DialogIdentity,
  type DialogInfo,
  type DialogParticipant,
  readDialogInfo,
} from '@pua/documents';
import { type Before, type BySide, type Call, type Fork, NOTHING_BEFORE } from './call.js';
import type { Calls } from './calls.js';
import { type DialogId, otherSide, parseId, SIDES } from './ids.js';
import type { Settings } from './options.js';
import type { Publications } from './publications.js';
import { RANK } from './state.js';

/** How long a record without end (of another writer) is believed, ms. */
const ENDLESS_MS = 43_200_000;

/** Reads all records of this module back. What can't be read, or is over, is taken back. */
export function restore(pua: PuaApi, settings: Settings, calls: Calls, publications: Publications): void {
  const filter = { kind: 'publication', sourceFlag: SourceFlag.DIALOG_PUBLISH, event: 'dialog' } as const;
  const restored = new Set<Call>();
  for (const record of [...pua.list(filter)]) {
    const document = read(record);
    const ids = document?.dialogs.map(({ id }) => parseId(id)) ?? [];
    if (!document || !ids.every((id) => id !== undefined)) {
      publications.discard(record);
      continue;
    }
    const { clock } = pua;
    const until =
      record.desiredExpires === 0
        ? clock.now() + ENDLESS_MS
        : clock.now() + record.desiredExpires * 1000 - clock.wall();
    // With another setting of `aggregate` its dialogs belong elsewhere.
    if (ids.every((_, i) => publications.idFor(document.dialogs[i]!.id) === record.id))
      publications.adopt(record, document, until);
    else publications.discard(record);
    for (const [i, { duration: _, ...dialog }] of document.dialogs.entries()) {
      if (dialog.state === 'terminated') {
        publications.remove(record.presUri, dialog.id);
        continue;
      }
      const call = calls.known(ids[i]!.call);
      restored.add(call);
      call.until = Math.max(call.until, until);
      place(call, ids[i]!, dialog, record.presUri, settings);
      publications.list({
        presentity: record.presUri,
        entity: document.entity,
        dialog,
        startedAt: undefined,
        until,
      });
    }
  }
  for (const call of restored) {
    const rang = call.forks.some((fork) => RANK[fork.state] >= RANK.early);
    for (const side of SIDES) call.silent[side] = rang && call.forks.every((fork) => fork.listed[side].size === 0);
    for (const fork of call.forks) fork.before = withoutSame(fork.before);
    calls.keep(call);
  }
  publications.flush();
}

function read({ body }: PuaRecord): DialogInfo | undefined {
  if (body === null) return undefined;
  try {
    return readDialogInfo(body);
  } catch {
    return undefined;
  }
}

/** Puts what one document says of a dialog into its fork. */
function place(call: Call, id: DialogId, dialog: Dialog, presentity: string, settings: Settings): void {
  const fork = call.forks.find(({ part }) => part === id.fork) ?? added(call, id.fork);
  const { side } = id;
  // The caller's document may say `confirmed` for early.
  const state =
    settings.callerConfirmed === 1 && side === 'caller' && dialog.state === 'confirmed' ? 'early' : dialog.state;
  if (RANK[state] > RANK[fork.state]) fork.state = state;
  fork.answered ||= RANK[fork.state] >= RANK.early;
  fork.listed[side].add(presentity);
  const peer = otherSide(side);
  const { callId, localTag, remoteTag, local, remote, replaces, referredBy } = dialog;
  call.earlier = { ...call.earlier, ...defined({ replaces, referredBy }) };
  const known = fork.parties[peer];
  fork.parties = {
    ...fork.parties,
    [side]: { ...party(local), ...defined({ tag: localTag, peerTag: remoteTag, callId }) },
    // What the other side's own document says of it counts more.
    [peer]:
      known.tag === undefined ? { ...party(remote), ...known, uri: known.uri || (remote?.identity?.uri ?? '') } : known,
  };
  const { own, shown, presentities } = fork.before;
  fork.before = {
    own: { ...own, ...(local?.identity ? { [side]: local.identity } : {}) },
    shown: { ...shown, ...(remote?.identity ? { [peer]: remote.identity } : {}) },
    presentities: { ...presentities, [side]: [...(presentities[side] ?? []), presentity] },
  };
}

function added(call: Call, part: string): Fork {
  const fork: Fork = {
    part,
    branch: undefined,
    tag: undefined,
    state: 'trying',
    answered: false,
    parties: { caller: { uri: '' }, callee: { uri: '' } },
    reason: undefined,
    listed: { caller: new Set(), callee: new Set() },
    before: NOTHING_BEFORE,
  };
  call.forks.push(fork);
  return fork;
}

function party(from: DialogParticipant | undefined): DialogParty {
  const { identity, target } = from ?? {};
  const contact = target && target.uri !== identity?.uri ? target.uri : undefined;
  return { uri: identity?.uri ?? '', ...defined({ display: identity?.display, contact }) };
}

function defined<T extends object>(fields: T): Partial<T> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Partial<T>;
}

/** The other side sees what the side itself sees: it is not masked. */
function withoutSame({ own, shown, presentities }: Before): Before {
  const masks: Partial<BySide<DialogIdentity>> = {};
  for (const side of SIDES) if (shown[side] && shown[side].uri !== own[side]?.uri) masks[side] = shown[side];
  return { own, shown: masks, presentities };
}
