/**
 * The location service: bindings by AOR (RFC 3261 section 10, RFC 5626 section 6), in memory, with a store behind it when
 * they are to outlive the process.
 *
 *   register() --> checked as a whole --> table, schedule, store --> events, in order
 *   schedule   --> expire                                        --> event
 */
import {
  type Binding,
  type BindingEvent,
  type BindingHints,
  type BindingListener,
  type Clock,
  channels,
  PuaError,
  type RegistrationSink,
  type RegistrationSource,
  Schedule,
  type SinkMeta,
} from '@pua/core';
import { canonicalAor } from './aor.js';
import { bindingIdOf, bound, rowKeyOf, tableKeyOf, type Writable } from './bound.js';
import { AorBindings, Entry } from './entry.js';
import { Listeners } from './listeners.js';
import { type Change, type Fault, isFault, plan } from './plan.js';
import type { Registration, RegistrationFault, RegistrationResult } from './registration.js';
import type { LocationStore, StoredBinding } from './store.js';

export interface BindingsOptions {
  /** `pua.clock`: expiry runs on it. */
  readonly clock: Clock;
  /** Keeps bindings over a restart. */
  readonly store?: LocationStore;
  /** false: AORs are users without domain. Default true. */
  readonly useDomain?: boolean;
  /** Bindings of one AOR that REGISTERs can make. Default 10. */
  readonly maxContacts?: number;
  /** Bindings in total. Default 1 000 000. */
  readonly maxBindings?: number;
  /** Names the source in faults. Default `location`. */
  readonly name?: string;
}

/** Reasons of RFC 3680 that a `delete` can carry. */
const REASONS = ['unregistered', 'rejected', 'deactivated', 'probation'] as const;
const NO_HINTS: BindingHints = {};

export class Bindings implements RegistrationSource, RegistrationSink {
  readonly useDomain: boolean;
  readonly #clock: Clock;
  readonly #store: LocationStore | undefined;
  readonly #maxContacts: number;
  readonly #maxBindings: number;
  readonly #listeners: Listeners<BindingEvent>;
  readonly #schedule: Schedule<Entry>;
  readonly #aors = new Map<string, AorBindings>();
  /** Tables that NOTIFYs have written to. */
  readonly #sinkTables = new Set<string | undefined>();
  #size = 0;

  constructor(options: BindingsOptions) {
    const { clock, store, useDomain = true, maxContacts = 10, maxBindings = 1_000_000, name = 'location' } = options;
    this.useDomain = useDomain;
    this.#clock = clock;
    this.#store = store;
    this.#maxContacts = maxContacts;
    this.#maxBindings = maxBindings;
    this.#listeners = new Listeners(name);
    this.#schedule = new Schedule(clock, (entry) => this.#end(entry, 'expire', entry.hints));
  }

  /** How many bindings there are. */
  get size(): number {
    return this.#size;
  }

