/**
 * Registrations by HTTP: JSON of a `BindingEvent`, or a list of them.
 *
 *   POST -> checked as a whole -> duplicates and stale ones dropped -> listeners, in order per AOR -> 200
 *   schedule -> expire -> listeners
 */
import type { BindingEvent, BindingListener, HttpAnswer, PuaApi, PuaModule, RegistrationSource } from '@pua/core';
import { Refused, readEntries } from './entries/read.js';
import { type RegistrationEntry, readRegistration } from './entries/registration.js';
import { handedOver } from './handed-over.js';
import { aorKey, HeldBindings } from './held-bindings.js';
import { Once } from './once.js';
import { checkRegistrationWebhook, type RegistrationWebhookOptions } from './options.js';
import { Outbox } from './outbox.js';
import { answered } from './route.js';
import { counted, judgeAll } from './verdict.js';

/** Bindings that live at once. */
const MAX_BINDINGS = 1_000_000;

class RegistrationWebhook implements RegistrationSource, PuaModule {
  readonly name = 'registration-webhook';
  readonly #options: ReturnType<typeof checkRegistrationWebhook>;
  readonly #outbox = new Outbox<BindingEvent>('the webhook for registrations');
  #held: HeldBindings | undefined;

  constructor(options: RegistrationWebhookOptions) {
    this.#options = checkRegistrationWebhook(options);
  }

  onEvent(listener: BindingListener): () => void {
    return this.#outbox.listeners.add(listener);
  }

  setup(pua: PuaApi): void {
    const { path, expire } = this.#options;
    const tell = (event: BindingEvent) => void this.#tell(event);
    const held = new HeldBindings(pua.clock, expire ? tell : undefined);
    const once = new Once(pua.clock);
    this.#held = held;
    pua.registerRoute({
      path,
      run: answered(({ body, headers }, { signal }) => {
        const entries = readEntries(body, readRegistration);
        return once.run(headers, entries, () => this.#take(held, entries, signal));
      }),
    });
  }

  stop(): void {
    this.#held?.stop();
  }

  async #take(
    held: HeldBindings,
    entries: readonly RegistrationEntry[],
    signal: AbortSignal | undefined,
  ): Promise<HttpAnswer> {
    if (this.#outbox.listeners.size === 0) {
      throw new Refused(503, 'nobody takes registrations: give this source to a companion such as usrloc({ source })');
    }
    if (held.sizeWith(entries) > MAX_BINDINGS) {
      throw new Refused(503, `more than ${MAX_BINDINGS} bindings; divide them between several processes`);
    }
    const { verdicts, handing } = judgeAll(
      entries,
      (entry) => held.judge(entry),
      (event) => this.#tell(event),
    );
    await handedOver(handing, signal);
    return counted(verdicts);
  }

  #tell(event: BindingEvent): Promise<void> {
    return this.#outbox.send(aorKey(event.binding), event);
  }
}

/**
 * Takes registrations as JSON at `POST /events/registrations` of mi; `pua.use()` it before the companions that listen.
 * It can't tell what there is (no `snapshot()`); events carry `siblings` when their sender gives them.
 * @throws PuaError `PUA_ERR_OPTION`
 */
export function registrationWebhook(options: RegistrationWebhookOptions = {}): RegistrationSource & PuaModule {
  return new RegistrationWebhook(options);
}
