/**
 * Subscriptions to `reg` at other servers, and their NOTIFYs.
 *
 *   reginfo_subscribe(uri)      SUBSCRIBE Expires: 3600 ->      NOTIFY full <-
 *   again                       SUBSCRIBE (dialog) ->           NOTIFY full <-
 *   a version is missing        SUBSCRIBE (dialog) ->           NOTIFY full <-
 *   reginfo_subscribe(uri, 0)   SUBSCRIBE Expires: 0 ->         NOTIFY terminated <-
 */
import {
  addressTag,
  type Notification,
  type PuaApi,
  PuaError,
  type PuaRecord,
  type PuaResult,
  SourceFlag,
  type SubsInfo,
  type Timer,
} from '@pua/core';
import { reg } from '@pua/documents';
import type { Consumer } from './consumer.js';
import type { CheckedOptions } from './options.js';
import { SUBSCRIBE_SOURCE } from './record.js';

/** Milliseconds between two SUBSCRIBEs for full state: a notifier that cannot count must not be asked all the time. */
const FULL_STATE_MS = 5_000;
/** So many subscriptions are remembered before it is looked which are over. */
const LOOK_THROUGH = 100;

/** A subscription as `subscriptions()` shows it. */
export interface WatchedRegistrations {
  /** What is subscribed to, and the caller's id. */
  readonly uri: string;
  readonly id: string;
  /** Whose the bindings in the sink are. */
  readonly subscriptionId: string;
  /** `stale`: nobody tells of changes now; what was told holds until it runs out. */
  readonly state: 'active' | 'pending' | 'stale';
  /** Of the last document; undefined: none was taken since the start, or since the dialog is another one. */
  readonly version: number | undefined;
  readonly contacts: number;
}

/** What is remembered of one beside its record. */
interface Own {
  /** The owner has not ended it. */
  wanted: boolean;
  /** When full state may be asked for again, monotonic ms; the request that waits for it. */
  askAt: number;
  asking: Timer | undefined;
}

export class Subscriber {
  readonly #pua: PuaApi;
  readonly #options: CheckedOptions;
  readonly #consumer: Consumer;
  readonly #own = new Map<string, Own>();
  #lookThroughAt = LOOK_THROUGH;
  #stopped = false;

  constructor(pua: PuaApi, options: CheckedOptions, consumer: Consumer) {
    this.#pua = pua;
    this.#options = options;
    this.#consumer = consumer;
  }

  /** NOTIFYs may still come: core finishes what it has begun. */
  stop(): void {
    this.#stopped = true;
    for (const { asking } of this.#own.values()) asking?.cancel();
    this.#own.clear();
  }

  /** @throws PuaError `PUA_ERR_OPTION` without `server_address`, `PUA_ERR_ARGUMENT` */
  subscribe(uri: string, expires: number, id = ''): Promise<PuaResult> {
    const { serverAddress, serverContact, outboundProxy } = this.#options;
    if (serverAddress === null) {
      throw new PuaError('PUA_ERR_OPTION', 'reginfo serverAddress (server_address): must be set to subscribe');
    }
    const handle = this.#pua.sendSubscribe({
      ...identity({ presUri: uri, watcherUri: serverAddress, id }),
      expires,
      flag: 'update',
      ...(serverContact === 1 ? { contact: serverAddress } : {}),
      ...(outboundProxy === null ? {} : { outboundProxy }),
    });
    this.#ownOf(handle.key).wanted = expires !== 0;
    return handle.result;
  }

  async onNotify(notification: Notification): Promise<void> {
    const { record, state, headers } = notification;
    if (record.sourceFlag !== SourceFlag[SUBSCRIBE_SOURCE]) return;
    const own = this.#ownOf(record.key);
    const left = notification.expires ?? Math.max(0, Math.ceil(record.expires - this.#pua.clock.wall() / 1000));
    const handled = await this.#consumer.handle({
      subscriptionId: record.key,
      dialog: `${headers.get('Call-ID')} ${addressTag(headers.get('From') ?? '')}`,
      body: notification.body,
      contentType: notification.contentType,
      uri: record.presUri,
      // Of one that ends nothing is left, but what it has told is not over by that.
      ...(state === 'terminated' ? {} : { expires: left }),
    });
    if (state === 'terminated') this.#end(record.key);
    else if (handled.gap) this.#askForFullState(record.key, own);
    if (handled.fault) throw handled.fault;
  }

  *list(): IterableIterator<WatchedRegistrations> {
    const filter = { kind: 'subscription', sourceFlag: SourceFlag[SUBSCRIBE_SOURCE] } as const;
    for (const record of this.#pua.list(filter)) {
      const tables = this.#consumer.look(record.key);
      const contacts = [...(tables?.registrations.values() ?? [])].reduce((sum, one) => sum + one.contacts.size, 0);
      yield {
        uri: record.presUri,
        id: record.id,
        subscriptionId: record.key,
        state: this.#stateOf(record),
        version: tables?.version,
        contacts,
      };
    }
  }

  #stateOf({ subscriptionState, expires }: PuaRecord): WatchedRegistrations['state'] {
    const lives = expires * 1000 > this.#pua.clock.wall();
    return lives && (subscriptionState === 'active' || subscriptionState === 'pending') ? subscriptionState : 'stale';
  }

  /** Once at a time, and not after the owner has ended it: that would open it again. */
  #askForFullState(key: string, own: Own): void {
    if (own.asking || this.#stopped) return;
    const { clock } = this.#pua;
    own.asking = clock.after(Math.max(0, own.askAt - clock.now()), () => {
      own.asking = undefined;
      own.askAt = clock.now() + FULL_STATE_MS;
      const record = this.#pua.show(key);
      if (!record || !own.wanted) return;
      const { desiredExpires } = record;
      const expires = desiredExpires === 0 ? -1 : Math.max(1, Math.ceil(desiredExpires - clock.wall() / 1000));
      this.#pua.sendSubscribe({ ...identity(record), expires, flag: 'update' });
    });
  }

  #ownOf(key: string): Own {
    const known = this.#own.get(key);
    if (known) return known;
    if (this.#own.size >= this.#lookThroughAt) {
      for (const one of this.#own.keys()) this.#end(one);
      this.#lookThroughAt = Math.max(LOOK_THROUGH, 2 * this.#own.size);
    }
    const own: Own = { wanted: true, askAt: 0, asking: undefined };
    this.#own.set(key, own);
    return own;
  }

  /** Forgets it unless its record lives on: then core subscribes again. */
  #end(key: string): void {
    if (this.#pua.show(key)) return;
    this.#own.get(key)?.asking?.cancel();
    this.#own.delete(key);
    this.#consumer.forget(key);
  }
}

/** What tells the subscription from others. No remote target: it would make another one of it (`check_remote_contact`). */
function identity({ presUri, watcherUri, id }: Pick<PuaRecord, 'presUri' | 'watcherUri' | 'id'>): SubsInfo {
  const base = { presUri, watcherUri, event: reg.name, sourceFlag: SUBSCRIBE_SOURCE } as const;
  return id === '' ? base : { ...base, id };
}
