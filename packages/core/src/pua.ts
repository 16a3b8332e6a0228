/** The Presence User Agent: modules hand in requests, records turn them into SIP, the store keeps them. */
import type {
  Cause,
  Command,
  DialogQuery,
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
  Reply,
  Source,
  SubsInfo,
} from './api.js';
import { checkExpires, checkLine, checkSipUri, checkUri, sourceFlag } from './arguments.js';
import { PuaError } from './errors.js';
import { type EventDefinition, EventRegistry } from './events.js';
import { SourceFlag } from './flags.js';
import { Handle } from './handle.js';
import { readHeaders } from './headers.js';
import { ownKey, publicationKey, subscriptionKey } from './key.js';
import type { Context } from './machine.js';
import { type NotifyHost, onNotify } from './notify.js';
import { channels } from './observe.js';
import { type CheckedOptions, checkOptions, type PuaOptions } from './options.js';
import { Authenticator } from './policy/auth.js';
import type { Clock, Timer } from './ports/runtime.js';
import type { IncomingRequest, SipPort } from './ports/sip.js';
import type { StorePort } from './ports/store.js';
import { PublicationRecord } from './publication/record.js';
import type { AnyRecord, Host, Identity, RecordEvent } from './record.js';
import { restore } from './restore.js';
import { Schedule } from './schedule.js';
import { Sender } from './sending/sender.js';
import { Census, collectStats } from './stats.js';
import { alive } from './subscription/parts.js';
import { SubscriptionRecord } from './subscription/record.js';
import type { WallClock } from './walltime.js';

interface Registered {
  readonly mask: number;
  readonly fn: PuaCallback;
  readonly param: unknown;
}

/** Requests that come in while records are still being read. */
const MAX_HELD = 10_000;

export type DocumentHook = (
  record: PuaRecord,
) => string | Uint8Array | undefined | Promise<string | Uint8Array | undefined>;

export class Pua implements PuaApi {
  readonly options: CheckedOptions;
  readonly sip: SipPort;
  readonly store: StorePort | undefined;
  readonly #clock: Clock;
  readonly #records = new Map<string, AnyRecord>();
  /** Call-ID -> subscription: ours are unique. */
  readonly #dialogs = new Map<string, SubscriptionRecord>();
  readonly #events = new EventRegistry();
  readonly #schedule: Schedule<AnyRecord>;
  readonly #sender: Sender;
  readonly #modules: PuaModule[] = [];
  readonly #callbacks = new Set<Registered>();
  readonly #documentHooks: { readonly mask: number; readonly hook: DocumentHook }[] = [];
  readonly #recordHooks = new WeakMap<AnyRecord, DocumentHook>();
  readonly #notifyHandlers = new Map<string, Set<NotifyHandler>>();
  readonly #methods = new Map<string, (request: IncomingRequest) => void>();
  readonly #commands = new Map<string, Command>();
  readonly #requests = new Map<string, number>();
  readonly #notifies = new Map<string, number>();
  readonly #census = new Census();
  readonly #host: Host;
  readonly #notifyHost: NotifyHost;
  #held: IncomingRequest[] | null = null;
  #sweep: Timer | undefined;
  #state: 'new' | 'starting' | 'running' | 'stopping' | 'stopped' = 'new';

