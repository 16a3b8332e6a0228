/** Which dialogs of a call an event is about, and what it does to them. */
import type { DialogEvent, DialogParty, DialogSnapshot } from '@pua/core';
import { type Call, type Fork, newFork } from './call.js';
import { forkPart } from './ids.js';
import { ends, nextState, RANK } from './state.js';

export interface Outcome {
  /** The dialog that lives on, or has come to be. */
  readonly live?: Fork;
  /** Those that ended now. */
  readonly ended: readonly Fork[];
  /** The event is of the past. */
  readonly stale: boolean;
}

const STALE: Outcome = { ended: [], stale: true };
/** Dialogs of one call that are told apart; who answers with still more tags than that only costs memory. */
const MAX_FORKS = 100;

/** What tells a dialog from the others of its call. */
interface Name {
  readonly branch: string | undefined;
  readonly tag: string | undefined;
}

/** An empty one is none. */
const nameOf = ({ branch, callee }: DialogSnapshot): Name => ({
  branch: branch || undefined,
  tag: callee.tag || undefined,
});

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
  const name = nameOf(dialog);
  const found = find(call, name);
  const answered = call.forks.find((fork) => fork.state === 'confirmed');
  // The dialog has another peer now: a B2BUA has put one in the other's place.
  const replaced = !found && (kind === 'updated' || kind === 'restored') && dialog.state === 'confirmed' && answered;
  const fork = found ?? (replaced || undefined);
  const state = nextState(fork?.state, kind, dialog.state);
  if (state === null) return STALE;
  if (!fork && !mayBegin(call, state === 'confirmed', name)) return STALE;
  const live = fork ?? begin(call, name);
  const won = state === 'confirmed' && live.state !== 'confirmed';
  live.state = state;
  live.branch ??= name.branch;
  live.tag = (replaced ? name.tag : undefined) ?? live.tag ?? name.tag;
  live.answered ||= kind === 'early' || RANK[state] > RANK.trying;
  live.parties = merged(live.parties, dialog);
  call.current = live;
  const losers = won ? call.live().filter((other) => other.state !== 'confirmed') : [];
  for (const loser of losers) terminate(loser, { event: 'cancelled' });
  return { live, ended: losers, stale: false };
}

/** Best match; a dialog that has ended is found by its own tag or branch only. */
function find(call: Call, name: Name): Fork | undefined {
  const { branch, tag } = name;
  if (branch === undefined && tag === undefined) {
    const live = call.live();
    return live.find((fork) => fork.state === 'confirmed') ?? live.find((fork) => fork === call.current) ?? live[0];
  }
  let best: Fork | undefined;
  let most = 0;
  for (const fork of call.forks) {
    if (differ(fork.branch, branch) || differ(fork.tag, tag)) continue;
    const named = isNamed(fork, name);
    if (!named && isOther(fork, name)) continue;
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

/** After a restart the id of a fork is all that is known of its branch. */
function isNamed({ part, tag: known }: Fork, { branch, tag }: Name): boolean {
  return part !== '' && [tag, known, undefined].some((one) => part === forkPart(branch, one));
}

/** Its branch is not known, only that it is not this one. */
function isOther({ part, branch: known, tag: own }: Fork, { branch, tag = own }: Name): boolean {
  return part !== '' && known === undefined && branch !== undefined && part !== forkPart(undefined, tag);
}

/** Once a dialog is confirmed the other branches of the INVITE are over: only another 2xx opens one more. */
function mayBegin(call: Call, confirmed: boolean, { branch, tag }: Name): boolean {
  if (call.forks.length === 0) return true;
  if ((branch === undefined && tag === undefined) || call.forks.length >= MAX_FORKS) return false;
  return confirmed || !call.forks.some((fork) => fork.state === 'confirmed');
}

function begin(call: Call, { branch, tag }: Name): Fork {
  const first = call.forks[0];
  // A branch has one id whatever its tag turns out to be; a further tag in it is a further dialog.
  const sameBranch = branch !== undefined && call.forks.some((fork) => fork.branch === branch);
  const part = first ? forkPart(branch, branch === undefined || sameBranch ? tag : undefined) : '';
  const fork = newFork(part, { branch, tag }, first);
  call.forks.push(fork);
  return fork;
}

function merged(parties: Fork['parties'], { caller, callee }: DialogSnapshot): Fork['parties'] {
  return { caller: mergedParty(parties.caller, caller), callee: mergedParty(parties.callee, callee) };
}

/** Tags and contacts that an event leaves out stay known. */
function mergedParty(known: DialogParty, told: DialogParty): DialogParty {
  const party: Record<string, unknown> = { ...known };
  for (const [name, value] of Object.entries(told)) if (value !== undefined && value !== '') party[name] = value;
  return party as unknown as DialogParty;
}

// -------------------------------------------------------------------------------------------------- it ends

function end(call: Call, event: DialogEvent): Outcome {
  const { kind, dialog } = event;
  // The dialog timer knows no branches.
  const { branch, tag } = kind === 'expired' ? { branch: undefined, tag: undefined } : nameOf(dialog);
  const concerned = branch === undefined ? whole(call, kind, tag) : ofBranch(call, { branch, tag });
  const ended = concerned.filter((fork) => nextState(fork.state, kind, dialog.state) === 'terminated');
  const answered = ended.some((fork) => fork.state === 'confirmed');
  for (const fork of ended) terminate(fork, dialog.reason);
  // A branch that failed may be followed by another one; a call that was answered, or refused as a whole, is over.
  const lives = call.live().length > 0;
  if (!lives && (branch === undefined || answered)) call.ended = true;
  return { ended, stale: ended.length === 0 && !call.ended };
}

/** An end without branch is the end of the call, unless another dialog of it was answered, too. */
function whole(call: Call, kind: DialogEvent['kind'], tag: string | undefined): Fork[] {
  const live = call.live();
  if (kind !== 'terminated' || tag === undefined) return live;
  const own = call.forks.filter((fork) => fork.tag === tag);
  const other = live.some((fork) => fork.state === 'confirmed' && !own.includes(fork));
  return own.length > 0 && other ? own : live;
}

function ofBranch(call: Call, { branch, tag }: Name): Fork[] {
  const own = call.forks.filter((fork) => fork.branch === branch);
  if (own.length > 0) {
    const tagged = own.filter((fork) => tag !== undefined && fork.tag === tag);
    return tagged.length > 0 ? tagged : own;
  }
  const found = find(call, { branch, tag });
  return found ? [found] : [];
}

function terminate(fork: Fork, reason: Fork['reason']): void {
  fork.state = 'terminated';
  fork.reason = reason;
}
