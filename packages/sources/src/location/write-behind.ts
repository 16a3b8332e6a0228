/**
 * Changes that wait for the database: one group is on its way at a time, the newest state of a binding counts, and what
 * came and went between two groups is never written.
 *
 *   changed changed removed ...        put(rows), remove(keys)
 *      |------- DELAY_MS -----> group ------> done, or again after a pause that doubles
 */
import type { Clock, Timer } from '@pua/core';
import type { StoredBinding } from './store.js';

/** Milliseconds from the first change to its group. */
const DELAY_MS = 50;
/** Bindings in a group. */
const GROUP = 2_000;
/** Pauses after a failure, milliseconds. */
const RETRY_MS = [200, 30_000] as const;

interface Waiting {
  /** null: it is to be removed. */
  readonly stored: StoredBinding | null;
  /** The database has none of this key. */
  readonly isNew: boolean;
}

export interface Writer {
  /** Writes all of it or nothing. */
  write(put: readonly StoredBinding[], remove: readonly string[]): Promise<void>;
  failed(error: unknown): void;
}

export class WriteBehind {
  #waiting = new Map<string, Waiting>();
  /** On its way. */
  #group = new Map<string, Waiting>();
  #writing: Promise<void> | undefined;
  #timer: Timer | undefined;
  #failures = 0;

  constructor(
    readonly clock: Clock,
    readonly writer: Writer,
  ) {}

  /** How many changes wait. */
  get pending(): number {
    return this.#waiting.size + this.#group.size;
  }

  changed(stored: StoredBinding, isNew: boolean): void {
    const { key } = stored;
    const known = this.#waiting.get(key);
    this.#waiting.set(key, { stored, isNew: known?.isNew ?? isNew });
    this.#plan();
  }

  removed(key: string): void {
    if (this.#waiting.get(key)?.isNew) {
      this.#waiting.delete(key);
      if (this.#waiting.size === 0) this.stop();
    } else {
      this.#waiting.set(key, { stored: null, isNew: false });
      this.#plan();
    }
  }

  /** @throws what the writer threw, if a group fails */
  async flush(): Promise<void> {
    while (this.#writing || this.#waiting.size > 0) await (this.#writing ?? this.#write());
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #plan(): void {
    if (this.#timer || this.#writing || this.#waiting.size === 0) return;
    const pause = Math.min(RETRY_MS[1], RETRY_MS[0] * 2 ** (this.#failures - 1));
    this.#timer = this.clock.after(this.#failures === 0 ? DELAY_MS : pause, () => {
      this.#timer = undefined;
      this.#write().catch(() => {});
    });
  }

  #write(): Promise<void> {
    this.stop();
    this.#writing = this.#writeGroup().finally(() => {
      this.#writing = undefined;
      this.#plan();
    });
    return this.#writing;
  }

  async #writeGroup(): Promise<void> {
    for (const [key, waiting] of this.#waiting) {
      if (this.#group.size >= GROUP) break;
      this.#group.set(key, waiting);
      this.#waiting.delete(key);
    }
    const put: StoredBinding[] = [];
    const remove: string[] = [];
    for (const [key, { stored }] of this.#group) {
      if (stored) put.push(stored);
      else remove.push(key);
    }
    try {
      await this.writer.write(put, remove);
      this.#failures = 0;
    } catch (error) {
      this.#failures++;
      this.#giveBack();
      this.writer.failed(error);
      throw error;
    } finally {
      this.#group.clear();
    }
  }

  /** What failed waits again, unless something newer does. */
  #giveBack(): void {
    const newer = this.#waiting;
    this.#waiting = this.#group;
    this.#group = new Map();
    for (const [key, { stored }] of newer) {
      const isNew = this.#waiting.get(key)?.isNew ?? newer.get(key)!.isNew;
      if (stored || !isNew) this.#waiting.set(key, { stored, isNew });
      else this.#waiting.delete(key);
    }
  }
}
