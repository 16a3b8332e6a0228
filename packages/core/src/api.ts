/**
 * The pua_api contract: what a module gets from `pua.use(module)`. Names are the documented ones of the C module in
 * camelCase; lifetimes are in seconds everywhere.
 */
import type { EventDefinition } from './events.js';
import type { SourceFlagName } from './flags.js';
import type { Clock, Random } from './ports/runtime.js';
import type { Headers, HeaderView, IncomingRequest } from './ports/sip.js';
import type { HttpRoute } from './routes.js';

export type Source = SourceFlagName | number;

/** publ_info */
export interface PublInfo {
  /** Distinguishes publications of one presentity by one source; absent is an id of its own. */
  id?: string;
  /** Presentity: Request-URI, To and From of the PUBLISH. */
  presUri: string;
  /** May be absent when only the lifetime is prolonged. */
  body?: string | Uint8Array;
  /** Seconds. 0 removes; negative or absent: the default lifetime, kept alive for ever. */
  expires?: number;
  /**
   * Seconds asked for in each PUBLISH, refreshed until `expires` is over: what the server keeps when we are gone. Absent:
   * all of `expires`.
   */
  publishExpires?: number;
  /** `insert`: always an initial PUBLISH, a record of that key is ended first; `update` or absent: modify when a record exists. */
  flag?: 'insert' | 'update';
  sourceFlag: Source;
  /** Name or flag of a registered event. */
  event: string | number;
  /** Only when it differs from the event's default. */
  contentType?: string;
  /** If given, the record must have this entity-tag; a 412 is then reported, not repaired. */
  etag?: string;
  /** Next hop; else the core parameter. Kept with the record. */
  outboundProxy?: string;
  /** Repeated in every refresh. Text form: complete lines, CRLF between them. */
  extraHeaders?: Headers | string;
  /** Given back in callbacks; not kept over a restart. */
  cbParam?: unknown;
  /** What a 412 on a refresh or modify does. Default `republish`. */
  onLost?: 'republish' | 'report';
  /** Asked when it must be published in full and the document is not known; no answer: reported as lost. */
  documentNeeded?: DocumentHook;
  /** Called once, with the same result that `handle.result` settles with. */
  callback?: (result: PuaResult, record: PuaRecord) => void;
}

/** subs_info */
export interface SubsInfo {
  id?: string;
  /** To; also Request-URI unless `remoteTarget` is given. */
  presUri: string;
  /** From. */
  watcherUri: string;
  event: string | number;
  /** Seconds. 0 unsubscribes; negative or absent: the default lifetime, kept alive for ever. */
  expires?: number;
  /** Where NOTIFYs are to come; default: the engine's own address. */
  contact?: string;
  /** Request-URI of the SUBSCRIBE that opens the dialog. */
  remoteTarget?: string;
  /** Next hop of a request outside a dialog; in a dialog the route set rules. */
  outboundProxy?: string;
  extraHeaders?: Headers | string;
  sourceFlag: Source;
  cbParam?: unknown;
  /** `insert`: a new dialog even if one exists; `update` or absent: refresh the existing one, else open. */
  flag?: 'insert' | 'update';
  /** Do nothing when a record exists. */
  internalUpdateFlag?: boolean;
  /** To URI when it is not presUri. */
  toUri?: string;
  /** Preloaded Route of the request that opens the dialog, name-addrs in order. */
  routeSet?: readonly string[];
  /** SUBSCRIBE with Expires 0 outside any record: delivers one NOTIFY, keeps nothing (RFC 6665 4.4.3). */
  fetch?: boolean;
  /** Which NOTIFYs of other forks are taken; the default comes with the event. */
  forks?: 'first' | 'all';
  /** The record's own key instead of (presUri, watcherUri, event, source, id). */
  key?: string;
  callback?: (result: PuaResult, record: PuaRecord) => void;
  /** NOTIFYs of this subscription, before the handlers of the event; not kept over a restart. */
  onNotify?: NotifyHandler;
}

