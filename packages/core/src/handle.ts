/** Whoever waits for the result of a request; the machines see it as an opaque object. */
import type { PuaHandle, PuaResult } from './api.js';

export class Handle implements PuaHandle {
  #result: PuaResult | undefined;
  #resolve: ((result: PuaResult) => void) | undefined;
  #promise: Promise<PuaResult> | undefined;

  constructor(
    readonly key: string,
    readonly callback: ((result: PuaResult) => void) | undefined,
  ) {}

  /** Made only when asked for: most callers of a busy server never look. */
  get result(): Promise<PuaResult> {
    this.#promise ??= this.#result
      ? Promise.resolve(this.#result)
      : new Promise((resolve) => {
          this.#resolve = resolve;
        });
    return this.#promise;
  }

  /** The result, when it is there already. */
  get settled(): PuaResult | undefined {
    return this.#result;
  }

  /** The first result counts. */
  settle(result: PuaResult): void {
    if (this.#result) return;
    this.#result = result;
    this.#resolve?.(result);
    this.callback?.(result);
  }
}
