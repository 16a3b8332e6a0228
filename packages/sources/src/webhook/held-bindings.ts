/**
 * The bindings that the webhook has heard of: what tells a late or repeated event from a new one, and whose time is over.
 * What was told last of a binding that has ended, or of an AOR without any, is remembered for an hour.
 */
import { type Binding, type BindingEvent, type BindingHints, type Clock, Schedule, type Scheduled } from '@pua/core';
import type { RegistrationEntry } from './entries/registration.js';
import { Memory, REMEMBERED_MS } from './memory.js';
import { bySequence, type Judged, type Verdict } from './verdict.js';

/** What was told last of a binding. */
interface Last {
  readonly binding: Binding;
  readonly sequence: number | undefined;
}

/** A binding that lives. */
interface Held extends Scheduled {
  readonly key: string;
  readonly aor: Aor;
  last: Last;
  hints: BindingHints | undefined;
  deadline: number;
}

interface Aor {
  readonly key: string;
  /** How many of its bindings live. */
  live: number;
  sequence: number | undefined;
  /** As the newest event told. */
  siblings: readonly Binding[] | undefined;
}

/** All events of an AOR are in order. */
export const aorKey = ({ table = 'location', aor }: Binding): string => `${table}\n${aor}`;
const bindingKey = (binding: Binding): string => `${aorKey(binding)}\n${binding.bindingId ?? binding.contact}`;

export class HeldBindings {
  readonly #held = new Map<string, Held>();
  readonly #ended: Memory<Last>;
  readonly #aors = new Map<string, Aor>();
  /** Those without a binding that lives. */
  readonly #emptyAors: Memory<Aor>;
  readonly #seen: Memory<true>;
  readonly #schedule: Schedule<Held>;

  /** @param expired is told when the time of a binding is over; absent: the sender tells that */
  constructor(
    private readonly clock: Clock,
    private readonly expired: ((event: BindingEvent) => void) | undefined,
  ) {
    this.#ended = new Memory(clock);
    this.#emptyAors = new Memory(clock);
    this.#seen = new Memory(clock);
    this.#schedule = new Schedule(clock, (held) => this.#due(held));
  }

  /** How many would live then, at most; an end needs no place. */
  sizeWith(entries: readonly RegistrationEntry[]): number {
    const isNew = ({ event: { kind, binding } }: RegistrationEntry) =>
      !isEnd(kind) && !this.#held.has(bindingKey(binding));
    return this.#held.size + entries.filter(isNew).length;
  }

  /** How many AORs have a binding that lives. */
  get aors(): number {
    return this.#aors.size;
  }

  stop(): void {
    this.#schedule.stop();
  }

  /** Notes an event that is new; `event` is what is to be told. */
  judge({ event, id, sequence }: RegistrationEntry): Judged<BindingEvent> {
    const { kind, binding } = event;
    const { callId, cseq } = binding;
    const key = bindingKey(binding);
    const names = [
      ...(id === undefined ? [] : [`${key}\n${id}`]),
      ...(callId === undefined || cseq === undefined ? [] : [`${key}\n${callId}\n${cseq}\n${kind}`]),
    ];
    if (names.some((name) => this.#seen.get(name))) return { verdict: 'duplicate' };
    const held = this.#held.get(key);
    const last = held?.last ?? this.#ended.get(key);
    const late = last && bySequence(sequence, last.sequence);
    if (late) return { verdict: late };
    const verdict = last ? byState(event, last.binding, held === undefined) : 'accepted';
    if (verdict === 'stale') return { verdict };
    for (const name of names) this.#seen.set(name, true);
    // An end after an end changes nothing, but what was sent before it is late from now on.
    const told = this.#note(held, key, event, sequence ?? last?.sequence);
    return verdict === 'accepted' ? { verdict, event: told } : { verdict };
  }

  #note(known: Held | undefined, key: string, event: BindingEvent, sequence: number | undefined): BindingEvent {
    const { kind, binding, hints } = event;
    const last = { binding, sequence };
    const aor = known?.aor ?? this.#aorOf(aorKey(binding));
    const told = inOrder(event, aor, sequence);
    if (isEnd(kind)) {
      this.#ended.set(key, last);
      if (known) this.#forget(known);
      else this.#place(aor);
      return told;
    }
    const held = known ?? { key, aor, last, hints, deadline: 0, scheduleIndex: -1 };
    held.last = last;
    held.hints = hints;
    held.deadline = this.#deadline(binding);
    this.#schedule.update(held);
    if (!known) {
      this.#held.set(key, held);
      aor.live++;
      this.#place(aor);
    }
    return told;
  }

  #forget(held: Held): void {
    this.#held.delete(held.key);
    this.#schedule.remove(held);
    held.aor.live--;
    this.#place(held.aor);
  }

  #aorOf(key: string): Aor {
    const known = this.#aors.get(key) ?? this.#emptyAors.get(key);
    return known ?? { key, live: 0, sequence: undefined, siblings: undefined };
  }

  #place(aor: Aor): void {
    if (aor.live > 0) this.#aors.set(aor.key, aor);
    else {
      this.#aors.delete(aor.key);
      this.#emptyAors.set(aor.key, aor);
    }
  }

  #deadline({ expiresAt }: Binding): number {
    if (expiresAt === 0) return Number.POSITIVE_INFINITY;
    const end = this.clock.now() + expiresAt - this.clock.wall();
    return this.expired ? end : end + REMEMBERED_MS;
  }

  #due(held: Held): void {
    this.#forget(held);
    if (!this.expired) return;
    const { key, aor, last, hints } = held;
    this.#ended.set(key, last);
    aor.siblings = aor.siblings?.filter((sibling) => bindingKey(sibling) !== key);
    const { siblings } = aor;
    this.expired({
      kind: 'expire',
      binding: last.binding,
      ...(siblings ? { siblings } : {}),
      ...(hints ? { hints } : {}),
    });
  }
}

const isEnd = (kind: BindingEvent['kind']): boolean => kind === 'delete' || kind === 'expire';

/** One that comes after newer ones of the other bindings does not know what became of these. */
function inOrder(event: BindingEvent, aor: Aor, sequence: number | undefined): BindingEvent {
  const isLate = sequence !== undefined && aor.sequence !== undefined && sequence < aor.sequence;
  if (!isLate) {
    aor.sequence = sequence ?? aor.sequence;
    aor.siblings = event.siblings;
    return event;
  }
  const { siblings: _, ...rest } = event;
  return aor.siblings ? { ...rest, siblings: aor.siblings } : rest;
}

function byState({ kind, binding: { callId, cseq } }: BindingEvent, last: Binding, ended: boolean): Verdict {
  // Of one Call-ID the CSeq rises with every REGISTER (RFC 3261 10.2): a lower one was sent before what is known.
  const comparable = callId !== undefined && callId === last.callId && cseq !== undefined && last.cseq !== undefined;
  if (comparable && cseq < last.cseq) return 'stale';
  if (!ended) return 'accepted';
  // Neither end follows the other.
  if (isEnd(kind)) return 'duplicate';
  return comparable && cseq === last.cseq ? 'stale' : 'accepted';
}
