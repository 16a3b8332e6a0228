/** Events of the sources -> publications. */
import {
  type Binding,
  type BindingEvent,
  type BindingHints,
  channels,
  type PuaApi,
  PuaError,
  type PuaModule,
  SourceFlag,
} from '@pua/core';
import { presence } from '@pua/documents';
import { Aggregate } from './aggregate.js';
import { Farewells } from './farewells.js';
import { identityOf, presentityUri } from './identity.js';
import { closedDocument, writeDocument } from './mapping.js';
import type { Settings } from './options.js';
import { Outbox } from './outbox.js';
import { PerBinding } from './per-binding.js';
import type { Publisher } from './publisher.js';
import { Reconciliation } from './reconciliation.js';

/** Seconds that the closed document of aggregate mode stands when explicit_offline does not say. */
const AGGREGATE_OFFLINE_S = 60;
/** AORs whose error was told; beyond it they are forgotten, and told once more. */
const MAX_TOLD = 10_000;

/** What there is between setup() and stop(). */
interface Life {
  readonly pua: PuaApi;
  readonly publisher: Publisher;
  readonly farewells: Farewells | undefined;
  /** Until it is done. */
  reconciliation: Reconciliation | undefined;
  readonly takeBack: readonly (() => void)[];
}

export class UsrlocModule implements PuaModule {
  readonly name = 'usrloc';
  /** Settles when the bindings of the sources and the publications of the last run have been compared; never rejects. */
  readonly reconciled: Promise<void>;
  #isReconciled!: () => void;
  readonly #settings: Settings;
  readonly #told = new Set<string>();
  #life: Life | undefined;

  constructor(settings: Settings) {
    this.#settings = settings;
    this.reconciled = new Promise((resolve) => {
      this.#isReconciled = resolve;
    });
  }

  setup(pua: PuaApi): void {
    const { sources, isPublished, parameters } = this.#settings;
    const { aggregate, explicitOffline, grace, presenceServer } = parameters;
    pua.addEvent(presence);
    const outbox = new Outbox(pua, presenceServer ?? undefined);
    const offlineS = explicitOffline || (aggregate === 1 ? AGGREGATE_OFFLINE_S : 0);
    const farewells = offlineS > 0 ? new Farewells(pua, outbox, offlineS) : undefined;
    const options = { clock: pua.clock, outbox, documents: parameters, grace };
    const publisher = aggregate === 1 ? new Aggregate(options, farewells!) : new PerBinding(options, farewells);
    const reconciliation = new Reconciliation({
      pua,
      sources,
      publisher,
      isPublished,
      attempt: (aor, work) => this.#attempt(aor, work),
      presentityOf: ({ aor }) => this.#presentityOf(aor),
      isOver: (binding) => isOver(binding, pua.clock.wall()),
      orphan: ({ presUri, id }, isLast) => {
        if (!farewells || !isLast) return outbox.end(presUri, id);
        farewells.say(presUri, id, closedDocument(presUri, undefined, pua.clock.wall(), parameters));
      },
    });
    const takeBack = [
      ...sources.map((source) => source.onEvent((event) => this.#onEvent(event))),
      pua.documentNeeded(SourceFlag.UL_PUBLISH, ({ presUri }) =>
        writeDocument(presUri, [{ basic: 'open' }], parameters),
      ),
    ];
    this.#life = { pua, publisher, farewells, reconciliation, takeBack };
  }

  /** Reconciles beside everything else: nothing waits for it. */
  start(): void {
    const life = this.#life!;
    void life
      .reconciliation!.run()
      .catch((error: unknown) => this.#fault('reconciliation with the sources, which was not finished', error))
      .finally(() => {
        life.reconciliation = undefined;
        this.#isReconciled();
      });
  }

  stop(): void {
    for (const takeBack of this.#life?.takeBack ?? []) takeBack();
    this.#life?.reconciliation?.stop();
    this.#life?.farewells?.stop();
    this.#life = undefined;
  }

  #onEvent(event: BindingEvent): void {
    try {
      this.#handle(event);
    } catch (error) {
      this.#tell(event.binding.aor, error);
    }
  }

  /**
   * Whether it is published is decided when a binding appears or is refreshed. An end needs no decision: the record of
   * the core knows whether there is something to end.
   */
  #handle({ kind, binding, previous, siblings, hints }: BindingEvent): void {
    const life = this.#life;
    if (!life) return;
    const { publisher, reconciliation, pua } = life;
    reconciliation?.touch(binding);
    if (previous) reconciliation?.touch(previous);
    const isEnd = kind === 'delete' || kind === 'expire';
    const isPublished = !isEnd && !isOver(binding, pua.clock.wall()) && this.#isPublished(binding, hints);
    const changesIdentity = previous !== undefined && identityOf(previous) !== identityOf(binding);
    if (!isEnd && !isPublished && !changesIdentity) return;
    const presUri = this.#presentityOf(binding.aor);
    reconciliation?.touchPublication(presUri, binding);
    if (previous) reconciliation?.touchPublication(presUri, previous);
    if (isEnd) publisher.vanish(presUri, binding, siblings);
    else if (!isPublished) publisher.vanish(presUri, previous!, siblings);
    else if (kind === 'insert') publisher.appear(presUri, binding);
    else publisher.refresh(presUri, binding, previous);
  }

  /** What another node or another registrar has bound is published there. */
  #isPublished(binding: Binding, hints: BindingHints = {}): boolean {
    if (hints.origin !== undefined && hints.origin !== 'local') return false;
    return hints.publish ?? this.#settings.isPublished(binding);
  }

  #presentityOf(aor: string): string {
    return presentityUri(aor, this.#settings.parameters.defaultDomain);
  }

  #attempt(aor: string, work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#tell(aor, error);
    }
  }

  /** Once per AOR, not with every REGISTER. */
  #tell(aor: string, error: unknown): void {
    // It is shutting down: nothing is sent any more.
    if (error instanceof PuaError && error.code === 'PUA_ERR_STATE') return;
    if (this.#told.has(aor)) return;
    if (this.#told.size >= MAX_TOLD) this.#told.clear();
    this.#told.add(aor);
    this.#fault(`AOR ${JSON.stringify(aor)}`, error);
  }

  #fault(where: string, error: unknown): void {
    channels.fault.publish({ type: 'fault', where: `usrloc: ${where}`, error });
  }
}

const isOver = ({ expiresAt }: Binding, now: number): boolean => expiresAt !== 0 && expiresAt <= now;
