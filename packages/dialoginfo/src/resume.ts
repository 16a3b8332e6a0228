/** The first event of a call of the last run: what its documents say, and what is told of it now. */
import type { DialogParty, DialogSnapshot } from '@pua/core';
import { type Before, type BySide, type Call, type Fork, NOTHING_BEFORE } from './call.js';
import { addressedIdentity, type View } from './identity.js';
import { otherSide, SIDES } from './ids.js';
import { presentitiesOf } from './presentities.js';

/**
 * Documents name the leg that faces their party. When that has the Call-ID of the call there is one dialog between both, and
 * the remote tag is the other side's own.
 */
export function compareTags(call: Call, { callId, caller, callee }: DialogSnapshot): void {
  const told: BySide<DialogParty> = { caller, callee };
  for (const fork of call.forks) {
    const parties: BySide<DialogParty> = { ...fork.parties };
    for (const side of SIDES) {
      const { callId: own = callId, peerTag, ...rest } = parties[side];
      const peer = otherSide(side);
      if (own !== callId || (told[peer].callId ?? callId) !== callId) continue;
      parties[side] = rest;
      if (peerTag !== undefined && parties[peer].tag === undefined) parties[peer] = { ...parties[peer], tag: peerTag };
    }
    fork.parties = parties;
    fork.tag = parties.callee.tag;
  }
}

/** What the documents and the event have in common need not be held on to: it may change with the next event. */
export function compareIdentities(call: Call, viewOf: (fork: Fork) => View): void {
  for (const fork of call.forks) {
    if (fork.before === NOTHING_BEFORE) continue;
    const plain = viewOf({ ...fork, before: NOTHING_BEFORE });
    const kept: { -readonly [K in keyof Before]: Before[K] } = { own: {}, shown: {}, presentities: {} };
    for (const side of SIDES) {
      const { own, shown, presentities } = fork.before;
      const { uri } = addressedIdentity(plain, side);
      if (own[side] && own[side].uri !== uri) kept.own = { ...kept.own, [side]: own[side] };
      if (shown[side] && shown[side].uri !== uri) kept.shown = { ...kept.shown, [side]: shown[side] };
      const list = presentities[side];
      if (list && !sameSet(list, presentitiesOf(plain, side)))
        kept.presentities = { ...kept.presentities, [side]: list };
    }
    fork.before = kept;
  }
}

const sameSet = (list: readonly string[], set: ReadonlySet<string>) =>
  list.length === set.size && list.every((uri) => set.has(uri));
