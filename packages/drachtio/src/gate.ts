/**
 * Lets frames out to the server. It reads 8192 bytes at a time into a ring of 12 228: when other frames follow one of more
 * than 4036 bytes too closely, the ring overflows before that frame is complete, and its beginning is lost. So a long
 * frame goes out alone, and what comes behind it waits until the server has said that it has it.
 */
export const LONG_FRAME_BYTES = 4036;

export class FrameGate {
  readonly #waiting: (() => void)[] = [];
  #closed = false;
  #opening = false;

  /**
   * Calls `send` when a frame of that size may go out, at once if it can. After a long frame `release` must be called
   * once the server has it; for others it does nothing.
   */
  pass(bytes: number, send: (release: () => void) => void): void {
    const enter = () => {
      const long = bytes > LONG_FRAME_BYTES;
      this.#closed = long;
      let held = long;
      send(() => {
        if (!held) return;
        held = false;
        this.#open();
      });
    };
    if (this.#closed || this.#waiting.length > 0) this.#waiting.push(enter);
    else enter();
  }

  #open(): void {
    this.#closed = false;
    // One that is let out may be done with at once and come back here: in a loop, for there may be thousands.
    if (this.#opening) return;
    this.#opening = true;
    while (!this.#closed) {
      const next = this.#waiting.shift();
      if (!next) break;
      next();
    }
    this.#opening = false;
  }
}
