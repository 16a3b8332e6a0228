/** Which dialogs of a call an event is about, and what it does to them. */
import type { DialogEvent, DialogParty, DialogSnapshot } from '@pua/core';
import { type Call, type Fork, NOTHING_BEFORE } from './call.js';
import { forkPart } from './ids.js';
import { ends, nextState } from './state.js';

export interface Outcome {
  /** The dialog that lives on, or has come to be. */
  readonly live?: Fork;
  /** Those that ended now. */
  readonly ended: readonly Fork[];
  /** The event is of the past. */
  readonly stale: boolean;
}

const STALE: Outcome = { ended: [], stale: true };

/** Changes the call's forks as the event says. */
export function tell(call: Call, event: DialogEvent): Outcome {
  if (call.ended) return STALE;
  return ends(event.kind, event.dialog.state) ? end(call, event) : progress(call, event);
}

// -------------------------------------------------------------------------------------------------- it goes on

/**
 *   INVITE ->  1xx tag=a <-  1xx tag=b <-  2xx tag=b <-
 *   half-dialog: a has its id; b is a fork with an id of its own; a has lost
 */
function progress(call: Call, { kind, dialog }: DialogEvent): Outcome {
  const { branch, callee } = dialog;
  const found = find(call, branch, callee.tag);
  const answered = call.forks.find((fork) => fork.state === 'confirmed');
  // The dialog has another peer now: a B2BUA has put one in the other's place.
  const replaced = !found && (kind === 'updated' || kind === 'restored') && dialog.state === 'confirmed' && answered;
  const fork = found ?? (replaced || undefined);
  const state = nextState(fork?.state, kind, dialog.state);
  if (state === null) return STALE;
  if (!fork && !mayBegin(call, state === 'confirmed', branch, callee.tag)) return STALE;
  const live = fork ?? begin(call, branch, callee.tag);
  const won = state === 'confirmed' && live.state !== 'confirmed';
  live.state = state;
  live.branch ??= branch;
  live.tag = (replaced ? callee.tag : undefined) ?? live.tag ?? callee.tag;
  live.answered ||= kind !== 'created';
  live.parties = merged(live.parties, dialog);
  call.current = live;
  const losers = won ? call.live().filter((other) => other.state !== 'confirmed') : [];
  for (const loser of losers) terminate(loser, { event: 'cancelled' });
  return { live, ended: losers, stale: false };
}

/** Best match; a dialog that has ended is found by its own tag or branch only. */
function find(call: Call, branch: string | undefined, tag: string | undefined): Fork | undefined {
  if (branch === undefined && tag === undefined) {
    const live = call.live();
    return live.find((fork) => fork.state === 'confirmed') ?? live.find((fork) => fork === call.current) ?? live[0];
  }
  const part = forkPart(branch, tag);
  const branchPart = forkPart(branch, undefined);
  let best: Fork | undefined;
  let most = 0;
  for (const fork of call.forks) {
    if (differ(fork.branch, branch) || differ(fork.tag, tag)) continue;
    const named = fork.part !== '' && (fork.part === part || fork.part === branchPart);
    const same =
      (tag !== undefined && fork.tag === tag ? 4 : 0) + (branch !== undefined && fork.branch === branch ? 2 : 0);
    const alive = fork.state === 'terminated' ? 0 : 1;
    const score = same + (named ? 2 : 0) + alive;
    if (score > most && (alive > 0 || same > 0)) [best, most] = [fork, score];
  }
  return best;
}

const differ = (known: string | undefined, told: string | undefined) =>
  known !== undefined && told !== undefined && known !== told;

/** Once a dialog is confirmed the other branches of the INVITE are over: only another 2xx opens one more. */
function mayBegin(call: Call, confirmed: boolean, branch: string | undefined, tag: string | undefined): boolean {
  if (call.forks.length === 0) return true;
  if (branch === undefined && tag === undefined) return false;
  return confirmed || !call.forks.some((fork) => fork.state === 'confirmed');
}

function begin(call: Call, branch: string | undefined, tag: string | undefined): Fork {
  const first = call.forks[0];
  // A branch has one id whatever its tag turns out to be; a further tag in it is a further dialog.
  const sameBranch = branch !== undefined && call.forks.some((fork) => fork.branch === branch);
  const fork: Fork = {
    part: first ? forkPart(branch, branch === undefined || sameBranch ? tag : undefined) : '',
    branch,
    tag,
    state: 'trying',
    answered: false,
    parties: { caller: { ...(first?.parties.caller ?? { uri: '' }) }, callee: { uri: '' } },
    reason: undefined,
    listed: { caller: new Set(), callee: new Set() },
    before: first?.before ?? NOTHING_BEFORE,
  };
  call.forks.push(fork);
  return fork;
}

function merged(parties: Fork['parties'], { caller, callee }: DialogSnapshot): Fork['parties'] {
  return { caller: mergedParty(parties.caller, caller), callee: mergedParty(parties.callee, callee) };
}

/** Tags and contacts that an event leaves out stay known. */
function mergedParty(known: DialogParty, told: DialogParty): DialogParty {
  const party: Record<string, unknown> = { ...known };
  for (const [name, value] of Object.entries(told)) if (value !== undefined) party[name] = value;
  return party as unknown as DialogParty;
}

// -------------------------------------------------------------------------------------------------- it ends

function end(call: Call, event: DialogEvent): Outcome {
  const { kind, dialog } = event;
  // The dialog timer knows no branches.
  const branch = kind === 'expired' ? undefined : dialog.branch;
  const concerned = branch === undefined ? whole(call, event) : ofBranch(call, branch, dialog.callee.tag);
  const ended = concerned.filter((fork) => nextState(fork.state, kind, dialog.state) === 'terminated');
  const answered = ended.some((fork) => fork.state === 'confirmed');
  for (const fork of ended) terminate(fork, dialog.reason);
  // A branch that failed may be followed by another one; a call that was answered, or refused as a whole, is over.
  const lives = call.live().length > 0;
  if (!lives && (branch === undefined || answered)) call.ended = true;
  return { ended, stale: ended.length === 0 && !call.ended };
}

/** An end without branch is the end of the call, unless another dialog of it was answered, too. */
function whole(call: Call, { kind, dialog }: DialogEvent): Fork[] {
  const live = call.live();
  const { tag } = dialog.callee;
  const own = kind === 'terminated' && tag !== undefined && live.find((fork) => fork.tag === tag);
  return own && live.some((fork) => fork !== own && fork.state === 'confirmed') ? [own] : live;
}

function ofBranch(call: Call, branch: string, tag: string | undefined): Fork[] {
  const own = call.forks.filter((fork) => fork.branch === branch);
  if (own.length > 0) {
    const tagged = own.filter((fork) => tag !== undefined && fork.tag === tag);
    return tagged.length > 0 ? tagged : own;
  }
  const found = find(call, branch, tag);
  return found ? [found] : [];
}

function terminate(fork: Fork, reason: Fork['reason']): void {
  fork.state = 'terminated';
  fork.reason = reason;
}
