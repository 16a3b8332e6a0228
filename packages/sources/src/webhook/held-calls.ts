/**
 * The calls that the webhook has heard of, with their forks: what tells a late or repeated event from a new one, which calls
 * live, and of which nothing was heard for too long. One that has ended is remembered for an hour.
 */
import { type Clock, type DialogEvent, type DialogSnapshot, Schedule, type Scheduled } from '@pua/core';
import type { DialogEntry } from './entries/dialog.js';
import { Memory } from './memory.js';
import { bySequence, type Judged, type Verdict } from './verdict.js';

/** Lifetime of a call that says none, seconds: the dialog timeout of Kamailio. */
const DEFAULT_LIFETIME = 12 * 3600;
/** Forks of one call that are known; beyond, the oldest are forgotten. */
const MAX_FORKS = 100;

/** A call that lives. */
interface Held extends Scheduled {
  readonly key: string;
  /** By branch and tag of the callee. */
  readonly forks: Map<string, DialogSnapshot>;
  sequence: number | undefined;
  /** End of the lifetime, monotonic milliseconds. */
  until: number;
  deadline: number;
}

/** One that is over. */
interface Over {
  /** undefined: it was given up since nothing was heard of it, or its last branch failed; it may go on. */
  readonly callId: string | undefined;
  readonly sequence: number | undefined;
}

const RANK = { trying: 0, proceeding: 1, early: 2, confirmed: 3, terminated: 4 } as const;

export class HeldCalls {
  readonly #held = new Map<string, Held>();
  readonly #over: Memory<Over>;
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
    this.#over = new Memory(clock);
    this.#seen = new Memory(clock);
    this.#schedule = new Schedule(clock, (held) => this.#due(held));
  }

  /** How many would live then, at most; an end needs no place. */
  sizeWith(entries: readonly DialogEntry[]): number {
    const isNew = ({ event: { dialog } }: DialogEntry) => dialog.state !== 'terminated' && !this.#held.has(dialog.key);
    return this.#held.size + entries.filter(isNew).length;
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
    if (held) this.#plan(held);
    return held !== undefined;
  }

  /** Notes an event that is new; `event` is what is to be told. */
  judge({ event, id, sequence }: DialogEntry): Judged<DialogEvent> {
    const { dialog } = event;
    const { key } = dialog;
    const name = id === undefined ? undefined : `${key}\n${id}`;
    if (name !== undefined && this.#seen.get(name)) return { verdict: 'duplicate' };
    const held = this.#held.get(key);
    const over = held ? undefined : this.#over.get(key);
    const before = (held ?? over)?.sequence;
    const late = bySequence(sequence, before);
    if (late) return { verdict: late };
    const verdict = held ? byState(dialog, held) : over ? byEnd(dialog, over) : 'accepted';
    // An end after an end changes nothing, but what was sent before it is late from now on.
    if (over && verdict === 'duplicate') this.#over.set(key, { ...over, sequence: sequence ?? before });
    if (verdict !== 'accepted') return { verdict };
    if (name !== undefined) this.#seen.set(name, true);
    const known = held?.forks.get(forkOf(dialog));
    this.#note(held, event, sequence ?? before);
    if (known === undefined || JSON.stringify(known) !== JSON.stringify(dialog)) return { verdict: 'accepted', event };
    // The same again is a sign of life; its lifetime counts from now on.
    return { verdict: 'duplicate', event: { ...event, kind: 'updated' } };
  }

  #note(known: Held | undefined, event: DialogEvent, sequence: number | undefined): void {
    const { key, callId, state, lifetime } = event.dialog;
    if (state === 'terminated') {
      const mayGoOn = known !== undefined && endForks(known, event);
      if (!known || known.forks.size === 0) {
        this.#end(key, known, { callId: mayGoOn ? undefined : callId, sequence });
        return;
      }
    }
    const held = known ?? { key, forks: new Map(), sequence, until: 0, deadline: 0, scheduleIndex: -1 };
    held.sequence = sequence;
    if (state !== 'terminated') keep(held, event.dialog);
    held.until = this.clock.now() + (lifetime ?? DEFAULT_LIFETIME) * 1000;
    this.#held.set(key, held);
    this.#plan(held);
  }

  #plan(held: Held): void {
    held.deadline = Math.min(held.until, this.clock.now() + this.silence);
    this.#schedule.update(held);
  }

  #end(key: string, held: Held | undefined, over: Over): void {
    this.#held.delete(key);
    if (held) this.#schedule.remove(held);
    this.#over.set(key, over);
  }

  #due(held: Held): void {
    const { key, sequence, forks } = held;
    this.#end(key, held, { callId: undefined, sequence });
    for (const dialog of forks.values()) {
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
}

/** Forgets the forks that an end is about (DialogEventKind says which); true: another branch may follow them. */
function endForks({ forks }: Held, { kind, dialog }: DialogEvent): boolean {
  const { branch, callee } = dialog;
  const own = ({ callee: { tag } }: DialogSnapshot) => tag === callee.tag;
  const isConfirmed = ({ state }: DialogSnapshot) => state === 'confirmed';
  const all = [...forks.values()];
  let ended = all;
  if (branch !== undefined && kind !== 'expired') {
    const ofBranch = all.filter((fork) => fork.branch === branch);
    const tagged = ofBranch.filter((fork) => callee.tag !== undefined && own(fork));
    ended = tagged.length > 0 ? tagged : ofBranch;
  } else if (kind === 'failed') ended = all.filter((fork) => !isConfirmed(fork));
  else if (kind === 'terminated' && callee.tag !== undefined && all.some(own)) {
    if (all.some((fork) => isConfirmed(fork) && !own(fork))) ended = all.filter(own);
  }
  for (const fork of ended) forks.delete(forkOf(fork));
  return branch !== undefined && !ended.some(isConfirmed);
}

function byEnd({ callId, state }: DialogSnapshot, over: Over): Verdict {
  // A key may be used again, for another call.
  if (callId !== over.callId) return 'accepted';
  return state === 'terminated' ? 'duplicate' : 'stale';
}

function byState(dialog: DialogSnapshot, held: Held): Verdict {
  const fork = held.forks.get(forkOf(dialog));
  const half = dialog.branch === undefined && dialog.callee.tag === undefined;
  // Without branch and tag it was said before there were any.
  const states = fork ? [fork.state] : half ? [...held.forks.values()].map(({ state }) => state) : [];
  return states.some((state) => RANK[state] > RANK[dialog.state]) ? 'stale' : 'accepted';
}
