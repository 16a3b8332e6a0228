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
  type BindingEventKind,
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
import { AorBindings, Entry, identity } from './entry.js';
import { Listeners } from './listeners.js';
import { type Change, isFault, plan } from './plan.js';
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
    await this.#store?.load((page) => {
      for (const stored of page) this.#restore(stored);
    });
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
    const key = keyOf(aor, registration.table);
    const known = this.#aors.get(key);
    const changes = plan(registration, known);
    if (isFault(changes)) return changes;
    if (changes.length > 0) {
      const growth = changes.reduce((sum, { entry, update }) => sum + (update ? (entry ? 0 : 1) : -1), 0);
      const added = changes.some(({ entry }) => entry === undefined);
      if (added && (known?.entries.length ?? 0) + growth > this.#maxContacts)
        return fault('too-many-contacts', `More Than ${this.#maxContacts} Contacts`);
      if (added && this.#size + growth > this.#maxBindings) return fault('full', 'Location Service Is Full');
      this.#commit(known ?? new AorBindings(key, aor, registration.table), changes, registration);
    }
    return { bindings: this.#live(this.#aors.get(key)) };
  }

  #commit(of: AorBindings, changes: readonly Change[], registration: Registration): void {
    const { callId, cseq, received, path, userAgent, fromUri, origin } = registration;
    const now = this.#clock.wall();
    const events: { kind: BindingEventKind; binding: Binding; previous?: Binding; hints: BindingHints }[] = [];
    for (const { entry, update } of changes) {
      if (!update) {
        this.#remove(entry!);
        events.push({ kind: 'delete', binding: entry!.binding, hints: entry!.hints });
        continue;
      }
      const { expires, bindingId, ...contact } = update;
      const previous = entry?.binding;
      const binding: Binding = {
        aor: of.aor,
        ...(of.table === undefined ? {} : { table: of.table }),
        ...contact,
        bindingId: previous?.bindingId ?? bindingId ?? bindingIdOf(of, contact),
        expiresAt: expires === Number.POSITIVE_INFINITY ? 0 : now + expires * 1000,
        callId,
        cseq,
        ...(received === undefined ? {} : { received }),
        ...(path === undefined ? {} : { path }),
        ...(userAgent === undefined ? {} : { userAgent }),
        ...(origin === undefined ? {} : { origin }),
        registeredAt: previous?.registeredAt ?? now,
      };
      const publish = this.#publish(registration, binding);
      const hints: BindingHints = {
        ...(publish === undefined ? {} : { publish }),
        ...(origin === undefined ? {} : { origin }),
        ...(fromUri === undefined ? {} : { fromUri }),
      };
      this.#put(of, entry, binding, hints, undefined);
      events.push(previous ? { kind: 'update', binding, previous, hints } : { kind: 'insert', binding, hints });
    }
    const siblings = of.list();
    for (const event of events) this.#listeners.tell({ ...event, siblings });
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
    for (const of of this.#aors.values()) yield* this.#live(of);
  }

  async bindings(aor: string, table?: string): Promise<readonly Binding[]> {
    const canonical = canonicalAor(aor, this.useDomain);
    return canonical === undefined ? [] : this.#live(this.#aors.get(keyOf(canonical, table)));
  }

  /** What has run out but not been told yet is gone already. */
  #live(of: AorBindings | undefined): readonly Binding[] {
    const now = this.#clock.wall();
    return of?.list().filter(({ expiresAt }) => expiresAt === 0 || expiresAt > now) ?? [];
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
    const key = keyOf(aor, given.table);
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
    const of = canonical === undefined ? undefined : this.#aors.get(keyOf(canonical, undefined));
    return of?.entries.filter(({ owner }) => owner === subscriptionId) ?? [];
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
    const { of } = entry;
    if (of.entries.length === 0) this.#aors.set(of.key, of);
    of.entries.push(entry);
    this.#size++;
  }

  #plan(entry: Entry): void {
    const { expiresAt } = entry.binding;
    const { now, wall } = { now: this.#clock.now(), wall: this.#clock.wall() };
    entry.deadline = expiresAt === 0 ? Number.POSITIVE_INFINITY : now + expiresAt - wall;
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
    const aorKey = keyOf(aor, table);
    const of = this.#aors.get(aorKey) ?? new AorBindings(aorKey, aor, table);
    const entry = new Entry(of, key, binding, hints ?? NO_HINTS, owner);
    this.#add(entry);
    this.#plan(entry);
  }
}

const DEFAULT_TABLE = 'location';

const keyOf = (aor: string, table: string | undefined): string =>
  table === undefined || table === DEFAULT_TABLE ? aor : `${table} ${aor}`;

const fault = (kind: RegistrationFault, reason: string) => ({ fault: kind, reason });

/** Own identities name the AOR already. */
const OWN = 'b-';

function bindingIdOf(
  of: AorBindings,
  { instance, regId, contact }: Pick<Binding, 'instance' | 'regId' | 'contact'>,
): string {
  if (instance !== undefined && regId !== undefined) return `${instance};${regId}`;
  // A flow may have kept the identity of the contact that it began as.
  for (let n = 0; ; n++) {
    const id = `${OWN}${identity(of.key, contact, ...(n === 0 ? [] : [String(n)]))}`;
    if (!of.entries.some(({ binding }) => binding.bindingId === id)) return id;
  }
}

/** One phone may register its flow for several AORs. */
function rowKeyOf(of: AorBindings, bindingId: string): string {
  return bindingId.startsWith(OWN) ? bindingId : identity(of.key, bindingId);
}
