/** What owners ask for: publ_info and subs_info become inputs of their records. */
import type { DocumentHook, PuaHandle, PuaRecord, PuaResult, PublInfo, PublicationQuery, SubsInfo } from './api.js';
import { PuaError } from './errors.js';
import type { EventRegistry, ProcessParameters } from './events.js';
import { Handle } from './handle.js';
import { ownKey } from './key.js';
import { PublicationRecord } from './publication/record.js';
import { checkPublish, publicationIdentity } from './publication/request.js';
import type { AnyRecord, Host, Identity } from './record.js';
import type { Records } from './records.js';
import type { Registrations } from './registrations.js';
import { SubscriptionRecord } from './subscription/record.js';
import { checkSubscribe } from './subscription/request.js';

export interface OwnersOptions {
  readonly host: Host;
  readonly records: Records;
  readonly events: EventRegistry;
  readonly registrations: Registrations;
  readonly checkRemoteContact: boolean;
  readonly process: ProcessParameters;
}

export class Owners {
  readonly #o: OwnersOptions;
  readonly #documentHooks = new WeakMap<AnyRecord, DocumentHook>();

  constructor(options: OwnersOptions) {
    this.#o = options;
  }

  publish(info: PublInfo): Handle {
    const checked = checkPublish(info, this.#o.events);
    const { identity, event, expires, publishExpires, etag, contentType, outboundProxy, extraHeaders } = checked;
    const known = this.#o.records.get(identity.key) as PublicationRecord | undefined;
    const record = known ?? new PublicationRecord(this.#o.host, identity);
    const op = this.#handle(record, info.callback);
    // Bytes are copied: the document is kept, and the caller may use its buffer again.
    let body = info.body instanceof Uint8Array ? new Uint8Array(info.body) : (info.body ?? null);
    let tupleId = known?.state.tupleId ?? null;
    const version = known ? known.state.sentVersion + 1 : 0;
    const text = typeof body === 'string' ? body : textOf(body);
    if (expires !== 0 && text !== null && event.process && contentType === event.contentType) {
      try {
        const newId = () => `t${this.#o.host.sip.random.token()}`;
        ({ body, tupleId } = event.process({
          body: text,
          version,
          tupleId,
          newId,
          parameters: this.#o.process,
          sourceFlag: identity.source,
        }));
      } catch (error) {
        op.settle({ outcome: 'document-refused', cause: (error as Error).message });
        return op;
      }
    }
    if (!known) this.#o.records.add(record);
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
      publishExpires,
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

  find(query: PublicationQuery): PublicationRecord | undefined {
    const found = this.#o.records.get(publicationIdentity(query, this.#o.events).key);
    return found instanceof PublicationRecord ? found : undefined;
  }

  subscribe(info: SubsInfo): PuaHandle {
    const checked = checkSubscribe(info, this.#o.events);
    const { settings, expires, ownContact, outboundProxy, extraHeaders, preloadedRoutes } = checked;
    const fetch = info.fetch ?? false;
    const key = fetch
      ? ownKey(`fetch ${this.#o.host.sip.random.token()}`)
      : this.#subscriptionKey(info, checked.identity.key);
    const known = this.#o.records.get(key) as SubscriptionRecord | undefined;
    if (known && info.key !== undefined) mustBeSame(known.identity, checked.identity);
    if (known && info.internalUpdateFlag) {
      const op = this.#handle(known, info.callback);
      op.settle({ outcome: 'nothing-to-do' });
      return op;
    }
    const forks = this.#o.records.forks.of(key);
    const ending = expires === 0 && !fetch;
    // The record may be over while a fork of it lives: then that is what is ended.
    const there = known ?? (ending ? forks[0] : undefined);
    const parts = { settings, extraHeaders: extraHeaders ?? [], outboundProxy };
    const record = there ?? new SubscriptionRecord(this.#o.host, { ...checked.identity, key }, parts);
    for (const one of there ? [there, ...forks] : forks) {
      if (extraHeaders) one.extraHeaders = extraHeaders;
      if (outboundProxy !== '') one.outboundProxy = outboundProxy;
    }
    if (!there) this.#o.records.add(record);
    if (info.cbParam !== undefined) record.cbParam = info.cbParam;
    if (info.onNotify) record.onNotify = info.onNotify;
    const op = this.#handle(record, info.callback);
    if (ending) {
      for (const fork of forks) if (fork !== record) fork.end();
      record.receive({ kind: 'unsubscribe', op });
      return op;
    }
    const insert = info.flag === 'insert';
    const wish = { kind: 'subscribe', expires: expires || -1, fetch, ownContact, preloadedRoutes } as const;
    record.receive({ ...wish, op, insert });
    // With a new dialog they end: its SUBSCRIBE is forked anew.
    if (!insert) for (const fork of forks) fork.receive({ ...wish, op: null, insert });
    return op;
  }

  /**
   * `check_remote_contact`: with another remote target it is another subscription. Not compared when none is given, nor
   * when the caller chose the key.
   */
  #subscriptionKey(info: SubsInfo, key: string): string {
    if (info.key !== undefined || info.remoteTarget === undefined || !this.#o.checkRemoteContact) return key;
    const own = `${key}|${info.remoteTarget}`;
    if (this.#o.records.get(own)) return own;
    const known = this.#o.records.get(key) as SubscriptionRecord | undefined;
    return !known || known.settings.requestUri === info.remoteTarget ? key : own;
  }

  #handle(record: AnyRecord, callback: ((result: PuaResult, record: PuaRecord) => void) | undefined): Handle {
    if (!callback) return new Handle(record.key, undefined);
    return new Handle(record.key, (result) => {
      try {
        callback(result, record.show());
      } catch (error) {
        this.#o.registrations.fault(error, `callback of ${record.key}`);
      }
    });
  }

  /** Asks the record's own hook, else those of its source; true when one had the document. */
  async askForDocument(record: PublicationRecord): Promise<boolean> {
    const own = this.#documentHooks.get(record);
    const { presUri, id, event, source } = record.identity;
    for (const hook of own ? [own] : this.#o.registrations.documentHooks(source)) {
      try {
        const body = await hook(record.show());
        // The owner may have published, or ended it, while the hook was thinking.
        if (this.#o.records.get(record.key) !== record || record.state.body !== null) return true;
        if (body === undefined) continue;
        const left = Math.ceil((record.state.desiredUntil - this.#o.host.sip.clock.now()) / 1000);
        const expires = left === Number.POSITIVE_INFINITY ? -1 : Math.max(1, left);
        const { settled } = this.publish({ presUri, id, event: event.flag, sourceFlag: source, body, expires });
        if (settled?.outcome !== 'document-refused') return true;
        throw new PuaError('PUA_ERR_DOCUMENT', settled.cause);
      } catch (error) {
        this.#o.registrations.fault(error, `documentNeeded of ${record.key}`);
      }
    }
    return false;
  }
}

/** A key of the caller's own must not turn one subscription into another. */
function mustBeSame(known: Identity, asked: Identity): void {
  for (const field of ['presUri', 'watcherUri', 'event', 'source'] as const) {
    if (known[field] === asked[field]) continue;
    const { presUri, watcherUri, event } = known;
    throw new PuaError(
      'PUA_ERR_ARGUMENT',
      `key: it is that of the subscription of ${watcherUri} to ${event.name} of ${presUri}; end that one first, or take another key`,
    );
  }
}

const UTF8 = new TextDecoder('utf-8', { fatal: true });

/** Body processors read text; null: bytes in another encoding, which go out as they are. */
function textOf(body: Uint8Array | null): string | null {
  try {
    return body === null ? null : UTF8.decode(body);
  } catch {
    return null;
  }
}
