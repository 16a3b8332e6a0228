/**
 * At the start: what the sources have, against what is published. Goes in steps, so that a hundred thousand bindings do
 * not keep the process from its other work; events that come meanwhile win over the snapshots.
 */
import { type Binding, type PuaApi, type PuaRecord, type RegistrationSource, SourceFlag } from '@pua/core';
import { identityOf } from './identity.js';
import type { Publisher } from './publisher.js';

/** So many bindings or records are looked at in one go; then the event loop has its turn. */
const STEP = 500;

export interface ReconciliationOptions {
  readonly pua: PuaApi;
  readonly sources: readonly RegistrationSource[];
  readonly publisher: Publisher;
  readonly isPublished: (binding: Binding) => boolean;
  /** Runs the work for an AOR; what it throws is told. */
  readonly attempt: (aor: string, work: () => void) => void;
  readonly presentityOf: (binding: Binding) => string;
  readonly isOver: (binding: Binding) => boolean;
  /** A publication whose binding is there no more. */
  readonly orphan: (record: PuaRecord, isLast: boolean) => void;
}

/** Bindings by identity, of one presentity. */
type Bindings = Map<string, Binding>;

export class Reconciliation {
  readonly #o: ReconciliationOptions;
  readonly #touched = new Set<string>();
  #looked = 0;
  #stopped = false;

  constructor(options: ReconciliationOptions) {
    this.#o = options;
  }

  /** An event has told about a binding: its snapshot says nothing any more ... */
  touch(binding: Binding): void {
    this.#touched.add(keyOf(binding.aor, identityOf(binding)));
  }

  /** ... and has published it or ended its publication. */
  touchPublication(presUri: string, binding: Binding): void {
    this.#touched.add(keyOf(presUri, this.#o.publisher.idOf(binding)));
  }

  stop(): void {
    this.#stopped = true;
  }

  /** Sources that can't tell what they have are left out, and with them nobody can tell what is an orphan. */
  async run(): Promise<void> {
    const tellers = this.#o.sources.filter((source) => source.snapshot !== undefined);
    if (tellers.length === 0) return;
    const live = new Map<string, Bindings>();
    for (const source of tellers) await this.#collect(source.snapshot!(), live);
    await this.#publish(live);
    if (tellers.length === this.#o.sources.length) await this.#endOrphans(live);
  }

  async #collect(snapshot: AsyncIterable<Binding>, live: Map<string, Bindings>): Promise<void> {
    const { attempt, isOver, presentityOf } = this.#o;
    for await (const binding of snapshot) {
      if (!(await this.#goOn())) return;
      if (isOver(binding)) continue;
      attempt(binding.aor, () => {
        const presUri = presentityOf(binding);
        const bindings = live.get(presUri);
        if (bindings) bindings.set(identityOf(binding), binding);
        else live.set(presUri, new Map([[identityOf(binding), binding]]));
      });
    }
  }

  async #publish(live: ReadonlyMap<string, Bindings>): Promise<void> {
    const { attempt, isPublished, publisher } = this.#o;
    for (const [presUri, bindings] of live) {
      if (!(await this.#goOn())) return;
      const all = [...bindings.values()];
      const untouched = all.filter((binding) => !this.#touched.has(keyOf(binding.aor, identityOf(binding))));
      attempt(all[0]!.aor, () => publisher.reconcile(presUri, untouched, isPublished));
    }
  }

  async #endOrphans(live: ReadonlyMap<string, Bindings>): Promise<void> {
    const { attempt, orphan, pua, publisher } = this.#o;
    for (const record of pua.list({ kind: 'publication', sourceFlag: SourceFlag.UL_PUBLISH })) {
      if (!(await this.#goOn())) return;
      const { presUri, id } = record;
      const bindings = [...(live.get(presUri)?.values() ?? [])];
      // A publication of Kamailio's ends when its binding is told about (by Call-ID), else with its registration: a
      // registrar that has just taken over knows nobody yet.
      const isSpared = record.body === null || this.#touched.has(keyOf(presUri, id));
      if (isSpared || bindings.some((binding) => publisher.idOf(binding) === id)) continue;
      attempt(presUri, () => orphan(record, bindings.length === 0));
    }
  }

  /** Lets others work now and then; false: it was stopped meanwhile. */
  async #goOn(): Promise<boolean> {
    if (++this.#looked % STEP === 0) {
      await new Promise<void>((resolve) => void this.#o.pua.clock.after(0, resolve));
    }
    return !this.#stopped;
  }
}

const keyOf = (whose: string, id: string): string => `${whose} ${id}`;