/** How a request ended. `retrying`: the core goes on by itself and reports the rest as `recovery`. */
export type PuaResult =
  | {
      readonly outcome: 'accepted';
      readonly status: number;
      readonly reason: string;
      readonly etag?: string;
      readonly expires: number;
    }
  | { readonly outcome: 'nothing-to-do' }
  | { readonly outcome: 'superseded' }
  | {
      readonly outcome: 'rejected';
      readonly status: number;
      readonly reason: string;
      readonly retrying: boolean;
      /** Seconds. */
      readonly retryAfter?: number;
      /** Seconds. */
      readonly minExpires?: number;
    }
  | { readonly outcome: 'unreachable'; readonly cause: string; readonly retrying: boolean }
  | { readonly outcome: 'no-body' }
  | { readonly outcome: 'wrong-etag'; readonly etag?: string }
  | { readonly outcome: 'document-refused'; readonly cause: string }
  | { readonly outcome: 'expired' }
  | { readonly outcome: 'stopped' };

export interface PuaHandle {
  /** Key of the record it concerns. */
  readonly key: string;
  /** Settles once, never rejects: what the network did is a result. */
  readonly result: Promise<PuaResult>;
  /** The result, when it is there already: what needs no network is settled before the call returns. */
  readonly settled: PuaResult | undefined;
}

/** One shape for callbacks, `show` and `list` (C: ua_pres_t, "the dialog structure"). */
export interface PuaRecord {
  readonly key: string;
  readonly kind: 'publication' | 'subscription';
  /** As named in the transition table. */
  readonly state: string;
  readonly id: string;
  readonly presUri: string;
  readonly event: string;
  /** End of the granted lifetime, seconds since 1970; 0 = the server holds nothing. */
  readonly expires: number;
  /** End of the lifetime asked for, seconds since 1970; 0 = for ever. */
  readonly desiredExpires: number;
  readonly sourceFlag: number;
  readonly etag: string;
  readonly tupleId: string;
  readonly body: string | Uint8Array | null;
  readonly contentType: string;
  readonly watcherUri: string;
  readonly callId: string;
  readonly toTag: string;
  readonly fromTag: string;
  readonly cseq: number;
  readonly version: number;
  readonly extraHeaders: Headers;
  readonly routeSet: readonly string[];
  readonly contact: string;
  readonly remoteContact: string;
  readonly outboundProxy: string;
  readonly cbParam: unknown;
  /** Subscription-State of the last NOTIFY. */
  readonly subscriptionState: string;
  /** Next deadline, seconds since 1970 with fraction; 0 = none. */
  readonly nextAt: number;
  /** Consecutive failures. */
  readonly failures: number;
}

/** What tells one publication from another. */
export type PublicationQuery = Pick<PublInfo, 'presUri' | 'event' | 'sourceFlag' | 'id'>;

export interface DialogQuery {
  presUri: string;
  watcherUri: string;
  callId: string;
  toTag: string;
  fromTag: string;
}

/** Why a request went out: a module asked for it, the core refreshed, or it repaired what had failed. */
export type Cause = 'request' | 'refresh' | 'recovery';

export interface Reply {
  /** 408 for a time-out, 503 for an unreachable next hop, as if the network had said so (RFC 3261 8.1.3.1). */
  readonly status: number;
  readonly reason: string;
  /** False when no server said it. */
  readonly received: boolean;
}

export type PuaCallback = (record: PuaRecord, reply: Reply, context: { cause: Cause; param: unknown }) => void;

export type DocumentHook = (
  record: PuaRecord,
) => string | Uint8Array | undefined | Promise<string | Uint8Array | undefined>;

export interface Notification {
  readonly record: PuaRecord;
  readonly event: string;
  readonly state: 'active' | 'pending' | 'terminated';
  readonly reason?: string;
  /** Seconds left, when the NOTIFY says so. */
  readonly expires?: number;
  readonly contentType: string;
  readonly body: Uint8Array;
  text(): string;
  readonly headers: HeaderView;
}

/**
 * A rejected promise or a throw answers the NOTIFY: PuaError `PUA_ERR_MEDIA_TYPE` with 415, `PUA_ERR_DOCUMENT` with 400, anything
 * else with 500; so does silence for 10 s.
 */
export type NotifyHandler = (notification: Notification) => void | Promise<void>;

