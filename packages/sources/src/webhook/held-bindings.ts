/**
 * The bindings that the webhook has heard of: what tells a late or repeated event from a new one, and whose time is over.
 * One that has ended is remembered for an hour.
 */
import { type Binding, type BindingEvent, type Clock, Schedule, type Scheduled } from '@pua/core';
import type { RegistrationEntry } from './entries/registration.js';
import { Memory, REMEMBERED_MS } from './memory.js';
import { bySequence, type Verdict } from './verdict.js';

interface Held extends Scheduled {
  readonly key: string;
  readonly aorKey: string;
  binding: Binding;
  sequence: number | undefined;
  ended: boolean;
  deadline: number;
}

/** All events of an AOR are in order. */
export const aorKey = ({ table = 'location', aor }: Binding): string => `${table}\n${aor}`;
const bindingKey = (binding: Binding): string => `${aorKey(binding)}\n${binding.bindingId ?? binding.contact}`;

export class HeldBindings {
  readonly #held = new Map<string, Held>();
  /** By AOR, as the last event told. */
  readonly #siblings = new Map<string, readonly Binding[]>();
  readonly #seen: Memory<true>;
  readonly #schedule: Schedule<Held>;

  /** @param expired is told when the time of a binding is over; absent: the sender tells that */
  constructor(
    private readonly clock: Clock,
    private readonly expired: ((event: BindingEvent) => void) | undefined,
  ) {
    this.#seen = new Memory(clock);
    this.#schedule = new Schedule(clock, (held) => this.#due(held));
  }

  get size(): number {
    return this.#held.size;
  }

  stop(): void {
    this.#schedule.stop();
  }

  /** Notes an event that is new. */
  judge({ event, id, sequence }: RegistrationEntry): Verdict {
    const { kind, binding } = event;
    const key = bindingKey(binding);
    const { callId, cseq } = binding;
    const same = [
      ...(id === undefined ? [] : [`${key}\n${id}`]),
      ...(callId === undefined || cseq === undefined ? [] : [`${key}\n${callId}\n${cseq}\n${kind}`]),
    ];
    if (same.some((name) => this.#seen.get(name))) return 'duplicate';
    const held = this.#held.get(key);
    const late = held && bySequence(sequence, held.sequence);
    if (late) return late;
    const verdict = held ? byState(event, held) : 'accepted';
    if (verdict === 'stale') return verdict;
    for (const name of same) this.#seen.set(name, true);
    // An end after an end changes nothing, but what was sent before it is late from now on.
    this.#note(held, key, event, sequence);
    return verdict;
  }

  #note(known: Held | undefined, key: string, event: BindingEvent, sequence: number | undefined): void {
    const { kind, binding, siblings } = event;
    const of = aorKey(binding);
    const held = known ?? { key, aorKey: of, binding, sequence, ended: false, deadline: 0, scheduleIndex: -1 };
    held.binding = binding;
    held.sequence = sequence ?? held.sequence;
    held.ended = isEnd(kind);
    held.deadline = held.ended ? this.clock.now() + REMEMBERED_MS : this.#deadline(binding);
    this.#held.set(key, held);
    this.#schedule.update(held);
    this.#setSiblings(of, siblings);
  }

  #setSiblings(of: string, siblings: readonly Binding[] | undefined): void {
    if (siblings && siblings.length > 0) this.#siblings.set(of, siblings);
    else this.#siblings.delete(of);
  }

  #deadline({ expiresAt }: Binding): number {
    if (expiresAt === 0) return Number.POSITIVE_INFINITY;
    const end = this.clock.now() + expiresAt - this.clock.wall();
    return this.expired ? end : end + REMEMBERED_MS;
  }

  #due(held: Held): void {
    if (held.ended || !this.expired) {
      this.#held.delete(held.key);
      return;
    }
    held.ended = true;
    held.deadline = this.clock.now() + REMEMBERED_MS;
    this.#schedule.update(held);
    const told = this.#siblings.get(held.aorKey);
    const siblings = told?.filter((sibling) => bindingKey(sibling) !== held.key);
    this.#setSiblings(held.aorKey, siblings);
    this.expired({ kind: 'expire', binding: held.binding, ...(siblings ? { siblings } : {}) });
  }
}

const isEnd = (kind: BindingEvent['kind']): boolean => kind === 'delete' || kind === 'expire';

function byState({ kind, binding: { callId, cseq } }: BindingEvent, { binding: last, ended }: Held): Verdict {
  // Of one Call-ID the CSeq rises with every REGISTER (RFC 3261 10.2): a lower one was sent before what is known.
  const comparable = callId !== undefined && callId === last.callId && cseq !== undefined && last.cseq !== undefined;
  if (comparable && cseq < last.cseq) return 'stale';
  if (!ended) return 'accepted';
  // Neither end follows the other.
  if (isEnd(kind)) return 'duplicate';
  return comparable && cseq === last.cseq ? 'stale' : 'accepted';
}
