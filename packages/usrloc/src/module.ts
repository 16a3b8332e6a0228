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
import { checkEvent } from './check.js';
import { Farewells } from './farewells.js';
import { identityOf, isLocal, presentityUri } from './identity.js';
import { writeDocument } from './mapping.js';
import type { Settings } from './options.js';
import { Outbox } from './outbox.js';
import { PerBinding } from './per-binding.js';
import type { Attempt, Publisher } from './publisher.js';
import { Reconciliation } from './reconciliation.js';

/** Seconds that the closed document of aggregate mode stands when explicit_offline does not say. */
const AGGREGATE_OFFLINE_S = 60;
/** AORs whose error was told; beyond it they are forgotten, and told once more. */
const MAX_TOLD = 10_000;

/** What there is between setup() and stop(). */
interface Life {
  readonly pua: PuaApi;
  readonly publisher: Publisher;
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
    const { sources, parameters } = this.#settings;
    const { aggregate, explicitOffline, grace, presenceServer } = parameters;
    pua.addEvent(presence);
    const attempt: Attempt = (whose, work) => this.#attempt(whose, work);
    const outbox = new Outbox(pua, presenceServer ?? undefined);
    const options = { clock: pua.clock, outbox, documents: parameters, grace, attempt };
    const publisher =
      aggregate === 1
        ? new Aggregate(options, new Farewells(options, explicitOffline || AGGREGATE_OFFLINE_S))
        : new PerBinding(options, explicitOffline > 0 ? new Farewells(options, explicitOffline) : undefined);
    const reconciliation = new Reconciliation({
      pua,
      sources,
      publisher,
      isPublished: (binding) => this.#isPublished(binding),
      attempt,
      fault: (where, error) => this.#fault(where, error),
      presentityOf: (aor, isNeeded) => this.#presentityOf(aor, isNeeded),
      isOver: (binding) => isOver(binding, pua.clock.wall()),
    });
    const takeBack = [
      ...sources.map((source) => source.onEvent((event) => this.#onEvent(event))),
      pua.documentNeeded(SourceFlag.UL_PUBLISH, ({ presUri }) =>
        writeDocument(presUri, [{ basic: 'open' }], parameters),
      ),
    ];
    this.#life = { pua, publisher, reconciliation, takeBack };
  }

  /** Reconciles beside everything else: nothing waits for it. */
  start(): void {
    const life = this.#life!;
    void life
      .reconciliation!.run()
      .catch((error: unknown) => this.#fault('reconciliation, which was not finished', error))
      .finally(() => {
        life.reconciliation = undefined;
        this.#isReconciled();
      });
  }

  stop(): void {
    for (const takeBack of this.#life?.takeBack ?? []) takeBack();
    this.#life?.reconciliation?.stop();
    this.#life?.publisher.stop();
    this.#life = undefined;
  }

  #onEvent(event: BindingEvent): void {
    this.#attempt(event?.binding?.aor, () => this.#handle(event));
  }

  /**
   * Whether it is published is decided when a binding appears or is refreshed. An end needs no decision: the record of
   * the core knows whether there is something to end.
   */
  #handle(event: BindingEvent): void {
    const life = this.#life;
    if (!life) return;
    checkEvent(event);
    const { kind, binding, previous, siblings, hints } = event;
    const { publisher, reconciliation, pua } = life;
    reconciliation?.touch(binding);
    if (previous) reconciliation?.touch(previous);
    const isEnd = kind === 'delete' || kind === 'expire';
    const isPublished = !isEnd && !isOver(binding, pua.clock.wall()) && this.#isPublished(binding, hints);
    const changesIdentity = previous !== undefined && identityOf(previous) !== identityOf(binding);
    if (!isEnd && !isPublished && !changesIdentity) return;
    const presUri = this.#presentityOf(binding.aor, () => isPublished);
    if (presUri === undefined) return;
    reconciliation?.touchPublication(presUri, binding);
    if (isEnd) publisher.vanish(presUri, binding, siblings);
    else if (!isPublished) publisher.vanish(presUri, previous!, siblings);
    else if (kind === 'insert') publisher.appear(presUri, binding);
    else publisher.refresh(presUri, binding, previous);
  }

  /** What another node or another registrar has bound is published there. */
  #isPublished(binding: Binding, hints: BindingHints = {}): boolean {
    const { origin = binding.origin, publish = binding.publish } = hints;
    return isLocal(origin) && (publish ?? this.#settings.isPublished(binding));
  }

  /** Undefined: no URI can be made of it. What was never published needs none. */
  #presentityOf(aor: string, isNeeded: () => boolean): string | undefined {
    try {
      return presentityUri(aor, this.#settings.parameters.defaultDomain);
    } catch (error) {
      if (isNeeded()) throw error;
      return undefined;
    }
  }

  #attempt(whose: string, work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#tell(whose, error);
    }
  }

  /** Once per AOR, not with every REGISTER. */
  #tell(whose: string, error: unknown): void {
    // It is shutting down: nothing is sent any more.
    if (error instanceof PuaError && error.code === 'PUA_ERR_STATE') return;
    if (this.#told.has(whose)) return;
    if (this.#told.size >= MAX_TOLD) this.#told.clear();
    this.#told.add(whose);
    this.#fault(`AOR ${JSON.stringify(whose)}`, error);
  }

  #fault(where: string, error: unknown): void {
    channels.fault.publish({ type: 'fault', where: `usrloc: ${where}`, error });
  }
}

const isOver = ({ expiresAt }: Binding, now: number): boolean => expiresAt !== 0 && expiresAt <= now;
