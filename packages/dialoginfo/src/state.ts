/** The state of one dialog (RFC 4235 section 3.7.1): it only goes forward, and what has ended stays so. */
import type { DialogEventKind, DialogState } from '@pua/core';

export const RANK: Readonly<Record<DialogState, number>> = {
  trying: 0,
  proceeding: 1,
  early: 2,
  confirmed: 3,
  terminated: 4,
};

/** Does the event end a dialog? */
export function ends(kind: DialogEventKind, told: DialogState): boolean {
  return kind === 'failed' || kind === 'terminated' || kind === 'expired' || told === 'terminated';
}

/**
 * State after an event; null: the event is of the past and says nothing.
 * @param now undefined: nothing is known of the dialog yet
 * @param told state in the event's snapshot
 */
export function nextState(now: DialogState | undefined, kind: DialogEventKind, told: DialogState): DialogState | null {
  if (now === 'terminated') return null;
  // The INVITE was refused, or cancelled: of an answered dialog that is the fate of another branch.
  if (kind === 'failed') return now === 'confirmed' ? null : 'terminated';
  if (ends(kind, told)) return 'terminated';
  const next = kind === 'confirmed' ? 'confirmed' : told;
  return now !== undefined && RANK[next] < RANK[now] ? null : next;
}
