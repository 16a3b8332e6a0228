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
  PuaResult,
  PuaStats,
  PublInfo,
  RecordFilter,
  Source,
  SubsInfo,
} from './api.js';
import { checkUri } from './arguments.js';
import { PuaError } from './errors.js';
import { type EventDefinition, EventRegistry } from './events.js';
import { Handle } from './handle.js';
import { ownKey } from './key.js';
import type { RecordEvent } from './machine.js';
import { onNotify } from './notify.js';
import { channels } from './observe.js';
import { type CheckedOptions, checkOptions, type PuaOptions } from './options.js';
import { Authenticator } from './policy/auth.js';
import type { Timer } from './ports/runtime.js';
import type { IncomingRequest } from './ports/sip.js';
import type { StorePort } from './ports/store.js';
import { PublicationRecord } from './publication/record.js';
import { checkPublish } from './publication/request.js';
import type { AnyRecord, Host } from './record.js';
import { Records } from './records.js';
import { Registrations } from './registrations.js';
import { restore } from './restore.js';
import { Schedule } from './schedule.js';
import { Sender } from './sending/sender.js';
import { Counter, collectStats } from './stats.js';
import { alive } from './subscription/parts.js';
import { SubscriptionRecord } from './subscription/record.js';
import { checkSubscribe } from './subscription/request.js';

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
  readonly #modules: PuaModule[] = [];
  readonly #documentHooks = new WeakMap<AnyRecord, DocumentHook>();
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
      for (const record of this.#records.all()) settleAll(record, { outcome: 'stopped' });
      this.#state = 'stopped';
      await this.#store?.close();
    }
  }

  async #removeAll(graceMs: number): Promise<void> {
    for (const record of this.#records.all()) {
      if (record instanceof PublicationRecord) record.receive({ kind: 'unpublish', op: null, etag: '' });
      else if (record instanceof SubscriptionRecord) record.receive({ kind: 'unsubscribe', op: null });
    }
    const { clock } = this.#host.sip;
    const until = clock.now() + graceMs;
    while (this.#records.size > 0 && clock.now() < until) {
      await new Promise<void>((resolve) => void clock.after(20, resolve));
    }
  }

  // -------------------------------------------------------------------------------------------------- requests

  sendPublish(info: PublInfo): PuaHandle {
    const { identity, event, expires, etag, contentType, outboundProxy, extraHeaders } = checkPublish(
      info,
      this.#events,
    );
    this.#mustRun('sendPublish');
    const known = this.#records.get(identity.key) as PublicationRecord | undefined;
    const record = known ?? new PublicationRecord(this.#host, identity);
    const op = this.#handle(record, info.callback);
    let body = info.body ?? null;
    let tupleId = known?.state.tupleId ?? null;
    const version = known ? known.state.version + 1 : 0;
    if (expires !== 0 && typeof body === 'string' && event.process && contentType === event.contentType) {
      try {
        const newId = () => `t${this.#host.sip.random.token()}`;
        ({ body, tupleId } = event.process({ body, version, tupleId, newId }));
      } catch (error) {
        op.settle({ outcome: 'document-refused', cause: (error as Error).message });
        return op;
      }
    }
    if (!known) this.#records.add(record);
    if (info.cbParam !== undefined) record.cbParam = info.cbParam;
    if (info.documentNeeded) this.#documentHooks.set(record, info.documentNeeded);
    if (expires === 0) {
      record.receive({ kind: 'unpublish', op, etag });
      return op;
    }
    record.receive({
      kind: 'publish',
      op,
      body,
      contentType,
      expires,
      insert: info.flag === 'insert',
      etag,
      extraHeaders,
      outboundProxy,
      onLost: info.onLost ?? 'republish',
      version,
      tupleId,
    });
    return op;
  }

  sendSubscribe(info: SubsInfo): PuaHandle {
    const checked = checkSubscribe(info, this.#events);
    this.#mustRun('sendSubscribe');
    const { settings, expires, ownContact, outboundProxy, extraHeaders, preloadedRoutes } = checked;
    const fetch = info.fetch ?? false;
    const key = fetch
      ? ownKey(`fetch ${this.#host.sip.random.token()}`)
      : this.#subscriptionKey(info, checked.identity.key);
    const known = this.#records.get(key) as SubscriptionRecord | undefined;
    if (known && info.internalUpdateFlag) {
      const op = this.#handle(known, info.callback);
      op.settle({ outcome: 'nothing-to-do' });
      return op;
    }
    const parts = { settings, extraHeaders: extraHeaders ?? [], outboundProxy };
    const record = known ?? new SubscriptionRecord(this.#host, { ...checked.identity, key }, parts);
    if (known) {
      if (extraHeaders) known.extraHeaders = extraHeaders;
      if (outboundProxy !== '') known.outboundProxy = outboundProxy;
    } else this.#records.add(record);
    if (info.cbParam !== undefined) record.cbParam = info.cbParam;
    if (info.onNotify) record.onNotify = info.onNotify;
    const op = this.#handle(record, info.callback);
    if (expires === 0 && !fetch) {
      record.receive({ kind: 'unsubscribe', op });
    } else {
      const insert = info.flag === 'insert';
      record.receive({ kind: 'subscribe', op, expires: expires || -1, insert, fetch, ownContact, preloadedRoutes });
    }
    return op;
  }

  /**
   * `check_remote_contact`: with another remote target it is another subscription. Not compared when none is given, nor
   * when the caller chose the key.
   */
  #subscriptionKey(info: SubsInfo, key: string): string {
    if (info.key !== undefined || info.remoteTarget === undefined || !this.#options.checkRemoteContact) return key;
    const own = `${key}|${info.remoteTarget}`;
    if (this.#records.get(own)) return own;
    const known = this.#records.get(key) as SubscriptionRecord | undefined;
    return !known || known.settings.requestUri === info.remoteTarget ? key : own;
  }

  #handle(record: AnyRecord, callback: ((result: PuaResult, record: PuaRecord) => void) | undefined): Handle {
    if (!callback) return new Handle(record.key, undefined);
    return new Handle(record.key, (result) => {
      try {
        callback(result, record.show());
      } catch (error) {
        this.#registrations.fault(error, `callback of ${record.key}`);
      }
    });
  }

  // -------------------------------------------------------------------------------------------------- dialogs

  isDialog(dialog: DialogQuery): 'established' | 'provisional' | 'unknown' {
    const record = this.#records.dialog(dialog.callId, dialog.fromTag);
    const same = record?.identity.presUri === dialog.presUri && record.identity.watcherUri === dialog.watcherUri;
    if (!record || !same) return 'unknown';
    if (!alive(record.state, this.#host.sip.clock.now())) return 'provisional';
    return record.state.remoteTag === dialog.toTag ? 'established' : 'unknown';
  }

  getRecordId(dialog: DialogQuery): string | undefined {
    if (this.isDialog(dialog) === 'unknown') return undefined;
    return this.#records.dialog(dialog.callId, dialog.fromTag)?.identity.id;
  }

  /** Looks at every record: meant for list servers at the pace of their own requests. */
  getSubscriptions(id: string): readonly string[] {
    const found: string[] = [];
    for (const record of this.#records.all()) {
      if (record.kind === 'subscription' && record.identity.id === id) found.push(record.identity.presUri);
    }
    return found;
  }

  updateContact(dialog: Pick<DialogQuery, 'callId' | 'toTag' | 'fromTag'>, contact: string): boolean {
    const record = this.#records.dialog(dialog.callId, dialog.fromTag);
    const target = checkUri('contact', contact);
    if (!record || record.state.remoteTag !== dialog.toTag || !alive(record.state, this.#host.sip.clock.now()))
      return false;
    record.retarget(target);
    return true;
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

  events(): readonly EventDefinition[] {
    return this.#events.all();
  }

  // -------------------------------------------------------------------------------------------------- looking in

  show(key: string): PuaRecord | undefined {
    return this.#records.get(key)?.show();
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
    if (type === 'document-needed' && record instanceof PublicationRecord) void this.#askForDocument(record);
  }

  async #askForDocument(record: PublicationRecord): Promise<void> {
    const own = this.#documentHooks.get(record);
    const { presUri, id, event, source } = record.identity;
    for (const hook of own ? [own] : this.#registrations.documentHooks(source)) {
      try {
        const body = await hook(record.show());
        // The owner may have published, or ended it, while the hook was thinking.
        if (this.#records.get(record.key) !== record || record.state.body !== null) return;
        if (body === undefined) continue;
        const left = Math.ceil((record.state.desiredUntil - this.#host.sip.clock.now()) / 1000);
        const expires = left === Number.POSITIVE_INFINITY ? -1 : Math.max(1, left);
        this.sendPublish({ presUri, id, event: event.flag, sourceFlag: source, body, expires });
        return;
      } catch (error) {
        this.#registrations.fault(error, `documentNeeded of ${record.key}`);
      }
    }
    this.#announce(record, 'lost', {});
  }
}

/** Nobody is left waiting when the process goes. */
function settleAll(record: AnyRecord, result: PuaResult): void {
  if (!(record instanceof PublicationRecord || record instanceof SubscriptionRecord)) return;
  const { op, flightOp, next } = record.state;
  for (const waiting of [op, flightOp, next?.op]) (waiting as Handle | null | undefined)?.settle(result);
}

/** The factory of the contract: `createPua({ sip, store, ... })`. */
export function createPua(options: PuaOptions): Pua {
  return new Pua(options);
}
