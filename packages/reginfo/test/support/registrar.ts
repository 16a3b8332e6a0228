/** A source that says what the test tells it to, and a sink; both on one table. */
import type {
  Binding,
  BindingEvent,
  BindingEventKind,
  BindingHints,
  BindingListener,
  RegistrationSink,
  RegistrationSource,
  SinkMeta,
} from '@pua/core';

export const NOW = Date.UTC(2024, 0, 1);
export const HOUR = 3_600_000;
export const ALICE = 'alice@example.com';

let number = 0;

/** A binding as Kamailio has it: with a ruid. */
export function binding(more: Partial<Binding> = {}): Binding {
  number++;
  return {
    aor: ALICE,
    bindingId: `uloc-1-${number}`,
    contact: `sip:alice@192.0.2.${number % 250}:5060`,
    expiresAt: NOW + HOUR,
    callId: `call-${number}`,
    cseq: 1,
    ...more,
  };
}

export interface RegistrarTraits {
  /** Events carry all bindings of the AOR. Default true. */
  readonly siblings?: boolean;
  /** Default true. */
  readonly bindings?: boolean;
  readonly snapshot?: boolean;
  readonly useDomain?: boolean;
}

export class FakeRegistrar implements RegistrationSource, RegistrationSink {
  readonly useDomain: boolean;
  readonly held = new Map<string, Binding>();
  /** Owners of the bindings that NOTIFYs have told. */
  readonly owners = new Map<string, string>();
  /** What the sink was told to do. */
  readonly writes: string[] = [];
  readonly listeners = new Set<BindingListener>();
  bindings?: (aor: string, table?: string) => Promise<readonly Binding[]>;
  snapshot?: () => AsyncIterable<Binding>;
  identities?: (aor: string) => Promise<readonly string[]>;
  readonly #siblings: boolean;

  constructor({ siblings = true, bindings = true, snapshot = true, useDomain = true }: RegistrarTraits = {}) {
    this.#siblings = siblings;
    this.useDomain = useDomain;
    if (bindings) this.bindings = async (aor, table = 'location') => this.of(aor, table);
    if (snapshot) this.snapshot = () => this.#snapshot();
  }

  // ---------------------------------------------------------------------------------------------------- source

  onEvent(listener: BindingListener): () => void {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  }

  async *#snapshot(): AsyncIterable<Binding> {
    yield* [...this.held.values()];
  }

  of(aor: string, table = 'location'): Binding[] {
    return [...this.held.values()].filter((one) => one.aor === aor && (one.table ?? 'location') === table);
  }

  insert(one: Binding, hints?: BindingHints): Binding {
    this.held.set(keyOf(one), one);
    this.#tell('insert', one, { hints });
    return one;
  }

  update(previous: Binding, more: Partial<Binding> = {}, hints?: BindingHints): Binding {
    const one = { ...previous, ...more };
    this.held.delete(keyOf(previous));
    this.held.set(keyOf(one), one);
    this.#tell('update', one, { previous, hints });
    return one;
  }

  delete(one: Binding, hints?: BindingHints): void {
    this.held.delete(keyOf(one));
    this.#tell('delete', one, { hints });
  }

  expire(one: Binding, hints?: BindingHints): void {
    this.held.delete(keyOf(one));
    this.#tell('expire', one, { hints });
  }

  #tell(
    kind: BindingEventKind,
    one: Binding,
    { previous, hints }: { previous?: Binding; hints: BindingHints | undefined },
  ): void {
    const event: BindingEvent = {
      kind,
      binding: one,
      ...(previous ? { previous } : {}),
      ...(hints ? { hints } : {}),
      ...(this.#siblings ? { siblings: this.of(one.aor, one.table) } : {}),
    };
    for (const listener of this.listeners) void listener(event);
  }

  // ---------------------------------------------------------------------------------------------------- sink

  async upsert(one: Binding, { subscriptionId, origin }: SinkMeta): Promise<'inserted' | 'updated'> {
    const known = this.held.has(keyOf(one));
    this.owners.set(keyOf(one), subscriptionId);
    this.writes.push(`${known ? 'update' : 'insert'} ${one.aor} ${one.contact}`);
    if (known) this.update(this.held.get(keyOf(one))!, one, { origin });
    else this.insert(one, { origin });
    return known ? 'updated' : 'inserted';
  }

  async remove(aor: string, contactKey: string, meta: SinkMeta & { event: string }): Promise<boolean> {
    const one = (await this.listOwned(aor, meta.subscriptionId)).find(({ bindingId }) => bindingId === contactKey);
    if (!one) return false;
    this.writes.push(`${meta.event} ${aor} ${one.contact}`);
    this.delete(one, { origin: meta.origin });
    return true;
  }

  async removeAll(aor: string, { origin, subscriptionId }: SinkMeta): Promise<number> {
    const owned = await this.listOwned(aor, subscriptionId);
    for (const one of owned) this.delete(one, { origin });
    this.writes.push(`all ${aor} ${owned.map(({ contact }) => contact)}`);
    return owned.length;
  }

  async listOwned(aor: string, subscriptionId: string): Promise<readonly Binding[]> {
    return [...this.held.values()].filter((one) => one.aor === aor && this.owners.get(keyOf(one)) === subscriptionId);
  }

  /** What NOTIFYs have brought. */
  get learned(): Binding[] {
    return [...this.held.values()].filter((one) => one.origin === 'reginfo');
  }

  /** The writes since the last call. */
  written(): string[] {
    return this.writes.splice(0);
  }
}

const keyOf = ({ aor, table, bindingId, contact }: Binding) => `${table ?? 'location'} ${aor} ${bindingId ?? contact}`;
