/** Asks the sources which calls live: what they name goes on, what they no longer name is over after a while. */
import type { Clock, DialogSource, Timer } from '@pua/core';
import type { Calls } from './calls.js';
import { fault } from './fault.js';
import type { Settings } from './options.js';

export class Heartbeat {
  readonly #clock: Clock;
  readonly #settings: Settings;
  readonly #calls: Calls;
  #timer: Timer | undefined;
  #stopped = false;

  constructor(clock: Clock, settings: Settings, calls: Calls) {
    this.#clock = clock;
    this.#settings = settings;
    this.#calls = calls;
  }

  start(): void {
    if (this.#settings.sources.some(({ live }) => live !== undefined)) void this.#beat();
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  /** The next question is asked some time after the last answer. */
  async #beat(): Promise<void> {
    const told: boolean[] = [];
    const begun = this.#clock.now();
    for (const [index, source] of this.#settings.sources.entries()) told.push(await this.#ask(source, index));
    if (this.#stopped) return;
    this.#judge(told, begun);
    this.#timer = this.#clock.after(this.#settings.heartbeatInterval * 1000, () => void this.#beat());
  }

  /** True when it named all that live. */
  async #ask(source: DialogSource, index: number): Promise<boolean> {
    if (!source.live) return false;
    try {
      for await (const dialog of source.live()) {
        if (this.#stopped) return false;
        try {
          this.#calls.on({ kind: 'restored', dialog }, index);
        } catch (error) {
          fault(error, 'a call that lives');
        }
      }
      return true;
    } catch (error) {
      fault(error, 'live() of a source');
      return false;
    }
  }

  /** Where a source can't tell, calls known from records only may be its own. */
  #judge(told: readonly boolean[], begun: number): void {
    const now = this.#clock.now();
    const grace = this.#settings.heartbeatGrace * 1000;
    for (const call of [...this.#calls]) {
      const asked = call.source < 0 ? told.every(Boolean) : told[call.source];
      if (!asked || call.ended || call.heardAt >= begun) continue;
      call.missingSince ??= now;
      if (now - call.missingSince >= grace) this.#calls.lost(call);
    }
  }
}
