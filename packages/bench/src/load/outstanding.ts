/** Keeps a number of operations outstanding: each one that has succeeded is followed by the next one. */

/** Begins the operation of that number, and says when it is done; with what went wrong if it did not succeed. */
export type Begin = (serial: number, done: (fault?: unknown) => void) => void;

export class Outstanding {
  private done = 0;
  private serial = 0;
  private last = 0;
  private under = 0;
  private fault: unknown;
  private drained: (() => void) | undefined;
  private readonly ended = (fault?: unknown): void => {
    if (fault === undefined) this.done++;
    else this.fault ??= fault;
    if (this.serial < this.last && this.fault === undefined) this.next();
    else if (--this.under === 0) this.drained?.();
  };

  constructor(private readonly begin: Begin) {}

  /** How many have succeeded. @throws Error when one did not */
  get succeeded(): number {
    if (this.fault !== undefined) throw new Error(`it did not succeed: ${JSON.stringify(this.fault)}`);
    return this.done;
  }

  start(window: number, count = Number.POSITIVE_INFINITY): void {
    this.last = this.serial + count;
    this.under = Math.min(window, count);
    for (let i = this.under; i > 0; i--) this.next();
  }

  /** Begins no further one, and resolves as finish() does. */
  stop(): Promise<number> {
    this.last = this.serial;
    return this.finish();
  }

  /** How many have succeeded, once all that were begun are done. @throws Error (by rejection) when one did not */
  async finish(): Promise<number> {
    if (this.under > 0) {
      await new Promise<void>((resolve) => {
        this.drained = resolve;
      });
    }
    return this.succeeded;
  }

  private next(): void {
    this.begin(this.serial++, this.ended);
  }
}
