/**
 * Calls by HTTP: JSON of a `DialogEvent`, a list of them, or signs of life; and the messages of Kamailio's pua_json.
 *
 *   POST events        -> checked as a whole -> duplicates and stale ones dropped -> listeners, in order per call -> 200
 *   POST { alive: [] } -> deadlines move                                                                         -> 200
 *   POST pua_json      -> checked as a whole -> calls as above, everything else published by the core       -> 200 or 502
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
import { asFeatureEvent, messageSummary, presence } from '@pua/documents';
import { isSignOfLife, readKeys } from './entries/alive.js';
import { type DialogEntry, readDialog } from './entries/dialog.js';
import { Refused, readEntries } from './entries/read.js';
import { handedOver } from './handed-over.js';
import { HeldCalls } from './held-calls.js';
import { Once } from './once.js';
import { checkDialogWebhook, type DialogWebhookOptions } from './options.js';
import { Outbox } from './outbox.js';
import { isFine, publish } from './pua-json/publish.js';
import { type Instruction, isPuaJson, readPuaJson, readPuaJsonDialog } from './pua-json/read.js';
import { answered } from './route.js';
import { counted, judgeAll } from './verdict.js';

/** Calls that live at once. */
const MAX_CALLS = 1_000_000;
/** What is published without a companion. */
const events = [presence, messageSummary, asFeatureEvent];

class DialogWebhook implements DialogSource, PuaModule {
  readonly name = 'dialog-webhook';
  readonly live?: () => AsyncIterable<DialogSnapshot>;
  readonly #options: ReturnType<typeof checkDialogWebhook>;
  readonly #outbox = new Outbox<DialogEvent>('the webhook for calls');
  readonly #waiting = new Set<{ readonly timer: Timer; readonly giveUp: () => void }>();
  #pua: PuaApi | undefined;
  #held: HeldCalls | undefined;
  /** When every call that lives has been heard of, monotonic milliseconds. */
  #knownAt = Number.POSITIVE_INFINITY;

  constructor(options: DialogWebhookOptions) {
    this.#options = checkDialogWebhook(options);
    if (this.#options.silence !== null) this.live = () => this.#live();
  }

  onEvent(listener: DialogListener): () => void {
    return this.#outbox.listeners.add(listener);
  }

  setup(pua: PuaApi): void {
    const { path, puaJsonPath, silence } = this.#options;
    const held = new HeldCalls(pua.clock, silence ?? Number.POSITIVE_INFINITY, (event) => void this.#tell(event));
    this.#pua = pua;
    this.#held = held;
    for (const event of events) pua.addEvent(event);
    const known = new Once(pua.clock);
    pua.registerRoute({
      path,
      run: answered(({ body, headers }, { signal }) => {
        if (isSignOfLife(body)) return this.#alive(held, readKeys(body));
        const entries = readEntries(body, (entry) => (isPuaJson(entry) ? readPuaJsonDialog : readDialog)(entry));
        return known.run(headers, entries, () => this.#take(held, entries, signal));
      }),
    });
    const knownPuaJson = new Once(pua.clock);
    pua.registerRoute({
      path: puaJsonPath,
      run: answered(({ body, headers }, { signal }) => {
        const instructions = readEntries(body, readPuaJson);
        return knownPuaJson.run(headers, instructions, () => this.#carryOut(pua, held, instructions, signal));
      }),
    });
  }

  start(): void {
    this.#knownAt = this.#pua!.clock.now() + (this.#options.silence ?? 0);
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
    const { verdicts, handing } = this.#judge(held, entries);
    await handedOver(handing, signal);
    return counted(verdicts);
  }

  #judge(held: HeldCalls, entries: readonly DialogEntry[]) {
    if (entries.length > 0 && this.#outbox.listeners.size === 0) {
      throw new Refused(503, 'nobody takes calls: give this source to a companion such as dialoginfo({ source })');
    }
    if (held.sizeWith(entries) > MAX_CALLS) {
      throw new Refused(503, `more than ${MAX_CALLS} calls; divide them between several processes`);
    }
    return judgeAll(
      entries,
      (entry) => held.judge(entry),
      (event) => this.#tell(event),
    );
  }

  /** Results in the order of the messages; 502 when one of them is not at the server. */
  async #carryOut(
    pua: PuaApi,
    held: HeldCalls,
    instructions: readonly Instruction[],
    signal: AbortSignal | undefined,
  ): Promise<HttpAnswer> {
    const entries = instructions.flatMap((instruction) => ('dialog' in instruction ? [instruction.dialog] : []));
    const { verdicts, handing } = this.#judge(held, entries);
    const ofCalls = verdicts.values();
    const results = await Promise.all(
      instructions.map((instruction) =>
        'dialog' in instruction
          ? { package: 'dialog', outcome: ofCalls.next().value! }
          : publish(pua, instruction.publish, signal),
      ),
    );
    await handedOver(handing, signal);
    return { status: results.every(isFine) ? 200 : 502, body: { results } };
  }

  #alive(held: HeldCalls, keys: readonly string[]): HttpAnswer {
    if (this.#options.silence === null) {
      throw new Refused(400, 'alive: no heartbeat is expected; set the heartbeat of this source');
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
 * Takes calls as JSON at `POST /events/dialogs` of mi, and the messages of pua_json at `POST /events/pua_json`; `pua.use()` it before the companions that listen. With `heartbeat`
 * it tells what lives: right after the start `live()` takes the time of one heartbeat to come to its end.
 * @throws PuaError `PUA_ERR_OPTION`
 */
export function dialogWebhook(options: DialogWebhookOptions = {}): DialogSource & PuaModule {
  return new DialogWebhook(options);
}