  /**
   * Reads the store. Those that ran out meanwhile are told as `expire` soon after, the others silently go on.
   * @throws PuaError of the store
   */
  async open(): Promise<void> {
    await this.#store?.open(this.#clock);
    try {
      await this.#store?.load((page) => {
        for (const stored of page) this.#restore(stored);
      });
    } catch (error) {
      // Nobody stops what has never started.
      await this.close();
      throw error;
    }
  }

  /** Writes what is not written yet. No more events come. */
  async close(): Promise<void> {
    this.#schedule.stop();
    await this.#store?.close();
  }

  // -------------------------------------------------------------------------------------------------- REGISTER

  /** Applies one REGISTER, all of it or nothing; its events are told before this returns. */
  register(registration: Registration): RegistrationResult {
    const aor = canonicalAor(registration.aor, this.useDomain);
    if (aor === undefined) return fault('malformed', 'Malformed Address-of-Record');
    const key = tableKeyOf(aor, registration.table);
    const known = this.#aors.get(key);
    const changes = plan(registration, known);
    if (isFault(changes)) return changes;
    const full = this.#tooMany(known?.entries.length ?? 0, changes);
    if (full) return full;
    if (changes.length > 0) this.#commit(known ?? new AorBindings(key, aor, registration.table), changes, registration);
    return { bindings: this.#live(this.#aors.get(key)) };
  }

  #tooMany(known: number, changes: readonly Change[]): Fault | undefined {
    let added = 0;
    let removed = 0;
    for (const { entry, update } of changes) {
      if (!entry) added++;
      else if (!update) removed++;
    }
    if (added === 0) return undefined;
    if (known + added - removed > this.#maxContacts)
      return fault('too-many-contacts', `More Than ${this.#maxContacts} Contacts`);
    return this.#size + added - removed > this.#maxBindings ? fault('full', 'Location Service Is Full') : undefined;
  }

  #commit(of: AorBindings, changes: readonly Change[], registration: Registration): void {
    const now = this.#clock.wall();
    const events: Writable<BindingEvent>[] = [];
    for (const { entry, update } of changes) {
      if (update) {
        const previous = entry?.binding;
        const binding = bound(of, update, registration, previous, now);
        const hints = this.#hints(registration, binding, entry?.hints);
        this.#put(of, entry, binding, hints, undefined);
        events.push(previous ? { kind: 'update', binding, previous, hints } : { kind: 'insert', binding, hints });
      } else if (entry) {
        this.#remove(entry);
        events.push({ kind: 'delete', binding: entry.binding, hints: entry.hints });
      }
    }
    const siblings = of.list();
    for (const event of events) {
      event.siblings = siblings;
      this.#listeners.tell(event);
    }
  }

  #hints(registration: Registration, binding: Binding, before: BindingHints = NO_HINTS): BindingHints {
    const { origin, fromUri } = registration;
    const publish = this.#publish(registration, binding);
    if (before.publish === publish && before.origin === origin && before.fromUri === fromUri) return before;
    const hints: Writable<BindingHints> = {};
    if (publish !== undefined) hints.publish = publish;
    if (origin !== undefined) hints.origin = origin;
    if (fromUri !== undefined) hints.fromUri = fromUri;
    return hints;
  }

  #publish({ publish }: Registration, binding: Binding): boolean | undefined {
    try {
      return publish?.(binding);
    } catch (error) {
      channels.fault.publish({ type: 'fault', where: `the publish predicate of ${this.#listeners.where}`, error });
      return undefined;
    }
  }

  // -------------------------------------------------------------------------------------------------- source

  onEvent(listener: BindingListener): () => void {
    return this.#listeners.add(listener);
  }

  async *snapshot(): AsyncGenerator<Binding> {
    for (const of of this.#aors.values()) for (const entry of this.#liveOf(of)) yield toldAgain(entry);
  }

  async bindings(aor: string, table?: string): Promise<readonly Binding[]> {
    const canonical = canonicalAor(aor, this.useDomain);
    return canonical === undefined ? [] : this.#live(this.#aors.get(tableKeyOf(canonical, table)));
  }

  /** What has run out but not been told yet is gone already. */
  #live(of: AorBindings | undefined): readonly Binding[] {
    return this.#liveOf(of).map(({ binding }) => binding);
  }

  #liveOf(of: AorBindings | undefined): readonly Entry[] {
    const now = this.#clock.now();
    return of?.entries.filter(({ deadline }) => deadline > now) ?? [];
  }

  // -------------------------------------------------------------------------------------------------- sink

  /**
   * A binding that a REGISTER made here is left as it is: this registrar knows better than the one that tells.
   * @throws PuaError `PUA_ERR_ARGUMENT` for what can't be an AOR, `PUA_ERR_STATE` when there is no place
   */
  async upsert(given: Binding, { origin, subscriptionId }: SinkMeta): Promise<'inserted' | 'updated'> {
    const aor = canonicalAor(given.aor, this.useDomain);
    if (aor === undefined)
      throw new PuaError('PUA_ERR_ARGUMENT', `aor: must be user@domain or a SIP URI, not ${JSON.stringify(given.aor)}`);
    const key = tableKeyOf(aor, given.table);
    const of = this.#aors.get(key) ?? new AorBindings(key, aor, given.table);
    const entry = of.find(given);
    if (entry && entry.owner === undefined) return 'updated';
    if (!entry && this.#size >= this.#maxBindings)
      throw new PuaError('PUA_ERR_STATE', `the location service is full: ${this.#maxBindings} bindings (maxBindings)`);
    const previous = entry?.binding;
    const binding: Binding = {
      ...given,
      aor,
      origin,
      bindingId: previous?.bindingId ?? given.bindingId ?? bindingIdOf(of, given),
      registeredAt: previous?.registeredAt ?? given.registeredAt ?? this.#clock.wall(),
    };
    const hints: BindingHints = { origin };
    this.#put(of, entry, binding, hints, subscriptionId);
    const siblings = of.list();
    if (!previous) this.#listeners.tell({ kind: 'insert', binding, siblings, hints });
    else this.#listeners.tell({ kind: 'update', binding, previous, siblings, hints });
    return previous ? 'updated' : 'inserted';
  }

  async remove(aor: string, contactKey: string, meta: SinkMeta & { readonly event: string }): Promise<boolean> {
    const entry = this.#owned(aor, meta.subscriptionId).find(({ binding }) => binding.bindingId === contactKey);
    if (!entry) return false;
    const reason = REASONS.find((known) => known === meta.event);
    const hints: BindingHints = { origin: meta.origin, ...(reason === undefined ? {} : { reason }) };
    this.#end(entry, meta.event === 'expired' ? 'expire' : 'delete', hints);
    return true;
  }

  async removeAll(aor: string, { origin, subscriptionId }: SinkMeta): Promise<number> {
    const owned = this.#owned(aor, subscriptionId);
    for (const entry of owned) this.#end(entry, 'delete', { origin });
    return owned.length;
  }

  async listOwned(aor: string, subscriptionId: string): Promise<readonly Binding[]> {
    return this.#owned(aor, subscriptionId).map(({ binding }) => binding);
  }

  #owned(aor: string, subscriptionId: string): readonly Entry[] {
    const canonical = canonicalAor(aor, this.useDomain);
    if (canonical === undefined) return [];
    const keys = new Set([...this.#sinkTables].map((table) => tableKeyOf(canonical, table)));
    const entries = [...keys].flatMap((key) => this.#aors.get(key)?.entries ?? []);
    return entries.filter(({ owner }) => owner === subscriptionId);
  }

  // -------------------------------------------------------------------------------------------------- table

  #put(
    of: AorBindings,
    known: Entry | undefined,
    binding: Binding,
    hints: BindingHints,
    owner: string | undefined,
  ): Entry {
    const entry = known ?? new Entry(of, rowKeyOf(of, binding.bindingId!), binding, hints, owner);
    entry.binding = binding;
    entry.hints = hints;
    entry.owner = owner;
    if (!known) this.#add(entry);
    this.#plan(entry);
    this.#store?.changed(entry, !known);
    return entry;
  }

  #add(entry: Entry): void {
    const { of, owner } = entry;
    if (of.entries.length === 0) this.#aors.set(of.key, of);
    if (owner !== undefined) this.#sinkTables.add(of.table);
    of.add(entry);
    this.#size++;
  }

  #plan(entry: Entry): void {
    const { expiresAt } = entry.binding;
    const clock = this.#clock;
    entry.deadline = expiresAt === 0 ? Number.POSITIVE_INFINITY : clock.now() + expiresAt - clock.wall();
    this.#schedule.update(entry);
  }

  #remove(entry: Entry): void {
    const { of } = entry;
    of.remove(entry);
    if (of.entries.length === 0) this.#aors.delete(of.key);
    this.#size--;
    this.#schedule.remove(entry);
    this.#store?.removed(entry.key);
  }

  #end(entry: Entry, kind: 'delete' | 'expire', hints: BindingHints): void {
    this.#remove(entry);
    this.#listeners.tell({ kind, binding: entry.binding, siblings: entry.of.list(), hints });
  }

  #restore({ key, binding, hints, owner }: StoredBinding): void {
    const { aor, table } = binding;
    const aorKey = tableKeyOf(aor, table);
    const of = this.#aors.get(aorKey) ?? new AorBindings(aorKey, aor, table);
    const entry = new Entry(of, key, binding, hints ?? NO_HINTS, owner);
    this.#add(entry);
    this.#plan(entry);
  }
}

const fault = (kind: RegistrationFault, reason: string) => ({ fault: kind, reason });

/** As events told it: a snapshot has no hints, and what was not to be published stays so. */
function toldAgain({ binding, hints }: Entry): Binding {
  return hints.publish === undefined ? binding : { ...binding, publish: hints.publish };
}
