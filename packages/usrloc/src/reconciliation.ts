/**
 * At the start: what the sources have, against what is published. Goes in steps, so that a hundred thousand bindings do
 * not keep the process from its other work; events that come meanwhile win over the snapshots.
 */
import { type Binding, type PuaApi, type RegistrationSource, SourceFlag } from '@pua/core';
import { checkBinding } from './check.js';
import { identityOf, isLocal } from './identity.js';
import type { Attempt, Found, Publisher } from './publisher.js';

/** So many bindings or records are looked at in one go; then the event loop has its turn. */
const STEP = 500;

export interface ReconciliationOptions {
  readonly pua: PuaApi;
  readonly sources: readonly RegistrationSource[];
  readonly publisher: Publisher;
  readonly isPublished: (binding: Binding) => boolean;
  readonly attempt: Attempt;
  readonly fault: (where: string, error: unknown) => void;
  /** Undefined: no URI can be made of its AOR, and none is needed. */
  readonly presentityOf: (aor: string, isNeeded: () => boolean) => string | undefined;
  readonly isOver: (binding: Binding) => boolean;
}

/** By presentity, then by identity. */
type Bindings = Map<string, Map<string, Binding>>;

export class Reconciliation {
  readonly #o: ReconciliationOptions;
  /** Bindings that an event has told of. */
  readonly #touched = new Set<string>();
  /** Publications of bindings that are there, or that an event has dealt with. */
  readonly #accounted = new Set<string>();
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
    this.#accounted.add(keyOf(presUri, this.#o.publisher.idOf(binding)));
  }

  stop(): void {
    this.#stopped = true;
  }

  async run(): Promise<void> {
    const live: Bindings = new Map();
    let isWhole = true;
    for (const [i, source] of this.#o.sources.entries()) {
      try {
        if (source.snapshot) await this.#collect(source.snapshot(), live);
        else isWhole = false;
      } catch (error) {
        isWhole = false;
        const where = `snapshot of source ${i + 1} of ${this.#o.sources.length}, which was not read to its end`;
        if (!this.#stopped) this.#o.fault(where, error);
      }
    }
    const found: Omit<Found, 'bindings'> = {
      isCompared: (binding) => isLocal(binding.origin) && !this.#touched.has(keyOf(binding.aor, identityOf(binding))),
      isPublished: this.#o.isPublished,
      isWhole,
    };
    await this.#compare(live, found);
    // Where one can't tell what it has, nobody can tell what is an orphan.
    if (isWhole) await this.#endOrphans(live, found);
  }

  async #collect(snapshot: AsyncIterable<Binding>, live: Bindings): Promise<void> {
    const { attempt, isOver, isPublished, presentityOf } = this.#o;
    for await (const binding of snapshot) {
      if (!(await this.#goOn())) return;
      attempt(binding?.aor, () => {
        checkBinding(binding);
        if (isOver(binding)) return;
        const presUri = presentityOf(binding.aor, () => isPublished(binding));
        if (presUri === undefined) return;
        const bindings = live.get(presUri);
        if (bindings) bindings.set(identityOf(binding), binding);
        else live.set(presUri, new Map([[identityOf(binding), binding]]));
      });
    }
  }

  async #compare(live: Bindings, found: Omit<Found, 'bindings'>): Promise<void> {
    const { attempt, publisher } = this.#o;
    for (const [presUri, ofPresentity] of live) {
      if (!(await this.#goOn())) return;
      const bindings = [...ofPresentity.values()];
      for (const binding of bindings) this.touchPublication(presUri, binding);
      attempt(bindings[0]!.aor, () => publisher.reconcile(presUri, { ...found, bindings }));
    }
  }

  async #endOrphans(live: Bindings, found: Omit<Found, 'bindings'>): Promise<void> {
    const { attempt, pua, publisher } = this.#o;
    for (const { presUri, id, body } of pua.list({ kind: 'publication', sourceFlag: SourceFlag.UL_PUBLISH })) {
      if (!(await this.#goOn())) return;
      // A publication of Kamailio's ends when its binding is told about (by Call-ID), else with its registration: a
      // registrar that has just taken over knows nobody yet.
      if (body === null) continue;
      const bindings = live.get(presUri);
      attempt(presUri, () => {
        if (!this.#accounted.has(keyOf(presUri, id))) publisher.abandon(presUri, id, [...(bindings?.values() ?? [])]);
        // An event has dealt with one binding; another one of that publication may have gone before.
        else if (!bindings) publisher.reconcile(presUri, { ...found, bindings: [] });
      });
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
