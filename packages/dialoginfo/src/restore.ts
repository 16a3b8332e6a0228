/** Calls of the last run: read back from the documents of their records, and compared with the first that is told of them now. */
import { type DialogParty, type DialogSnapshot, type PuaApi, type PuaRecord, SourceFlag } from '@pua/core';
import {
  type Dialog,
  type DialogIdentity,
  type DialogInfo,
  type DialogParticipant,
  readDialogInfo,
} from '@pua/documents';
import { type Before, type BySide, type Call, type Fork, NOTHING_BEFORE, newFork } from './call.js';
import type { Calls } from './calls.js';
import { fault } from './fault.js';
import { addressedIdentity, type View } from './identity.js';
import { type DialogId, otherSide, parseId, SIDES, type Side } from './ids.js';
import type { Settings } from './options.js';
import { presentitiesOf } from './presentities.js';
import type { Publications } from './publications.js';
import { RANK } from './state.js';

/** How long a record without end (of another writer) is believed, ms. */
const ENDLESS_MS = 43_200_000;

/** Documents that are read in one go, about 20 ms; then the event loop has its turn. */
const STEP = 50;

/** What a restore works on. */
export interface Restoring {
  readonly pua: PuaApi;
  readonly settings: Settings;
  readonly calls: Calls;
  readonly publications: Publications;
  /** It may take its time; true: no longer wanted. */
  stopped(): boolean;
}

/** Reads all records of this module back. What can't be read, or is over, is taken back. */
export async function restore(work: Restoring): Promise<void> {
  const { pua, calls, publications } = work;
  const filter = { kind: 'publication', sourceFlag: SourceFlag.DIALOG_PUBLISH, event: 'dialog' } as const;
  const restored = new Set<Call>();
  for (const [index, record] of [...pua.list(filter)].entries()) {
    if (index % STEP === STEP - 1) await new Promise<void>((resolve) => void pua.clock.after(0, resolve));
    if (work.stopped()) return;
    try {
      readBack(work, record, restored);
    } catch (error) {
      fault(error, `record of ${record.presUri}`);
    }
  }
  for (const call of restored) {
    const rang = call.forks.some((fork) => RANK[fork.state] >= RANK.early);
    for (const side of SIDES) if (rang) noteSilence(call, side);
    for (const fork of call.forks) {
      fork.before = withoutSame(fork.before);
      fork.unheard = true;
    }
    calls.keep(call);
  }
  publications.flush();
}

function readBack({ pua, settings, calls, publications }: Restoring, record: PuaRecord, restored: Set<Call>): void {
  const document = read(record);
  const ids = document?.dialogs.map(({ id }) => parseId(id)) ?? [];
  if (!document || !ids.every((id) => id !== undefined)) {
    publications.discard(record);
    return;
  }
  const { clock } = pua;
  const left = record.desiredExpires === 0 ? ENDLESS_MS : record.desiredExpires * 1000 - clock.wall();
  const until = clock.now() + left;
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
    const { presUri: presentity } = record;
    publications.list({ presentity, entity: document.entity, dialog, startedAt: undefined, until });
  }
}

function read({ body }: PuaRecord): DialogInfo | undefined {
  if (body === null) return undefined;
  try {
    return readDialogInfo(body);
  } catch {
    return undefined;
  }
}

/**
 * A side without any document stays without. When the other one was told its Contact there was nobody to publish for; else it
 * was suppressed.
 */
function noteSilence(call: Call, side: Side): void {
  if (call.forks.some((fork) => fork.listed[side].size > 0)) return;
  call.silent[side] = call.forks.every((fork) => fork.parties[side].contact === undefined);
  if (call.silent[side]) return;
  for (const fork of call.forks) {
    fork.before = { ...fork.before, presentities: { ...fork.before.presentities, [side]: [] } };
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
  fork.answered ||= settings.opensips || RANK[fork.state] > RANK.trying;
  fork.listed[side].add(presentity);
  const peer = otherSide(side);
  const { callId, localTag, remoteTag, local, remote, replaces, referredBy } = dialog;
  call.earlier = { ...call.earlier, ...defined({ replaces, referredBy }) };
  fork.parties = {
    ...fork.parties,
    [side]: { ...party(local), ...defined({ tag: localTag, peerTag: remoteTag, callId }) },
    // The other side's own document knows better.
    ...(fork.listed[peer].size === 0 ? { [peer]: party(remote) } : {}),
  };
  const { own, shown, presentities } = fork.before;
  fork.before = {
    own: { ...own, ...(local?.identity ? { [side]: local.identity } : {}) },
    shown: { ...shown, ...(remote?.identity ? { [peer]: remote.identity } : {}) },
    presentities: { ...presentities, [side]: [...(presentities[side] ?? []), presentity] },
  };
}

function added(call: Call, part: string): Fork {
  const fork = newFork(part, { branch: undefined, tag: undefined });
  call.forks.push(fork);
  return fork;
}

function party(from: DialogParticipant | undefined): DialogParty {
  const { identity, target } = from ?? {};
  const contact = target && target.uri !== identity?.uri ? target.uri : undefined;
  const params = contact === undefined ? undefined : target?.params?.map(({ name, value }) => [name, value] as const);
  const contactParams = params && Object.fromEntries(params);
  return { uri: identity?.uri ?? '', ...defined({ display: identity?.display, contact, contactParams }) };
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

// -------------------------------------------------------------------------------------------------- their first event

/**
 * Documents name the leg that faces their party. When both have the Call-ID of the call, and nothing else speaks against it,
 * there is one dialog between the two: the remote tag is the other side's own.
 */
export function compareTags(call: Call, { callId, caller, callee }: DialogSnapshot): void {
  const told: BySide<DialogParty> = { caller, callee };
  const idOf = (parties: BySide<DialogParty>, side: Side) => told[side].callId ?? parties[side].callId ?? callId;
  for (const fork of call.forks) {
    const parties: BySide<DialogParty> = { ...fork.parties };
    for (const side of SIDES) {
      const { callId: _, peerTag, ...rest } = parties[side];
      const peer = parties[otherSide(side)];
      const isLeg = told[side].peerTag !== undefined || (peer.tag ?? peerTag) !== peerTag;
      if (isLeg || SIDES.some((one) => idOf(parties, one) !== callId)) continue;
      parties[side] = rest;
      if (peerTag !== undefined) parties[otherSide(side)] = { ...peer, tag: peerTag };
    }
    fork.parties = parties;
    fork.tag = parties.callee.tag;
  }
}

/**
 * What the documents of the fork and its first event have in common need not be held on to: it may change with the next event.
 * @param view of the fork that the event is about
 */
export function compareIdentities(view: View): void {
  const { fork } = view;
  const plain = { ...view, fork: { ...fork, before: NOTHING_BEFORE } };
  const kept: { -readonly [K in keyof Before]: Before[K] } = { own: {}, shown: {}, presentities: {} };
  for (const side of SIDES) {
    const { own, shown, presentities } = fork.before;
    const { uri } = addressedIdentity(plain, side);
    if (own[side] && own[side].uri !== uri) kept.own = { ...kept.own, [side]: own[side] };
    if (shown[side] && shown[side].uri !== uri) kept.shown = { ...kept.shown, [side]: shown[side] };
    const list = presentities[side];
    if (list && !sameSet(list, presentitiesOf(plain, side))) kept.presentities = { ...kept.presentities, [side]: list };
  }
  fork.before = kept;
  fork.unheard = false;
}

const sameSet = (list: readonly string[], set: ReadonlySet<string>) =>
  list.length === set.size && list.every((uri) => set.has(uri));
