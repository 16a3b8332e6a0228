/**
 * Registrations out: the events of an AOR are gathered for a moment, then one PUBLISH tells all there is.
 *
 *   REGISTER, 2 contacts   -> insert, insert   PUBLISH  active: created, created
 *   REGISTER               -> update           PUBLISH  active: refreshed, registered
 *   one runs out           -> expire           PUBLISH  active: registered; terminated: expired
 *   Contact: *             -> delete           PUBLISH  terminated: unregistered
 *   terminated_lifetime later                  PUBLISH  Expires: 0
 */
import {
  type Binding,
  type BindingEvent,
  type PuaApi,
  type PuaRecord,
  type RegistrationSource,
  Schedule,
  SourceFlag,
} from '@pua/core';
import { type RegInfo, reg } from '@pua/documents';
import { aorUri } from './aor.js';
import { fault } from './fault.js';
import { nodePrefix, registrationId } from './ids.js';
import { changesOf, isLocal, liveBindings, regInfo, registeredUntil } from './mapping.js';
import type { CheckedOptions } from './options.js';
import { InStep } from './partial.js';
import { isSame, readDocument, withEnded } from './reconcile.js';
import { GRACE, PUBLISH_SOURCE, placeOfRecord, recordId } from './record.js';
import { type Place, Sources } from './sources.js';
import { Work } from './work.js';
import { writeWhatCanBe } from './writable.js';

const NEVER = Number.POSITIVE_INFINITY;
/** Milliseconds after which a source is asked again that could not tell its bindings. */
const ASK_AGAIN_MS = 5_000;

type Taken = ReturnType<Work['take']>;

/** What sources know of an AOR. */
interface Known {
  readonly bindings: readonly Binding[];
  /** Of its set, as sources write them. */
  readonly identities: readonly string[];
}

export class Publisher {
  readonly #pua: PuaApi;
  readonly #options: CheckedOptions;
  readonly #sources: Sources;
  readonly #prefix: string;
  readonly #work = new Map<string, Work>();
  readonly #schedule: Schedule<Work>;
  readonly #inStep: InStep | undefined;
  readonly #forget: (() => void)[];
  #running = false;
  #disableNext = false;

  constructor(pua: PuaApi, options: CheckedOptions) {
    this.#pua = pua;
    this.#options = options;
    this.#sources = new Sources(options.sources, options.ulDomain);
    this.#prefix = nodePrefix(options.nodeName);
    this.#schedule = new Schedule(pua.clock, (work) => this.#due(work));
    this.#forget = options.sources.map((source) => source.onEvent((event) => this.#onEvent(source, event)));
    if (options.partial === 1) {
      this.#inStep = new InStep(pua, (record) => this.#repeat(record));
      this.#forget.push(this.#inStep.forget);
    }
  }