export interface CommandContext {
  readonly signal?: AbortSignal;
  readonly client?: string;
}

/** A management command; mi serves the registered ones on its transports. */
export interface Command {
  readonly name: string;
  readonly aliases?: readonly string[];
  /** Names of positional parameters, in order. */
  readonly positional: readonly string[];
  run(params: Readonly<Record<string, unknown>>, context: CommandContext): Promise<unknown> | unknown;
}

export interface RecordFilter {
  kind?: 'publication' | 'subscription';
  presUri?: string;
  event?: string;
  sourceFlag?: number;
  state?: string;
}

export interface PuaStats {
  readonly records: { readonly publications: number; readonly subscriptions: number };
  /** Records by kind and state. */
  readonly states: Readonly<Record<string, number>>;
  /** Requests by method and outcome (`PUBLISH 200`, `SUBSCRIBE timeout`). */
  readonly requests: Readonly<Record<string, number>>;
  readonly notifies: Readonly<Record<string, number>>;
  /** Requests on the wire, and records that wait for a slot. */
  readonly inFlight: number;
  readonly queued: number;
  /** Deadlines in the schedule, dialogs in the index of NOTIFYs. */
  readonly scheduled: number;
  readonly dialogs: number;
  readonly hops: readonly HopStats[];
  readonly store: {
    readonly durable: number;
    readonly last: number;
    readonly pending: number;
    readonly error: string | null;
  };
}

export interface HopStats {
  readonly hop: string;
  readonly inFlight: number;
  readonly queued: number;
  /** Milliseconds until it is tried again; 0 = in use. */
  readonly setAsideMs: number;
}

export interface PuaModule {
  readonly name: string;
  /** Registers events, callbacks, commands and handlers. */
  setup(pua: PuaApi): void;
  start?(): void | Promise<void>;
  stop?(): void | Promise<void>;
}

export interface PuaApi {
  /** Time base and chance of the engine: what a module plans, it plans with these. */
  readonly clock: Clock;
  readonly random: Random;
  /** @throws PuaError for programming errors only (unknown event, malformed argument). */
  sendPublish(info: PublInfo): PuaHandle;
  sendSubscribe(info: SubsInfo): PuaHandle;
  /** `provisional`: the dialog is not confirmed yet (a NOTIFY may come before the 2xx). */
  isDialog(dialog: DialogQuery): 'established' | 'provisional' | 'unknown';
  /** Runs on the final answer to every request of a source in the set; returns a function that takes it back. */
  registerCallback(types: Source | readonly Source[], fn: PuaCallback, param?: unknown): () => void;
  /** Asked when a record must be published in full and its document is not known (a row taken over from Kamailio). */
  documentNeeded(types: Source | readonly Source[], hook: DocumentHook): () => void;
  addEvent(event: EventDefinition): void;
  /** The `id` the record was stored under. */
  getRecordId(dialog: DialogQuery): string | undefined;
  /** Presentity URIs of all subscriptions with exactly that id. */
  getSubscriptions(id: string): readonly string[];
  /** Stores a new remote target; false when there is no such dialog. */
  updateContact(dialog: Pick<DialogQuery, 'callId' | 'toTag' | 'fromTag'>, contact: string): boolean;
  /** The sweep of `update_period`, once, now. Returns the number of records it found overdue. */
  cleanup(): number;
  /** Takes requests of a method other than NOTIFY (REGISTER ...). One handler per method. */
  handle(method: string, handler: (request: IncomingRequest) => void): void;
  /** NOTIFYs of an event, also of subscriptions restored from the database. */
  onNotify(event: string, handler: NotifyHandler): () => void;
  registerCommand(command: Command): void;
  /** Before start(); mi serves it. */
  registerRoute(route: HttpRoute): void;
  routes(): readonly HttpRoute[];
  command(name: string): Command | undefined;
  commands(): readonly Command[];
  events(): readonly EventDefinition[];
  show(key: string): PuaRecord | undefined;
  /** The publication with exactly these, whatever state it is in. */
  find(publication: PublicationQuery): PuaRecord | undefined;
  list(filter?: RecordFilter): IterableIterator<PuaRecord>;
  stats(): PuaStats;
}
