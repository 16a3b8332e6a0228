/** The Presence User Agent: modules hand in requests, records turn them into SIP, the store keeps them. */
import type {
  Command,
  DialogQuery,
  DocumentHook,
  NotifyHandler,
  PuaApi,
  PuaCallback,
  PuaHandle,
  PuaModule,
  PuaRecord,
  PuaStats,
  PublInfo,
  PublicationQuery,
  RecordFilter,
  Source,
  SubsInfo,
} from './api.js';
import { Dialogs } from './dialogs.js';
import { PuaError } from './errors.js';
import { type EventDefinition, EventRegistry } from './events.js';
import type { RecordEvent } from './machine.js';
import { onNotify } from './notify.js';
import { channels } from './observe.js';
import { type CheckedOptions, checkOptions, type PuaOptions } from './options.js';
import { Owners } from './owners.js';
import { Authenticator } from './policy/auth.js';
import type { Clock, Random, Timer } from './ports/runtime.js';
import type { IncomingRequest } from './ports/sip.js';
import type { StorePort } from './ports/store.js';
import { PublicationRecord } from './publication/record.js';
import type { AnyRecord, Host } from './record.js';
import { Records } from './records.js';
import { Registrations } from './registrations.js';
import { restore } from './restore.js';
import type { HttpRoute } from './routes.js';
import { Schedule } from './schedule.js';
import { Sender } from './sending/sender.js';
import { Counter, collectStats } from './stats.js';

/** Requests that come in while records are still being read. */
const MAX_HELD = 10_000;
/** Longest wait of one timer, milliseconds: more than setTimeout can do. */
const MAX_WAIT = 2 ** 31 - 1;

export class Pua implements PuaApi {
  readonly #options: CheckedOptions;
  readonly #store: StorePort | undefined;
  readonly #host: Host;
  readonly #sender: Sender;
  readonly #schedule: Schedule<AnyRecord>;
  readonly #records = new Records();
  readonly #events = new EventRegistry();
  readonly #registrations: Registrations;
  readonly #owners: Owners;
  readonly #dialogs: Dialogs;
  readonly #modules: PuaModule[] = [];
  readonly #requests = new Counter();
  readonly #notifies = new Counter();
  #held: IncomingRequest[] | null = null;
  #sweep: Timer | undefined;
  #state: 'new' | 'starting' | 'running' | 'stopping' | 'stopped' = 'new';
  #starting: Promise<void> | undefined;
  #stopping: Promise<void> | undefined;

