/** Asks the sources which calls live: what they name goes on, what they no longer name is over after a while. */
import type { Clock, DialogSource, Timer } from '@pua/core';
import type { Call } from './call.js';
import type { Calls } from './calls.js';
import { fault } from './fault.js';
import type { Settings } from './options.js';

/** Calls that are looked at in one go, about 20 ms; then the event loop has its turn. */
const STEP = 200;

/** What is known of one source. */
interface Pulse {
  readonly source: DialogSource;
  timer: Timer | undefined;
  /** When its last complete answer was asked for, monotonic ms; -Infinity: there is none. */
  asked: number;
}

export class Heartbeat {
  readonly #clock: Clock;
  readonly #settings: Settings;
  readonly #calls: Calls;
  readonly #pulses: readonly Pulse[];
  #stopped = false;

  constructor(clock: Clock, settings: Settings, calls: Calls) {
    this.#clock = clock;
    this.#settings = settings;
    this.#calls = calls;
    this.#pulses = settings.sources.map((source) => ({ source, timer: undefined, asked: Number.NEGATIVE_INFINITY }));
  }

  start(): void {
    for (const [index, { source }] of this.#pulses.entries()) if (source.live) void this.#beat(index);
  }

  stop(): void {
    this.#stopped = true;
    for (const { timer } of this.#pulses) timer?.cancel();
  }

  /** Each source by itself: one that is slow keeps no other waiting. The next question follows the last answer. */
  async #beat(index: number): Promise<void> {
    const pulse = this.#pulses[index]!;
    const begun = this.#clock.now();
    const complete = await this.#ask(pulse.source, index);
    if (this.#stopped) return;
    pulse.asked = complete ? begun : Number.NEGATIVE_INFINITY;
    if (complete) this.#judge(index);
    pulse.timer = this.#clock.after(this.#settings.heartbeatInterval * 1000, () => void this.#beat(index));
  }

  /** True when it named all that live. */
  async #ask(source: DialogSource, index: number): Promise<boolean> {
    try {
      let named = 0;
      for await (const dialog of source.live!()) {
        if (++named % STEP === 0) await new Promise<void>((resolve) => void this.#clock.after(0, resolve));
        if (this.#stopped) return false;
        try {
          this.#calls.on({ kind: 'restored', dialog }, index);
        } catch (error) {
          fault(error, 'a call that lives');
        }
      }
      return true;
    } catch (error) {
      if (!this.#stopped) fault(error, 'live() of a source');
      return false;
    }
  }

  #judge(index: number): void {
    const now = this.#clock.now();
    for (const call of [...this.#calls]) {
      if (call.ended || !this.#isMissing(call, index)) continue;
      call.missingSince ??= now;
      if (now - call.missingSince >= this.#settings.heartbeatGrace * 1000) this.#calls.lost(call);
    }
  }

  /** A call that is known from records only may be anybody's: all must have told. */
  #isMissing(call: Call, index: number): boolean {
    if (call.source >= 0) return call.source === index && call.heardAt < this.#pulses[index]!.asked;
    return this.#pulses.every(({ asked }) => call.heardAt < asked);
  }
}
