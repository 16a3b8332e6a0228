/**
 * The calls that the webhook has heard of, with their forks: what tells a late or repeated event from a new one, which calls
 * live, and of which nothing was heard for too long. One that has ended is remembered for an hour.
 */
import { type Clock, type DialogEvent, type DialogSnapshot, Schedule, type Scheduled } from '@pua/core';
import type { DialogEntry } from './entries/dialog.js';
import { Memory, REMEMBERED_MS } from './memory.js';
import { bySequence, type Verdict } from './verdict.js';

/** Lifetime of a call that says none, seconds: the dialog timeout of Kamailio. */
const DEFAULT_LIFETIME = 12 * 3600;
/** Forks of one call that are known; beyond, the oldest are forgotten. */
const MAX_FORKS = 100;

interface Held extends Scheduled {
  readonly key: string;
  callId: string;
  /** Live ones, by branch and tag of the callee. */
  readonly forks: Map<string, DialogSnapshot>;
  sequence: number | undefined;
  /** `lost`: given up, since nothing was heard of it. */
  state: 'live' | 'ended' | 'lost';
  /** End of the lifetime, monotonic milliseconds. */
  until: number;
  deadline: number;
}

const RANK = { trying: 0, proceeding: 1, early: 2, confirmed: 3, terminated: 4 } as const;

export class HeldCalls {
  readonly #held = new Map<string, Held>();
  readonly #seen: Memory<true>;
  readonly #schedule: Schedule<Held>;

  /**
   * @param silence milliseconds after which a call is over when nothing was heard of it
   * @param expired is told of every fork of a call that is over for that, or since its lifetime is over
   */
  constructor(
    private readonly clock: Clock,
    private readonly silence: number,
    private readonly expired: (event: DialogEvent) => void,
  ) {
    this.#seen = new Memory(clock);
    this.#schedule = new Schedule(clock, (held) => this.#due(held));
  }

  get size(): number {
    return this.#held.size;
  }

  /** All forks of all calls that live. */
  live(): DialogSnapshot[] {
    return [...this.#held.values()].flatMap(({ forks }) => [...forks.values()]);
  }

  stop(): void {
    this.#schedule.stop();
  }

  /** A sign of life; false when no such call lives. */
  alive(key: string): boolean {
    const held = this.#held.get(key);
    if (held?.state !== 'live') return false;
    this.#plan(held);
    return true;
  }

  /** Notes an event that is new; `event` is what is to be told. */
  judge({ event, id, sequence }: DialogEntry): { readonly verdict: Verdict; readonly event?: DialogEvent } {
    const { dialog } = event;
    const name = id === undefined ? undefined : `${dialog.key}\n${id}`;
    if (name !== undefined && this.#seen.get(name)) return { verdict: 'duplicate' };
    const held = this.#held.get(dialog.key);
    const late = held && bySequence(sequence, held.sequence);
    if (late) return { verdict: late };
    const verdict = held ? byState(event, held) : 'accepted';
    // An end after an end changes nothing, but what was sent before it is late from now on.
    if (held && verdict === 'duplicate') held.sequence = sequence ?? held.sequence;
    if (verdict !== 'accepted') return { verdict };
    if (name !== undefined) this.#seen.set(name, true);
    const known = held?.forks.get(forkOf(dialog));
    this.#note(held, event, sequence);
    if (known === undefined || JSON.stringify(known) !== JSON.stringify(dialog)) return { verdict: 'accepted', event };
    // The same again is a sign of life; its lifetime counts from now on.
    return { verdict: 'duplicate', event: { ...event, kind: 'updated' } };
  }

  #note(known: Held | undefined, event: DialogEvent, sequence: number | undefined): void {
    const { dialog } = event;
    const { key, callId } = dialog;
    const held: Held = known ?? {
      key,
      callId,
      forks: new Map(),
      sequence,
      state: 'live',
      until: 0,
      deadline: 0,
      scheduleIndex: -1,
    };
    held.callId = callId;
    held.sequence = sequence ?? held.sequence;
    if (dialog.state === 'terminated') end(held, event);
    else keep(held, dialog);
    held.until = this.clock.now() + (dialog.lifetime ?? DEFAULT_LIFETIME) * 1000;
    this.#held.set(key, held);
    this.#plan(held);
  }

  #plan(held: Held): void {
    const now = this.clock.now();
    held.deadline = held.state === 'live' ? Math.min(held.until, now + this.silence) : now + REMEMBERED_MS;
    this.#schedule.update(held);
  }

  #due(held: Held): void {
    if (held.state !== 'live') {
      this.#held.delete(held.key);
      return;
    }
    const forks = [...held.forks.values()];
    held.forks.clear();
    held.state = 'lost';
    this.#plan(held);
    for (const dialog of forks) {
      this.expired({ kind: 'expired', dialog: { ...dialog, state: 'terminated', reason: { event: 'timeout' } } });
    }
  }
}

const forkName = (branch: string, tag: string): string => `${branch}\n${tag}`;
const forkOf = ({ branch = '', callee }: DialogSnapshot): string => forkName(branch, callee.tag ?? '');

/** The first tag and the first branch belong to the half-dialog that was there before them (RFC 4235 3.7.1). */
function keep(held: Held, dialog: DialogSnapshot): void {
  const { forks } = held;
  for (const half of [forkName('', ''), forkName(dialog.branch ?? '', '')]) forks.delete(half);
  forks.set(forkOf(dialog), dialog);
  if (forks.size > MAX_FORKS) forks.delete(forks.keys().next().value!);
  held.state = 'live';
}

/** `failed` may be said of one fork of several; every other end is that of the call. */
function end(held: Held, { kind, dialog }: DialogEvent): void {
  const { forks } = held;
  if (kind === 'failed') forks.delete(forkOf(dialog));
  const names = dialog.branch !== undefined || dialog.callee.tag !== undefined;
  if (kind === 'failed' && names && forks.size > 0) return;
  forks.clear();
  held.state = 'ended';
}

function byState({ dialog }: DialogEvent, held: Held): Verdict {
  if (held.state === 'ended') {
    // A key may be used again, for another call.
    if (dialog.callId !== held.callId) return 'accepted';
    return dialog.state === 'terminated' ? 'duplicate' : 'stale';
  }
  const fork = held.forks.get(forkOf(dialog));
  const half = dialog.branch === undefined && dialog.callee.tag === undefined;
  // Without branch and tag it was said before there were any.
  const states = fork ? [fork.state] : half ? [...held.forks.values()].map(({ state }) => state) : [];
  return states.some((state) => RANK[state] > RANK[dialog.state]) ? 'stale' : 'accepted';
}