  /** @throws PuaError `PUA_ERR_OPTION` that names the option */
  constructor(given: PuaOptions) {
    const options = checkOptions(given);
    const { sip } = given;
    const { clock } = sip;
    this.#options = options;
    this.#store = given.store;
    this.#registrations = new Registrations((error, where) => channels.fault.publish({ type: 'fault', where, error }));
    this.#schedule = new Schedule(clock, (record) => record.fire());
    this.#sender = new Sender({
      sip,
      policy: options.policy,
      auth: new Authenticator(options.credentials, options.digestAlgorithms, sip.random),
      ceiling: options.ceiling,
      count: (what) => this.#requests.add(what),
    });
    // One of each, filled in anew when asked for: they are read at once and never kept.
    const context = { now: 0, random: () => sip.random.uniform(), policy: options.policy };
    const wallClock = { now: 0, wall: 0 };
    this.#host = {
      sip,
      outboundProxies: options.outboundProxies,
      onePublishPerUri: options.onePublishPerUri,
      context: () => {
        context.now = clock.now();
        return context;
      },
      wallClock: () => {
        wallClock.now = clock.now();
        wallClock.wall = clock.wall();
        return wallClock;
      },
      ask: (record) => this.#sender.ask(record),
      schedule: (record) => this.#schedule.update(record),
      persist: (record) => void this.#store?.changed(record),
      indexed: this.#records.indexed,
      moved: (kind, from, to) => this.#records.moved(kind, from, to),
      gone: (record) => {
        this.#schedule.remove(record);
        this.#records.remove(record);
      },
      report: (record, cause, reply) => {
        this.#registrations.callBack(record, cause, reply);
        this.#announce(record, 'answer', { cause, reply });
      },
      emit: (record, event) => this.#emit(record, event),
    };
    this.#owners = new Owners({
      host: this.#host,
      records: this.#records,
      events: this.#events,
      registrations: this.#registrations,
      checkRemoteContact: options.checkRemoteContact,
      process: options.process,
    });
    this.#dialogs = new Dialogs(this.#records, clock);
  }

  get clock(): Clock {
    return this.#host.sip.clock;
  }

  get random(): Random {
    return this.#host.sip.random;
  }

  // -------------------------------------------------------------------------------------------------- life

  /** Adds a companion; before start(). */
  use(module: PuaModule): this {
    if (this.#state !== 'new') throw new PuaError('PUA_ERR_STATE', `use(${module.name}): only before start()`);
    module.setup(this);
    this.#modules.push(module);
    return this;
  }

  /** Opens the store, starts SIP, restores the records, starts the modules. When it throws, nothing is left open. */
  start(): Promise<void> {
    if (this.#state !== 'new') return Promise.reject(new PuaError('PUA_ERR_STATE', 'start(): it was started before'));
    this.#state = 'starting';
    this.#starting = this.#start();
    return this.#starting;
  }

  async #start(): Promise<void> {
    // A NOTIFY for a dialog that is not read yet must not get 481: it waits until all are.
    this.#held = [];
    try {
      await this.#store?.open();
    } catch (error) {
      this.#state = 'stopped';
      throw error;
    }
    const started: PuaModule[] = [];
    try {
      this.#host.sip.onUnbound((binding) => this.#records.unbound(binding));
      await this.#host.sip.start((request) => this.#incoming(request));
      if (this.#store) {
        this.#store.onLeaseLost(() => this.#sender.stop());
        await restore(this.#store, this.#options.fetchRows, this.#host, this.#events, this.#records);
      }
      for (const record of this.#records.all()) record.enlist();
      // From here on modules may act, also from the handlers of what has waited.
      this.#state = 'running';
      const held = this.#held;
      this.#held = null;
      for (const request of held) this.#incoming(request);
      for (const module of this.#modules) {
        await module.start?.();
        started.push(module);
      }
      this.#planSweep();
    } catch (error) {
      await this.#stopModules(started);
      await this.#shutDown(0).catch((failed: unknown) => this.#registrations.fault(failed, 'start() that failed'));
      throw error;
    }
  }

  /**
   * Stops accepting, finishes what is on the wire (at most `graceMs`), writes everything, gives the lease back. While
   * it starts: once it has started. Every later call waits for the first one.
   */
  async stop(graceMs = 5_000): Promise<void> {
    if (this.#state === 'starting') await this.#starting?.catch(() => {});
    if (this.#state === 'running') this.#stopping = this.#stop(graceMs);
    await this.#stopping;
  }

  async #stop(graceMs: number): Promise<void> {
    this.#state = 'stopping';
    await this.#stopModules(this.#modules);
    if (this.#options.onStop === 'unpublish') await this.#removeAll(graceMs);
    await this.#shutDown(graceMs);
  }

  /** In reverse; one that fails does not keep the others from being stopped. */
  async #stopModules(modules: readonly PuaModule[]): Promise<void> {
    for (const module of [...modules].reverse()) {
      try {
        await module.stop?.();
      } catch (error) {
        this.#registrations.fault(error, `stop() of module ${module.name}`);
      }
    }
  }

  async #shutDown(graceMs: number): Promise<void> {
    this.#sweep?.cancel();
    this.#sender.stop();
    try {
      await this.#host.sip.stop(graceMs);
    } finally {
      this.#schedule.stop();
      for (const record of this.#records.all()) record.abandon();
      this.#state = 'stopped';
      await this.#store?.close();
    }
  }

  async #removeAll(graceMs: number): Promise<void> {
    for (const record of this.#records.all()) record.end();
    const { clock } = this.#host.sip;
    const until = clock.now() + graceMs;
    while (this.#records.size > 0 && clock.now() < until) {
      await new Promise<void>((resolve) => void clock.after(20, resolve));
    }
  }

  // -------------------------------------------------------------------------------------------------- requests

  sendPublish(info: PublInfo): PuaHandle {
    this.#mustRun('sendPublish');
    return this.#owners.publish(info);
  }

  sendSubscribe(info: SubsInfo): PuaHandle {
    this.#mustRun('sendSubscribe');
    return this.#owners.subscribe(info);
  }

  // -------------------------------------------------------------------------------------------------- dialogs

  isDialog(dialog: DialogQuery): 'established' | 'provisional' | 'unknown' {
    return this.#dialogs.state(dialog);
  }

  getRecordId(dialog: DialogQuery): string | undefined {
    return this.#dialogs.recordId(dialog);
  }

  getSubscriptions(id: string): readonly string[] {
    return this.#dialogs.presentities(id);
  }

  updateContact(dialog: Pick<DialogQuery, 'callId' | 'toTag' | 'fromTag'>, contact: string): boolean {
    return this.#dialogs.updateContact(dialog, contact);
  }

  // -------------------------------------------------------------------------------------------------- registrations

  registerCallback(types: Source | readonly Source[], fn: PuaCallback, param?: unknown): () => void {
    return this.#registrations.addCallback(types, fn, param);
  }

  documentNeeded(types: Source | readonly Source[], hook: DocumentHook): () => void {
    return this.#registrations.addDocumentHook(types, hook);
  }

  addEvent(event: EventDefinition): void {
    this.#events.add(event);
  }

  handle(method: string, handler: (request: IncomingRequest) => void): void {
    this.#registrations.addMethod(method, handler);
  }

  onNotify(event: string, handler: NotifyHandler): () => void {
    return this.#registrations.addNotifyHandler(this.#events.get(event).name, handler);
  }

  registerCommand(command: Command): void {
    this.#registrations.addCommand(command);
  }

  command(name: string): Command | undefined {
    return this.#registrations.command(name);
  }

  commands(): readonly Command[] {
    return this.#registrations.commands();
  }

  registerRoute(route: HttpRoute): void {
    this.#registrations.addRoute(route);
  }

  routes(): readonly HttpRoute[] {
    return this.#registrations.routes();
  }

  events(): readonly EventDefinition[] {
    return this.#events.all();
  }

  // -------------------------------------------------------------------------------------------------- looking in

  show(key: string): PuaRecord | undefined {
    return this.#records.get(key)?.show();
  }

  find(publication: PublicationQuery): PuaRecord | undefined {
    return this.#owners.find(publication)?.show();
  }

  *list(filter: RecordFilter = {}): IterableIterator<PuaRecord> {
    const event = filter.event === undefined ? undefined : this.#events.get(filter.event);
    for (const record of this.#records.all()) {
      const { presUri, event: own, source } = record.identity;
      if (filter.kind !== undefined && record.kind !== filter.kind) continue;
      if (filter.presUri !== undefined && presUri !== filter.presUri) continue;
      if (event !== undefined && own !== event) continue;
      if (filter.sourceFlag !== undefined && source !== filter.sourceFlag) continue;
      if (filter.state !== undefined && record.phase !== filter.state) continue;
      yield record.show();
    }
  }

  stats(): PuaStats {
    return collectStats({
      records: this.#records,
      requests: this.#requests,
      notifies: this.#notifies,
      sender: this.#sender,
      scheduled: this.#schedule.size,
      store: this.#store,
      now: this.#host.sip.clock.now(),
    });
  }

  cleanup(): number {
    // Every record has its own deadline; what the sweep finds overdue is what a fault has left behind.
    const now = this.#host.sip.clock.now();
    let overdue = 0;
    for (const record of this.#records.all()) {
      if (record.deadline > now) continue;
      overdue++;
      record.fire();
    }
    return overdue;
  }

  #planSweep(): void {
    if (this.#options.updatePeriod <= 0) return;
    this.#sweep = this.#host.sip.clock.after(Math.min(MAX_WAIT, this.#options.updatePeriod * 1000), () => {
      this.cleanup();
      this.#planSweep();
    });
  }

  // -------------------------------------------------------------------------------------------------- parts

  #incoming(request: IncomingRequest): void {
    if (this.#held) {
      if (this.#held.length < MAX_HELD) this.#held.push(request);
      else request.reply(503, [['Retry-After', '5']]);
      return;
    }
    if (request.method === 'NOTIFY') {
      onNotify(request, {
        events: this.#events,
        records: this.#records,
        registrations: this.#registrations,
        maxBytes: this.#options.maxNotifyBytes,
        count: (status) => this.#notifies.add(String(status)),
        emit: (record, event) => this.#emit(record, event),
      });
      return;
    }
    const handler = this.#registrations.method(request.method);
    if (handler) handler(request);
    else request.pass();
  }

  #mustRun(call: string): void {
    if (this.#state === 'running') return;
    throw new PuaError('PUA_ERR_STATE', `${call}(): it is ${this.#state}; call start() first`);
  }

  #announce(record: AnyRecord, type: RecordEvent | 'answer', more: object): void {
    const channel = channels[record.kind];
    if (!channel.hasSubscribers) return;
    const { key, presUri, event } = record.identity;
    channel.publish({ key, presUri, event: event.name, type, ...more });
  }

  #emit(record: AnyRecord, type: RecordEvent): void {
    this.#announce(record, type, {});
    if (type !== 'document-needed' || !(record instanceof PublicationRecord)) return;
    void this.#owners.askForDocument(record).then((found) => {
      if (!found) this.#announce(record, 'lost', {});
    });
  }
}

/** The factory of the contract: `createPua({ sip, store, ... })`. */
export function createPua(options: PuaOptions): Pua {
  return new Pua(options);
}
