/**
 * Whose server has all that was told before: only then changes alone will do. A document that waits is replaced by the next
 * one, and one that is sent to a server that has lost the former ones stands for itself.
 *
 *   PUBLISH full ->      200 <-      PUBLISH partial ->      412 <-      PUBLISH full ->
 */
import type { PuaApi, PuaHandle, PuaRecord } from '@pua/core';
import { PUBLISH_SOURCE } from './record.js';

export class InStep {
  /** By key of the record: the AORs that its server has all of. */
  readonly #told = new Map<string, string>();
  /** The newest document of each record that is on its way. */
  readonly #sent = new Map<string, PuaHandle>();
  readonly forget: () => void;

  /** @param repeat the server may lack something: all is to be told again */
  constructor(pua: PuaApi, repeat: (record: PuaRecord) => void) {
    this.forget = pua.registerCallback(PUBLISH_SOURCE, (record, { status }, { cause }) => {
      if (status !== 412 && (cause !== 'recovery' || status >= 300)) return;
      this.#told.delete(record.key);
      repeat(record);
    });
  }

  /** Changes of these AORs are enough; until the next document is accepted they are not again. */
  take(record: PuaRecord | undefined, aors: string): boolean {
    if (record === undefined) return false;
    const told = this.#told.get(record.key);
    this.#told.delete(record.key);
    return told === aors;
  }

  sent(handle: PuaHandle, aors: string): void {
    const { key } = handle;
    this.#sent.set(key, handle);
    void handle.result.then(({ outcome }) => {
      if (this.#sent.get(key) !== handle) return;
      this.#sent.delete(key);
      if (outcome === 'accepted') this.#told.set(key, aors);
    });
  }
}
