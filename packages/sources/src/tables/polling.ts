/** Polls one after the other: never two at once, less often while they fail. */
import { type Clock, channels, type Timer } from '@pua/core';

/** Longest wait after failures, milliseconds. */
const LONGEST = 30_000;

export class Polling {
  #timer: Timer | undefined;
  #running: Promise<void> | undefined;
  #failures = 0;
  #stopped = false;

  /** @param where names the source in faults */
  constructor(
    readonly where: string,
    readonly clock: Clock,
    readonly interval: number,
    readonly poll: () => Promise<void>,
  ) {}

  start(): void {
    this.#wait(this.interval);
  }

  /** Waits for the one that runs. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    await this.#running;
  }

  #wait(ms: number): void {
    if (this.#stopped) return;
    this.#timer = this.clock.after(ms, () => {
      this.#running = this.#run();
    });
  }

  async #run(): Promise<void> {
    let wait = this.interval;
    try {
      await this.poll();
      this.#failures = 0;
    } catch (error) {
      // Once, not with every poll until it is back.
      if (this.#failures++ === 0)
        channels.fault.publish({ type: 'fault', where: `${this.where}: a poll failed, what was known is kept`, error });
      wait = Math.max(wait, Math.min(LONGEST, wait * 2 ** this.#failures));
    }
    this.#wait(wait);
  }
}
