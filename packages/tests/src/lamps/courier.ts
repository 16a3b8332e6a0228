/**
 * Carries the events of a switchboard to a webhook, in order per call, each until it is taken; and tells which calls live.
 *
 *   POST event, sequence n ->      no answer: once more      200 <-      POST event, sequence n+1 ->
 *   POST alive: [keys] ->          200, unknown: [keys] <-   POST restored ->
 */
import type { Clock, DialogEvent, DialogSnapshot, HttpRoute, Timer } from '@pua/core';
import type { SimRandom } from '@pua/testkit';
import type { Switchboard } from './switchboard.js';

export interface CourierOptions {
  readonly clock: Clock;
  readonly random: SimRandom;
  readonly switchboard: Switchboard;
  /** The webhook of the process; undefined: nobody is there. */
  readonly route: () => HttpRoute | undefined;
  readonly aliveMs: number;
}

const AGAIN_MS = 400;
/** Answers that get lost. */
const LOSS = 0.1;

export class Courier {
  readonly #o: CourierOptions;
  /** What is to be told of a call; the first one is on its way. */
  readonly #queues = new Map<string, DialogEvent[]>();
  readonly #numbers = new WeakMap<DialogEvent, number>();
  #number = 0;
  #timer: Timer | undefined;

  constructor(options: CourierOptions) {
    this.#o = options;
    options.switchboard.onEvent((event) => this.#send(event));
    this.#beat();
  }

  stop(): void {
    this.#timer?.cancel();
  }

  #send(event: DialogEvent): void {
    // What is told once more has the number that it had.
    if (!this.#numbers.has(event)) this.#numbers.set(event, ++this.#number);
    const { key } = event.dialog;
    const queue = this.#queues.get(key);
    if (queue) queue.push(event);
    else {
      this.#queues.set(key, [event]);
      void this.#deliver(key);
    }
  }

  async #deliver(key: string): Promise<void> {
    const queue = this.#queues.get(key)!;
    for (let event = queue[0]; event; event = queue[0]) {
      const answer = await this.#post({ ...event, sequence: this.#numbers.get(event) });
      if (answer?.status === 200) queue.shift();
      else await new Promise<void>((resolve) => void this.#o.clock.after(AGAIN_MS, resolve));
    }
    this.#queues.delete(key);
  }

  async #post(body: unknown) {
    const { route, random } = this.#o;
    const answer = await route()?.run({ body: JSON.parse(JSON.stringify(body)), headers: {} }, {});
    return random.uniform() < LOSS ? undefined : answer;
  }

  #beat(): void {
    const { clock, aliveMs } = this.#o;
    void this.#tellAlive();
    this.#timer = clock.after(aliveMs, () => this.#beat());
  }

  async #tellAlive(): Promise<void> {
    const dialogs: DialogSnapshot[] = [];
    for await (const dialog of this.#o.switchboard.live()) dialogs.push(dialog);
    const keys = [...new Set(dialogs.map(({ key }) => key))];
    const answer = await this.#post({ alive: keys });
    const { unknown = [] } = (answer?.body ?? {}) as { unknown?: readonly string[] };
    for (const dialog of dialogs) {
      // What is still to be told of it comes in its turn.
      if (unknown.includes(dialog.key) && !this.#queues.has(dialog.key)) this.#send({ kind: 'restored', dialog });
    }
  }
}