  /** @throws PuaError `PUA_ERR_OPTION` */
  constructor(given: PuaOptions) {
    this.options = checkOptions(given);
    this.sip = given.sip;
    this.store = given.store;
    this.#clock = given.sip.clock;
    const count = (what: string) => this.#requests.set(what, (this.#requests.get(what) ?? 0) + 1);
    const auth = new Authenticator(this.options.credentials, this.options.digestAlgorithms, given.sip.random);
    this.#sender = new Sender({
      sip: given.sip,
      policy: this.options.policy,
      auth,
      ceiling: this.options.ceiling,
      count,
    });
    this.#schedule = new Schedule(this.#clock, (record) => record.fire());
    const random = () => given.sip.random.uniform();
    const context = { now: 0, random, policy: this.options.policy };
    const wallClock = { now: 0, wall: 0 };
    this.#host = {
      sip: given.sip,
      outboundProxies: this.options.outboundProxies,
      isOwnContact: (contact) => given.sip.isOwnContact(contact),
      context: (): Context => {
        context.now = this.#clock.now();
        return context;
      },
      wallClock: (): WallClock => {
        wallClock.now = this.#clock.now();
        wallClock.wall = this.#clock.wall();
        return wallClock;
      },
      ask: (record) => this.#sender.ask(record),
      schedule: (record) => this.#schedule.update(record),
      persist: (record) => void this.store?.changed(record),
      moved: (kind, from, to) => this.#census.move(kind, from, to),
      gone: (record) => this.#forget(record),
      report: (record, cause, reply) => this.#report(record, cause, reply),
      emit: (record, event) => this.#emit(record, event),
      fault: (error, where) => channels.fault.publish({ type: 'fault', where, error }),
    };
    this.#notifyHost = {
      events: this.#events,
      maxBytes: this.options.maxNotifyBytes,
      find: (callId, localTag) => {
        const record = this.#dialogs.get(callId);
        return record?.state.localTag === localTag ? record : undefined;
      },
      handlers: (event) => this.#notifyHandlers.get(event.toLowerCase()) ?? [],
      fault: this.#host.fault,
      count: (status) => this.#notifies.set(String(status), (this.#notifies.get(String(status)) ?? 0) + 1),
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

  /** Opens the store, starts SIP, restores the records, starts the modules. What it throws leaves nothing open. */
  async start(): Promise<void> {
    if (this.#state !== 'new') throw new PuaError('PUA_ERR_STATE', 'start(): it was started before');
    this.#state = 'starting';
    // A NOTIFY for a dialog that is not read yet must not get 481: it waits until all are.
    this.#held = [];
    await this.store?.open();
    try {
      await this.sip.start((request) => this.#incoming(request));
      if (this.store) {
        this.store.onLeaseLost(() => this.#sender.stop());
        await restore(this.store, this.options.fetchRows, this.#host, this.#events, this.options.onePublishPerUri, {
          add: (record) => this.#records.set(record.key, record),
          indexed: this.#indexed,
        });
      }
      for (const record of this.#records.values()) record.enlist();
      const held = this.#held;
      this.#held = null;
      for (const request of held) this.#incoming(request);
      this.#state = 'running';
      for (const module of this.#modules) await module.start?.();
      this.#planSweep();
    } catch (error) {
      await this.#shutDown(0);
      throw error;
    }
  }

  /** Stops accepting, finishes what is on the wire (at most `graceMs`), writes everything, gives the lease back. */
  async stop(graceMs = 5_000): Promise<void> {
    if (this.#state !== 'running') return;
    this.#state = 'stopping';
    for (const module of [...this.#modules].reverse()) await module.stop?.();
    if (this.options.onStop === 'unpublish') await this.#removeAll(graceMs);
    await this.#shutDown(graceMs);
  }

  async #shutDown(graceMs: number): Promise<void> {
    this.#sweep?.cancel();
    this.#schedule.stop();
    this.#sender.stop();
    await this.sip.stop(graceMs);
    this.#schedule.stop();
    for (const record of this.#records.values()) settleAll(record, { outcome: 'stopped' });
    await this.store?.close();
    this.#state = 'stopped';
  }

  async #removeAll(graceMs: number): Promise<void> {
    for (const record of this.#records.values()) {
      if (record instanceof PublicationRecord) record.receive({ kind: 'unpublish', op: null, etag: '' });
      else if (record instanceof SubscriptionRecord) record.receive({ kind: 'unsubscribe', op: null });
    }
    const until = this.#clock.now() + graceMs;
    while (this.#records.size > 0 && this.#clock.now() < until) {
      await new Promise<void>((resolve) => this.#clock.after(20, resolve));
    }
  }

  // -------------------------------------------------------------------------------------------------- publications

  sendPublish(info: PublInfo): PuaHandle {
    const event = this.#event(info.event);
    if (!event.contentType) {
      throw new PuaError(
        'PUA_ERR_ARGUMENT',
        `event: ${event.name} can only be subscribed to, nothing is published for it`,
      );
    }
    const presUri = checkUri('presUri', info.presUri);
    const source = sourceFlag('sourceFlag', info.sourceFlag);
    const id = info.id === undefined ? '' : checkLine('id', info.id);
    const expires = checkExpires('expires', info.expires);
    const etag = info.etag === undefined ? '' : checkLine('etag', info.etag, 128);
    const contentType = info.contentType === undefined ? event.contentType : checkLine('contentType', info.contentType);
    const outboundProxy = info.outboundProxy === undefined ? '' : checkSipUri('outboundProxy', info.outboundProxy);
    const extraHeaders = info.extraHeaders === undefined ? null : readHeaders(info.extraHeaders);
    const key = publicationKey(presUri, event.flag, source, id);
    this.#mustRun('sendPublish');

    const known = this.#records.get(key) as PublicationRecord | undefined;
    let body = info.body ?? null;
    let version = known?.state.version ?? 0;
    let tupleId = known?.state.tupleId ?? null;
    if (expires !== 0) {
      if (known) version++;
      if (typeof body === 'string' && event.process && contentType === event.contentType) {
        try {
          ({ body, tupleId } = event.process({ body, version, tupleId, newId: () => `t${this.sip.random.token()}` }));
        } catch (error) {
          return settled(key, { outcome: 'document-refused', cause: (error as Error).message });
        }
      }
    }
    const record = known ?? this.#newPublication({ key, presUri, watcherUri: '', id, event, source });
    if (info.cbParam !== undefined) record.cbParam = info.cbParam;
    if (info.documentNeeded) this.#recordHooks.set(record, info.documentNeeded);
    const op = this.#handle(record, info.callback);
    if (expires === 0) record.receive({ kind: 'unpublish', op, etag });
    else {
      const onLost = info.onLost ?? 'republish';
      const insert = info.flag === 'insert';
      record.receive({
        kind: 'publish',
        op,
        body,
        contentType,
        expires,
        insert,
        etag,
        extraHeaders,
        outboundProxy,
        onLost,
        version,
        tupleId,
      });
    }
    return op;
  }

  /** Asked when a record must be published in full and its document is not known (a row taken over from Kamailio). */
  documentNeeded(types: Source | readonly Source[], hook: DocumentHook): void {
    this.#documentHooks.push({ mask: maskOf(types), hook });
  }

  #newPublication(identity: Identity): PublicationRecord {
    const record = new PublicationRecord(this.#host, identity, undefined, this.options.onePublishPerUri);
    this.#records.set(identity.key, record);
    return record;
  }

  // -------------------------------------------------------------------------------------------------- subscriptions

  sendSubscribe(info: SubsInfo): PuaHandle {
    const event = this.#event(info.event);
    const presUri = checkUri('presUri', info.presUri);
    const watcherUri = checkUri('watcherUri', info.watcherUri);
    const asked = sourceFlag('sourceFlag', info.sourceFlag);
    const source = asked === SourceFlag.XMPP_INITIAL_SUBS ? SourceFlag.XMPP_SUBSCRIBE : asked;
    const id = info.id === undefined ? '' : checkLine('id', info.id);
    const expires = checkExpires('expires', info.expires);
    const ownContact = info.contact === undefined ? '' : checkUri('contact', info.contact);
    const requestUri = info.remoteTarget === undefined ? presUri : checkUri('remoteTarget', info.remoteTarget);
    const toUri = info.toUri === undefined ? presUri : checkUri('toUri', info.toUri);
    const outboundProxy = info.outboundProxy === undefined ? '' : checkSipUri('outboundProxy', info.outboundProxy);
    const extraHeaders = info.extraHeaders === undefined ? null : readHeaders(info.extraHeaders);
    const preloadedRoutes = (info.routeSet ?? []).map((route) => checkLine('routeSet', route, 1024));
    if (info.forks === 'all')
      throw new PuaError('PUA_ERR_ARGUMENT', "forks: 'all' (one dialog per fork) is not built yet; use 'first'");
    this.#mustRun('sendSubscribe');

    let key =
      info.key === undefined
        ? subscriptionKey(presUri, watcherUri, event.flag, source, id)
        : ownKey(checkLine('key', info.key));
    if (info.fetch) key = ownKey(`fetch ${this.sip.random.token()}`);
    let known = this.#records.get(key) as SubscriptionRecord | undefined;
    if (
      known &&
      this.options.checkRemoteContact &&
      info.remoteTarget !== undefined &&
      known.settings.requestUri !== requestUri
    ) {
      // The same watcher with another remote target is another subscription.
      key = `${key}|${requestUri}`;
      known = this.#records.get(key) as SubscriptionRecord | undefined;
    }
    if (known && info.internalUpdateFlag) return settled(key, { outcome: 'nothing-to-do' });
    const identity: Identity = { key, presUri, watcherUri, id, event, source };
    const settings = { requestUri, toUri, forks: 'first' as const };
    let record = known;
    if (!record) {
      record = new SubscriptionRecord(
        this.#host,
        identity,
        { settings, extraHeaders: extraHeaders ?? [], outboundProxy },
        this.#indexed,
      );
      this.#records.set(key, record);
    } else {
      if (extraHeaders) record.extraHeaders = extraHeaders;
      if (outboundProxy !== '') record.outboundProxy = outboundProxy;
    }
    if (info.cbParam !== undefined) record.cbParam = info.cbParam;
    if (info.onNotify) record.onNotify = info.onNotify;
    const op = this.#handle(record, info.callback);
    if (expires === 0 && !info.fetch) record.receive({ kind: 'unsubscribe', op });
    else {
      const fetch = info.fetch ?? false;
      record.receive({
        kind: 'subscribe',
        op,
        expires: expires || -1,
        insert: info.flag === 'insert',
        fetch,
        ownContact,
        preloadedRoutes,
      });
    }
    return op;
  }

  isDialog(dialog: DialogQuery): 'established' | 'provisional' | 'unknown' {
    const record = this.#dialog(dialog);
    if (!record || record.identity.presUri !== dialog.presUri || record.identity.watcherUri !== dialog.watcherUri)
      return 'unknown';
    if (!alive(record.state, this.#clock.now())) return 'provisional';
    return record.state.remoteTag === dialog.toTag ? 'established' : 'unknown';
  }

  getRecordId(dialog: DialogQuery): string | undefined {
    return this.isDialog(dialog) === 'unknown' ? undefined : this.#dialog(dialog)?.identity.id;
  }

  getSubscriptions(id: string): readonly string[] {
    const found: string[] = [];
    for (const record of this.#records.values()) {
      if (record.kind === 'subscription' && record.identity.id === id) found.push(record.identity.presUri);
    }
    return found;
  }

  updateContact(dialog: Pick<DialogQuery, 'callId' | 'toTag' | 'fromTag'>, contact: string): boolean {
    const record = this.#dialog(dialog);
    if (!record || record.state.remoteTag !== dialog.toTag || !alive(record.state, this.#clock.now())) return false;
    const state = record.state.copy();
    state.remoteTarget = checkUri('contact', contact);
    record.state = state;
    this.#host.persist(record);
    return true;
  }

  #dialog({ callId, fromTag }: Pick<DialogQuery, 'callId' | 'fromTag'>): SubscriptionRecord | undefined {
    return this.#notifyHost.find(callId, fromTag);
  }

  readonly #indexed = (record: SubscriptionRecord, callId: string, before: string): void => {
    if (before !== '' && this.#dialogs.get(before) === record) this.#dialogs.delete(before);
    if (callId !== '') this.#dialogs.set(callId, record);
  };

  // -------------------------------------------------------------------------------------------------- registrations

  registerCallback(types: Source | readonly Source[], fn: PuaCallback, param?: unknown): () => void {
    const registered = { mask: maskOf(types), fn, param };
    this.#callbacks.add(registered);
    return () => void this.#callbacks.delete(registered);
  }

  addEvent(event: EventDefinition): void {
    this.#events.add(event);
  }

  handle(method: string, handler: (request: IncomingRequest) => void): void {
    const name = method.toUpperCase();
    if (name === 'NOTIFY' || this.#methods.has(name))
      throw new PuaError('PUA_ERR_ARGUMENT', `handle(${name}): it has a handler already`);
    this.#methods.set(name, handler);
  }

  onNotify(event: string, handler: NotifyHandler): () => void {
    const name = this.#event(event).name.toLowerCase();
    const handlers = this.#notifyHandlers.get(name) ?? new Set();
    this.#notifyHandlers.set(name, handlers.add(handler));
    return () => void handlers.delete(handler);
  }

  registerCommand(command: Command): void {
    for (const name of [command.name, ...(command.aliases ?? [])]) {
      if (this.#commands.has(name)) throw new PuaError('PUA_ERR_ARGUMENT', `command ${name} is registered already`);
      this.#commands.set(name, command);
    }
  }

  command(name: string): Command | undefined {
    return this.#commands.get(name);
  }

  commands(): readonly Command[] {
    return [...new Set(this.#commands.values())];
  }

  events(): readonly EventDefinition[] {
    return this.#events.all();
  }

  // -------------------------------------------------------------------------------------------------- looking in

  show(key: string): PuaRecord | undefined {
    return this.#records.get(key)?.show();
  }

  *list(filter: RecordFilter = {}): IterableIterator<PuaRecord> {
    const event = filter.event === undefined ? undefined : this.#event(filter.event);
    for (const record of this.#records.values()) {
      const { identity } = record;
      if (filter.kind !== undefined && record.kind !== filter.kind) continue;
      if (filter.presUri !== undefined && identity.presUri !== filter.presUri) continue;
      if (event && identity.event !== event) continue;
      if (filter.sourceFlag !== undefined && identity.source !== filter.sourceFlag) continue;
      if (filter.state !== undefined && record.phase !== filter.state) continue;
      yield record.show();
    }
  }

  stats(): PuaStats {
    return collectStats({
      census: this.#census,
      requests: this.#requests,
      notifies: this.#notifies,
      sender: this.#sender,
      scheduled: this.#schedule.size,
      dialogs: this.#dialogs.size,
      store: this.store,
      now: this.#clock.now(),
    });
  }

  cleanup(): number {
    // Every record has its own deadline; what the sweep finds overdue is what a fault has left behind.
    const now = this.#clock.now();
    let overdue = 0;
    for (const record of this.#records.values()) {
      if (record.deadline > now) continue;
      overdue++;
      record.fire();
    }
    return overdue;
  }

  #planSweep(): void {
    if (this.options.updatePeriod <= 0) return;
    this.#sweep = this.#clock.after(this.options.updatePeriod * 1000, () => {
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
    if (request.method === 'NOTIFY') return onNotify(request, this.#notifyHost);
    const handler = this.#methods.get(request.method);
    if (handler) handler(request);
    else request.pass();
  }

  #event(event: string | number): EventDefinition {
    return this.#events.get(event);
  }

  #mustRun(call: string): void {
    if (this.#state !== 'running')
      throw new PuaError('PUA_ERR_STATE', `${call}(): it is ${this.#state}; call start() first`);
  }

  #handle(record: AnyRecord, callback: ((result: PuaResult, record: PuaRecord) => void) | undefined): Handle {
    if (!callback) return new Handle(record.key, undefined);
    return new Handle(record.key, (result) => {
      try {
        callback(result, record.show());
      } catch (error) {
        this.#host.fault(error, `callback of ${record.key}`);
      }
    });
  }

  #forget(record: AnyRecord): void {
    this.#schedule.remove(record);
    if (this.#records.get(record.key) === record) this.#records.delete(record.key);
  }

  #report(record: AnyRecord, cause: Cause, reply: Reply): void {
    for (const { mask, fn, param } of this.#callbacks) {
      if ((mask & record.identity.source) === 0) continue;
      try {
        fn(record.show(), reply, { cause, param });
      } catch (error) {
        this.#host.fault(error, `callback for source ${record.identity.source}`);
      }
    }
    const channel = channels[record.kind];
    if (channel.hasSubscribers) {
      const { key, presUri, event } = record.identity;
      channel.publish({ key, presUri, event: event.name, type: 'answer', cause, reply });
    }
  }

  #emit(record: AnyRecord, type: RecordEvent): void {
    const channel = channels[record.kind];
    const { key, presUri, event } = record.identity;
    if (channel.hasSubscribers) channel.publish({ key, presUri, event: event.name, type });
    if (type === 'document-needed' && record instanceof PublicationRecord) void this.#askForDocument(record);
  }

  async #askForDocument(record: PublicationRecord): Promise<void> {
    const own = this.#recordHooks.get(record);
    const hooks = own
      ? [own]
      : this.#documentHooks.filter((h) => (h.mask & record.identity.source) !== 0).map((h) => h.hook);
    for (const hook of hooks) {
      try {
        const body = await hook(record.show());
        if (body === undefined) continue;
        const { presUri, id, event, source } = record.identity;
        this.sendPublish({ presUri, id, event: event.flag, sourceFlag: source, body, expires: record.state.asked });
        return;
      } catch (error) {
        this.#host.fault(error, `documentNeeded of ${record.key}`);
      }
    }
    this.#emit(record, 'lost');
  }
}

function maskOf(types: Source | readonly Source[]): number {
  return (Array.isArray(types) ? types : [types]).reduce(
    (mask: number, type: Source) => mask | sourceFlag('types', type),
    0,
  );
}

function settled(key: string, result: PuaResult): PuaHandle {
  const handle = new Handle(key, undefined);
  handle.settle(result);
  return handle;
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
