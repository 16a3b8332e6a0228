/** A source that says what the test tells it to, and keeps what is bound for its snapshot. */
import type { Binding, BindingEvent, BindingHints, BindingListener, Clock, RegistrationSource } from '@pua/core';

export const NOW = Date.UTC(2024, 0, 1);
export const HOUR = 3_600_000;

let rows = 0;

/** A binding of `location` as Kamailio has it: with a ruid. */
export function binding(change: Partial<Binding> = {}): Binding {
  const number = ++rows;
  return {
    aor: 'alice@example.com',
    bindingId: `uloc-1-${number}`,
    contact: `sip:alice@192.0.2.${number % 256}:5060`,
    expiresAt: NOW + HOUR,
    callId: `call-${number}`,
    cseq: 1,
    ...change,
  };
}

export class FakeRegistrar implements RegistrationSource {
  readonly listeners = new Set<BindingListener>();
  /** By AOR, then by binding. */
  readonly #bound = new Map<string, Map<string, Binding>>();
  /** Runs before each binding of a snapshot is given. */
  whileTelling: (given: Binding) => void = () => {};
  /** What a snapshot waits for before it gives the first one. */
  untilTelling: () => Promise<void> = async () => {};
  snapshot?: () => AsyncIterable<Binding>;

  constructor(options: { snapshot?: boolean } = {}) {
    if (options.snapshot ?? true) this.snapshot = () => this.#snapshot();
  }

  onEvent(listener: BindingListener): () => void {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  }

  async *#snapshot(): AsyncIterable<Binding> {
    await this.untilTelling();
    // What is bound meanwhile is told, too, as a table that is read in pages does.
    for (const bindings of this.#bound.values()) {
      for (const one of bindings.values()) {
        this.whileTelling(one);
        yield one;
      }
    }
  }

  all(): Binding[] {
    return [...this.#bound.values()].flatMap((bindings) => [...bindings.values()]);
  }

  /** Without a word to anybody. */
  forgetAll(): void {
    this.#bound.clear();
  }

  #bind(one: Binding): void {
    const bindings = this.#bound.get(one.aor) ?? new Map();
    this.#bound.set(one.aor, bindings.set(keyOf(one), one));
  }

  #unbind(one: Binding): void {
    this.#bound.get(one.aor)?.delete(keyOf(one));
  }

  tell(event: BindingEvent): void {
    for (const listener of this.listeners) void listener(event);
  }

  insert(one: Binding, hints?: BindingHints): Binding {
    this.#bind(one);
    this.tell({ kind: 'insert', binding: one, ...(hints ? { hints } : {}) });
    return one;
  }

  /** The binding as it is now. */
  update(previous: Binding, change: Partial<Binding>, hints?: BindingHints): Binding {
    const one = { ...previous, ...change };
    this.#unbind(previous);
    this.#bind(one);
    this.tell({ kind: 'update', binding: one, previous, ...(hints ? { hints } : {}) });
    return one;
  }

  delete(one: Binding, hints?: BindingHints): void {
    this.#end('delete', one, hints);
  }

  expire(one: Binding): void {
    this.#end('expire', one);
  }

  #end(kind: 'delete' | 'expire', one: Binding, hints?: BindingHints): void {
    this.#unbind(one);
    const siblings = [...(this.#bound.get(one.aor)?.values() ?? [])];
    this.tell({ kind, binding: one, siblings, ...(hints ? { hints } : {}) });
  }

  /** What has run out by now, told in one go. */
  expireDue(clock: Clock): void {
    for (const one of this.all()) if (one.expiresAt !== 0 && one.expiresAt <= clock.wall()) this.expire(one);
  }
}

const keyOf = ({ bindingId, contact }: Binding) => bindingId ?? contact;
