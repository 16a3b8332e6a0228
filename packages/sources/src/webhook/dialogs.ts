/**
 * Calls by HTTP: JSON of a `DialogEvent`, a list of them, or signs of life.
 *
 *   POST events        -> checked as a whole -> duplicates and stale ones dropped -> listeners, in order per call -> 200
 *   POST { alive: [] } -> deadlines move                                                                         -> 200
 *   schedule           -> expired -> listeners
 */
import {
  type DialogEvent,
  type DialogListener,
  type DialogSnapshot,
  type DialogSource,
  type HttpAnswer,
  type PuaApi,
  PuaError,
  type PuaModule,
  type Timer,
} from '@pua/core';
import { isSignOfLife, readKeys } from './entries/alive.js';
import { type DialogEntry, readDialog } from './entries/dialog.js';
import { Refused, readEntries } from './entries/read.js';
import { handedOver } from './handed-over.js';
import { HeldCalls } from './held-calls.js';
import { Once } from './once.js';
import { checkDialogWebhook, type DialogWebhookOptions } from './options.js';
import { Outbox } from './outbox.js';
import { answered } from './route.js';
import { counted, type Verdict } from './verdict.js';

/** Calls that are known at once, those of the last hour that have ended included. */
const MAX_CALLS = 1_000_000;

class DialogWebhook implements DialogSource, PuaModule {
  readonly name = 'dialog-webhook';
  readonly live?: () => AsyncIterable<DialogSnapshot>;
  readonly #options: Required<DialogWebhookOptions>;
  readonly #outbox = new Outbox<DialogEvent>('the webhook for calls');
  readonly #waiting = new Set<{ readonly timer: Timer; readonly giveUp: () => void }>();
  #pua: PuaApi | undefined;
  #held: HeldCalls | undefined;
  /** When every call that lives has been heard of, monotonic milliseconds. */
  #knownAt = Number.POSITIVE_INFINITY;

  constructor(options: DialogWebhookOptions) {
    this.#options = checkDialogWebhook(options);
    if (this.#options.heartbeat !== null) this.live = () => this.#live();
  }

  onEvent(listener: DialogListener): () => void {
    return this.#outbox.add(listener);
  }

  setup(pua: PuaApi): void {
    const { path, heartbeat } = this.#options;
    const silence = heartbeat === null ? Number.POSITIVE_INFINITY : heartbeat * 1000;
    const held = new HeldCalls(pua.clock, silence, (event) => void this.#tell(event));
    const once = new Once(pua.clock);
    this.#pua = pua;
    this.#held = held;
    pua.registerRoute({
      path,
      run: answered(({ body, headers }, { signal }) => {
        if (isSignOfLife(body)) return this.#alive(held, readKeys(body));
        const entries = readEntries(body, readDialog);
        return once.run(headers, entries, () => this.#take(held, entries, signal));
      }),
    });
  }

  start(): void {
    this.#knownAt = this.#pua!.clock.now() + (this.#options.heartbeat ?? 0) * 1000;
  }

  stop(): void {
    this.#held?.stop();
    for (const { timer, giveUp } of this.#waiting) {
      timer.cancel();
      giveUp();
    }
    this.#waiting.clear();
  }

  async #take(held: HeldCalls, entries: readonly DialogEntry[], signal: AbortSignal | undefined): Promise<HttpAnswer> {
    if (held.size + entries.length > MAX_CALLS) {
      throw new Refused(503, `more than ${MAX_CALLS} calls; divide them between several processes`);
    }
    const verdicts: Verdict[] = [];
    const handing: Promise<void>[] = [];
    for (const entry of entries) {
      const { verdict, event } = held.judge(entry);
      verdicts.push(verdict);
      if (event) handing.push(this.#tell(event));
    }
    await handedOver(handing, signal);
    return counted(verdicts);
  }

  #alive(held: HeldCalls, keys: readonly string[]): HttpAnswer {
    if (this.#options.heartbeat === null) {
      throw new Refused(400, 'alive: no heartbeat is expected; set the option heartbeat of dialogWebhook');
    }
    const unknown = keys.filter((key) => !held.alive(key));
    return { status: 200, body: { alive: keys.length - unknown.length, unknown } };
  }

  #tell(event: DialogEvent): Promise<void> {
    return this.#outbox.send(event.dialog.key, event);
  }

  /** After a start nothing is known: only after the time of one heartbeat can be told what lives. */
  async *#live(): AsyncGenerator<DialogSnapshot> {
    const { clock } = this.#mustRun();
    const rest = this.#knownAt - clock.now();
    if (rest > 0) {
      await new Promise<void>((resolve, reject) => {
        const giveUp = () => reject(new PuaError('PUA_ERR_STATE', 'live(): the webhook is being stopped'));
        const waiting = {
          giveUp,
          timer: clock.after(rest, () => {
            this.#waiting.delete(waiting);
            resolve();
          }),
        };
        this.#waiting.add(waiting);
      });
    }
    yield* this.#held!.live();
  }

  #mustRun(): PuaApi {
    if (this.#pua && this.#knownAt !== Number.POSITIVE_INFINITY) return this.#pua;
    throw new PuaError('PUA_ERR_STATE', 'live(): pua.use() the webhook first, and start it');
  }
}

/**
 * Takes calls as JSON at `POST /events/dialogs` of mi; `pua.use()` it before the companions that listen. With `heartbeat`
 * it tells what lives: right after the start `live()` takes the time of one heartbeat to come to its end.
 * @throws PuaError `PUA_ERR_OPTION`
 */
export function dialogWebhook(options: DialogWebhookOptions = {}): DialogSource & PuaModule {
  return new DialogWebhook(options);
}