  /** What came before is told now, and what is published is brought in line with what the sources have. */
  async start(): Promise<void> {
    await this.#reconcile();
    this.#running = true;
    for (const work of this.#work.values()) this.#arm(work);
  }

  stop(): void {
    this.#running = false;
    this.#schedule.stop();
    for (const forget of this.#forget) forget();
  }

  /** `reginfo_disable_publish` */
  disableNext(): void {
    this.#disableNext = true;
  }

  /**
   * `reginfo_update` (OpenSIPS): as after an update of the first contact of several, or the insertion of the only one.
   * @returns -1: no source tells bindings of the AOR
   */
  async update(aor: string): Promise<1 | -1> {
    const table = this.#sources.tableOf();
    const [first, ...others] = (await this.#sources.bindings({ aor, table })).filter(isLocal);
    if (!first) return -1;
    // As the events of the source name it: in another spelling it would be another publication.
    const work = this.#workOf({ aor: first.aor, table });
    work.changes.push({ kind: others.length > 0 ? 'update' : 'insert', binding: first });
    this.#plan(work, 0);
    return 1;
  }

  // ------------------------------------------------------------------------------------------------------ events

  #onEvent(source: RegistrationSource, event: BindingEvent): void {
    const { binding, siblings, hints } = event;
    // What was learned elsewhere is told there: an echo would go round for ever.
    if ((hints?.origin ?? 'local') !== 'local') return;
    const disabled = this.#disableNext || hints?.publish === false;
    const work = this.#workOfBinding(binding, event.kind);
    if (!work) return;
    this.#disableNext = false;
    if (siblings) work.siblings.set(source, siblings);
    else work.siblings.delete(source);
    if (disabled) return this.#arm(work);
    work.changes.push(...changesOf(event));
    this.#plan(work, this.#options.coalesce);
  }

  /** undefined: it is not one to be published, or cannot be. */
  #workOfBinding(binding: Binding, what: string): Work | undefined {
    const place = { aor: binding.aor, table: this.#sources.tableOf(binding) };
    if (!isLocal(binding) || !this.#sources.isLookedAt(place.table)) return undefined;
    try {
      return this.#workOf(place);
    } catch (error) {
      fault(error, `${what} of ${binding.aor}`);
      return undefined;
    }
  }

  /** @throws PuaError `PUA_ERR_OPTION` for an AOR without domain */
  #workOf(place: Place, record?: PuaRecord): Work {
    const presUri = record?.presUri ?? aorUri(place.aor, this.#options.defaultDomain);
    const id = record?.id ?? recordId(place);
    const key = `${presUri} ${id}`;
    const work = this.#work.get(key) ?? new Work(key, { presUri, id }, place);
    this.#work.set(key, work);
    return work;
  }

  #plan(work: Work, ms: number): void {
    work.tellAt = Math.min(work.tellAt, this.#pua.clock.now() + ms);
    this.#arm(work);
  }

  #arm(work: Work): void {
    // Until the snapshots are read, all of an AOR is gathered in one place.
    if (work.busy || !this.#running) return;
    if (work.deadline === NEVER) {
      this.#schedule.remove(work);
      this.#work.delete(work.key);
    } else this.#schedule.update(work);
  }

  #due(work: Work): void {
    if (work.tellAt <= this.#pua.clock.now()) void this.#tell(work);
    else this.#remove(work);
  }

  // ------------------------------------------------------------------------------------------------------ documents

  async #tell(work: Work): Promise<void> {
    const taken = work.take();
    work.busy = true;
    try {
      const known = await this.#ask(work, taken);
      if (known && this.#running) this.#publish(work, known, taken);
    } catch (error) {
      fault(error, `document of ${work.presUri}`);
    }
    work.busy = false;
    this.#arm(work);
  }

  /** undefined: a source has failed. */
  async #ask(work: Work, taken: Taken): Promise<Known | undefined> {
    try {
      const [bindings, identities] = await Promise.all([
        this.#sources.bindings(work, taken.siblings),
        this.#sources.identities(work.aor),
      ]);
      return { bindings, identities };
    } catch (error) {
      fault(error, `source of ${work.presUri}, asked again in ${ASK_AGAIN_MS / 1000} s`);
      work.putBack(taken, this.#pua.clock.now() + ASK_AGAIN_MS);
      return undefined;
    }
  }

  #publish(work: Work, { bindings, identities }: Known, { changes, reconcile }: Taken): void {
    const { profile, compatAttributes } = this.#options;
    const record = this.#pua.find(this.#query(work));
    const aors = this.#aorsOf(work, identities);
    if (aors.length === 0) return record && this.#remove(work);
    const now = this.#pua.clock.wall();
    const live = liveBindings(bindings, changes);
    const until = registeredUntil(live, now);
    // Taken in any case: until the next document is accepted, changes alone will not do.
    const inStep = this.#inStep?.take(record, aors.join(' ')) ?? false;
    const document = regInfo({
      registrations: aors.map((aor) => ({ aor, id: registrationId(this.#prefix, work, aor) })),
      live,
      changes,
      now,
      profile,
      compat: compatAttributes === 1,
      partial: inStep && !reconcile && until !== undefined,
    });
    const published = reconcile ? readDocument(record) : undefined;
    if (record && published && isSame(published, document, record, until)) {
      if (until === undefined) this.#planRemoval(work, record.desiredExpires - GRACE - now / 1000);
    } else if (record || until !== undefined || !reconcile) {
      this.#send(work, published ? withEnded(document, published) : document, until);
    }
  }

  /** The AOR and the others of its set; with `ul_identities_key` those that the source names, and no other. */
  #aorsOf({ presUri }: Work, identities: readonly string[]): string[] {
    const { ulIdentitiesKey, defaultDomain } = this.#options;
    const named = identities.flatMap((one) => {
      try {
        return [aorUri(one, defaultDomain)];
      } catch (error) {
        fault(error, `an identity of ${presUri} that is left out`);
        return [];
      }
    });
    return [...new Set(ulIdentitiesKey === null ? [presUri, ...named] : named)];
  }

  #send(work: Work, document: RegInfo, until: number | undefined): void {
    const { terminatedLifetime, outboundProxy } = this.#options;
    const { body, leftOut } = writeWhatCanBe(document);
    for (const { what, error } of leftOut) fault(error, `${what} of ${work.presUri} that is left out`);
    const left = until === undefined ? terminatedLifetime : Math.ceil((until - this.#pua.clock.wall()) / 1000);
    const handle = this.#pua.sendPublish({
      ...this.#query(work),
      flag: 'update',
      body,
      // A permanent contact: for ever.
      expires: until === 0 ? -1 : left + GRACE,
      ...(outboundProxy === null ? {} : { outboundProxy }),
      ...(this.#inStep ? { onLost: 'report' as const } : {}),
    });
    this.#inStep?.sent(handle, document.registrations.map(({ aor }) => aor).join(' '));
    if (until === undefined) this.#planRemoval(work, terminatedLifetime);
    else work.removeAt = NEVER;
  }

  #planRemoval(work: Work, seconds: number): void {
    work.removeAt = this.#pua.clock.now() + Math.max(0, seconds * 1000);
  }

  #remove(work: Work): void {
    work.removeAt = NEVER;
    this.#inStep?.take(this.#pua.find(this.#query(work)), '');
    this.#pua.sendPublish({ ...this.#query(work), expires: 0 });
    this.#arm(work);
  }

  #query({ presUri, id }: Work) {
    return { presUri, id, event: reg.name, sourceFlag: PUBLISH_SOURCE } as const;
  }

  // ------------------------------------------------------------------------------------------------------ in line

  /**
   * Missing AORs are published, those that are no longer there are told as terminated, the others stay as they are. An
   * AOR that an event has told of meanwhile is newer than the snapshot.
   */
  async #reconcile(): Promise<void> {
    const { telling, all } = this.#sources;
    const found = new Set<Work>();
    for (const source of telling) {
      for await (const binding of source.snapshot!()) {
        const work = this.#workOfBinding(binding, 'snapshot');
        if (!work) continue;
        found.add(work);
        if (work.changes.length === 0) work.siblings.set(source, [...(work.siblings.get(source) ?? []), binding]);
      }
    }
    // What nobody names is over, if all of them can tell.
    if (telling.length === all.length) for (const work of this.#published()) found.add(work);
    for (const work of found) {
      work.reconcile = true;
      if (work.changes.length > 0) continue;
      for (const source of telling) if (!work.siblings.has(source)) work.siblings.set(source, []);
      this.#plan(work, 0);
    }
  }

  *#published(): Iterable<Work> {
    for (const record of this.#pua.list({ kind: 'publication', sourceFlag: SourceFlag[PUBLISH_SOURCE] })) {
      const place = placeOfRecord(record);
      if (place && this.#sources.isLookedAt(place.table)) yield this.#workOf(place, record);
    }
  }

  /** What the server has may not be all there is: once more, in full. */
  #repeat(record: PuaRecord): void {
    const place = placeOfRecord(record);
    if (!place) return;
    const work = this.#workOf(place, record);
    work.reconcile = true;
    this.#plan(work, 0);
  }
}
