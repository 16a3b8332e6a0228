/** A dialog as its side's document shows it (RFC 4235 section 4.1). */
import type { DialogEventKind, DialogParty, DialogReason } from '@pua/core';
import {
  type Dialog,
  type DialogIdentity,
  type DialogInfoEvent,
  type DialogParticipant,
  type DialogTarget,
  dialogEvents,
} from '@pua/documents';
import { ownIdentity, shownIdentity, type View } from './identity.js';
import { otherSide, type Side } from './ids.js';
import { fitText, identity, isUri, userOf } from './text.js';

/** The element of a dialog that lives; without the duration, which is written when it is sent. */
export function dialogOf(view: View, side: Side): Dialog {
  const { call, facts, fork, settings } = view;
  const own = ownIdentity(view, side);
  const peer = shownIdentity(view, otherSide(side));
  const leg = legOf(view, side);
  const state =
    settings.callerConfirmed === 1 && side === 'caller' && fork.state === 'early' ? 'confirmed' : fork.state;
  return {
    id: call.idOf(fork, side),
    ...(settings.includeCallid === 1 && leg.callId !== '' ? { callId: fitText(leg.callId) } : {}),
    ...(settings.includeTags === 1 ? tags(leg) : {}),
    direction: side === 'caller' ? 'initiator' : 'recipient',
    state,
    ...(facts.replaces && side === 'callee' ? { replaces: replacesOf(facts.replaces) } : {}),
    ...(facts.referredBy && isUri(facts.referredBy.uri)
      ? { referredBy: identity(facts.referredBy.uri, facts.referredBy.display) }
      : {}),
    ...(settings.includeLocalremote === 1
      ? {
          ...participant('local', own, targetOf(view, side, own, false), settings.attributeDisplay === 1),
          ...participant(
            'remote',
            peer.identity,
            targetOf(view, otherSide(side), peer.identity, peer.hidden),
            settings.attributeDisplay === 1,
          ),
        }
      : {}),
  };
}

interface Leg {
  readonly callId: string;
  readonly localTag: string | undefined;
  readonly remoteTag: string | undefined;
}

/** The leg that faces the party whose document is written: what a phone that picks up must put into Replaces (RFC 3891). */
function legOf({ facts, fork }: View, side: Side): Leg {
  const own = fork.parties[side];
  const peer = fork.parties[otherSide(side)];
  const callId = own.callId ?? facts.callId;
  // With legs of different Call-IDs the other side's tag is of another dialog.
  const peerTag = callId === (peer.callId ?? facts.callId) ? peer.tag : undefined;
  return { callId, localTag: own.tag, remoteTag: own.peerTag ?? peerTag };
}

function tags({ localTag, remoteTag }: Leg): Pick<Dialog, 'localTag' | 'remoteTag'> {
  return {
    ...(localTag ? { localTag: fitText(localTag) } : {}),
    ...(remoteTag ? { remoteTag: fitText(remoteTag) } : {}),
  };
}

/** The replacement is the callee's: it got the INVITE with Replaces. */
function replacesOf({ callId, localTag, remoteTag }: NonNullable<Dialog['replaces']>): NonNullable<Dialog['replaces']> {
  return { callId: fitText(callId), localTag: fitText(localTag), remoteTag: fitText(remoteTag) };
}

/**
 * The Contact where it is known and may be told. Profile opensips never tells it; profile kamailio not before the call was
 * answered by anybody, nor that of a callee who rings when tags are left out.
 */
function targetOf({ fork, settings }: View, side: Side, { uri }: DialogIdentity, hidden: boolean): DialogTarget {
  const { contact, contactParams = {} } = fork.parties[side] as DialogParty;
  if (hidden || settings.opensips || fork.state === 'trying' || !isUri(contact)) return { uri };
  if (side === 'callee' && settings.includeTags === 0 && fork.state !== 'confirmed') return { uri };
  // One without a value is true (RFC 4235 section 4.1.6.2).
  const params = Object.entries(contactParams).map(([name, value]) => ({ name, value: fitText(String(value)) }));
  return params.length === 0 ? { uri: contact } : { uri: contact, params };
}

/** Left out when nobody can say who it is. */
function participant(
  name: 'local' | 'remote',
  who: DialogIdentity,
  target: DialogTarget,
  display: boolean,
): { local?: DialogParticipant; remote?: DialogParticipant } {
  if (!isUri(who.uri)) return {};
  const user = display ? userOf(who.uri) : '';
  return { [name]: { identity: who, target: user === '' ? target : { ...target, display: user } } };
}

/** Why it ended, as the side sees it (RFC 4235 section 3.7.1). What nobody told is not guessed. */
export function reasonOf(
  reason: DialogReason | undefined,
  kind: DialogEventKind,
  side: Side,
): { readonly event?: DialogInfoEvent; readonly code?: number } {
  const told = reason?.code;
  const code = told !== undefined && Number.isInteger(told) && told >= 100 && told <= 699 ? told : undefined;
  const event = eventOf(reason, code, kind, side);
  // The code is that of an answer to the INVITE (section 4.1.2).
  const answered = code !== undefined && (event === 'rejected' || event === 'cancelled');
  return { ...(event ? { event } : {}), ...(answered ? { code } : {}) };
}

function eventOf(
  reason: DialogReason | undefined,
  code: number | undefined,
  kind: DialogEventKind,
  side: Side,
): DialogInfoEvent | undefined {
  const told = reason?.event;
  if (told === 'bye') return byeOf(reason!.by, side);
  // A document with another word could not be written, and the lamp would stay on.
  if (told !== undefined && dialogEvents.includes(told)) return told;
  if (kind === 'expired') return 'timeout';
  if (kind === 'failed') return code === undefined ? undefined : code === 487 ? 'cancelled' : 'rejected';
  // Answers to a request in the dialog that end it.
  if (code === 481 || code === 408) return 'error';
  return byeOf(reason?.by, side);
}

function byeOf(by: Side | undefined, side: Side): DialogInfoEvent | undefined {
  if (by !== 'caller' && by !== 'callee') return undefined;
  return by === side ? 'local-bye' : 'remote-bye';
}
