/** Wires publisher and consumer to a Pua. */
import { type PuaApi, PuaError, type PuaModule, type PuaResult } from '@pua/core';
import { reg } from '@pua/documents';
import { Consumer, type HandledReginfo, type ReceivedReginfo } from './consumer.js';
import { type CheckedOptions, checkOptions, type ReginfoOptions } from './options.js';
import { Publisher } from './publisher.js';
import { Subscriber, type WatchedRegistrations } from './subscriber.js';

/** Seconds; of every signature, and always sent. */
const DEFAULT_EXPIRES = 3600;

export class ReginfoModule implements PuaModule {
  readonly name = 'reginfo';
  readonly #options: CheckedOptions;
  #running: { publisher?: Publisher; subscriber: Subscriber; consumer: Consumer } | undefined;

  /** @throws PuaError `PUA_ERR_OPTION` */
  constructor(options: ReginfoOptions) {
    this.#options = checkOptions(options);
  }

  setup(pua: PuaApi): void {
    const options = this.#options;
    pua.addEvent(reg);
    const consumer = new Consumer(pua.clock, options);
    const subscriber = new Subscriber(pua, options, consumer);
    const publishes = options.publishReginfo === 1 && options.sources.length > 0;
    this.#running = { consumer, subscriber, ...(publishes ? { publisher: new Publisher(pua, options) } : {}) };
    pua.onNotify(reg.name, (notification) => subscriber.onNotify(notification));
    pua.registerCommand({
      name: 'pua.reginfo_subscribe',
      positional: ['uri', 'expires'],
      run: ({ uri, expires }) => this.reginfoSubscribe(String(uri ?? ''), secondsOf(expires)),
    });
  }

  async start(): Promise<void> {
    const { consumer, publisher, subscriber } = this.#parts('start');
    // First: NOTIFYs have been waiting since the records were read, and core gives up on a handler after 10 s.
    await consumer.open();
    await publisher?.start();
    for (const uri of this.#options.subscribe) void subscriber.subscribe(uri, -1);
  }

  stop(): void {
    this.#running?.publisher?.stop();
    this.#running?.subscriber.stop();
  }

  /**
   * `reginfo_subscribe`: subscribes to the registrations of a URI; again: refreshes; 0: ends.
   * @param expires seconds for which it is kept alive; negative: for ever
   * @param id tells several subscriptions to one URI apart
   * @returns how the SUBSCRIBE ended
   * @throws PuaError (by rejection) `PUA_ERR_OPTION` without `server_address`, `PUA_ERR_ARGUMENT`
   */
  async reginfoSubscribe(uri: string, expires: number = DEFAULT_EXPIRES, id?: string): Promise<PuaResult> {
    return this.#parts('reginfoSubscribe').subscriber.subscribe(uri, expires, id);
  }

  /**
   * `reginfo_handle_notify`: applies the document of a NOTIFY that was received elsewhere. Those of subscriptions made
   * here are applied without it. Never rejects.
   */
  async reginfoHandleNotify(received: ReceivedReginfo): Promise<HandledReginfo> {
    return this.#parts('reginfoHandleNotify').consumer.handle(received);
  }

  /** `reginfo_disable_publish`: the next event of the sources is not published. */
  reginfoDisablePublish(): void {
    this.#parts('reginfoDisablePublish').publisher?.disableNext();
  }

  /**
   * `reginfo_update` (OpenSIPS): publishes the AOR once more, after its identities have changed.
   * @returns -1: no source tells bindings of it
   * @throws PuaError (by rejection) `PUA_ERR_OPTION` for an AOR without domain
   */
  async reginfoUpdate(aor: string): Promise<1 | -1> {
    return this.#parts('reginfoUpdate').publisher?.update(aor) ?? -1;
  }

  /** The subscriptions made here, those of earlier runs included. */
  subscriptions(): readonly WatchedRegistrations[] {
    return [...this.#parts('subscriptions').subscriber.list()];
  }

  #parts(call: string) {
    if (this.#running) return this.#running;
    throw new PuaError('PUA_ERR_STATE', `reginfo ${call}(): pua.use(...) it first`);
  }
}

/** Commands come with numbers and with texts. */
function secondsOf(expires: unknown): number | undefined {
  if (expires === undefined || expires === null || expires === '') return undefined;
  const seconds = Number(expires);
  if (Number.isInteger(seconds)) return seconds;
  throw new PuaError('PUA_ERR_ARGUMENT', `expires: must be a whole number of seconds, not ${JSON.stringify(expires)}`);
}
