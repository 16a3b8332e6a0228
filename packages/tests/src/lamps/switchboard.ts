/** A call server: it tells of its calls as they go on, and can say which of them live. */
import type { DialogEvent, DialogListener, DialogSnapshot, DialogSource } from '@pua/core';

export class Switchboard implements DialogSource {
  readonly #listeners = new Set<DialogListener>();
  /** Live dialogs by call, then by branch and tag of the callee. */
  readonly #calls = new Map<string, Map<string, DialogSnapshot>>();

  onEvent(listener: DialogListener): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  async *live(): AsyncIterable<DialogSnapshot> {
    for (const forks of [...this.#calls.values()]) yield* [...forks.values()];
  }

  get size(): number {
    return this.#calls.size;
  }

  tell(event: DialogEvent): void {
    this.#note(event);
    this.repeat(event);
  }

  /** Tells what is of the past: nothing changes. */
  repeat(event: DialogEvent): void {
    for (const listener of this.#listeners) void listener(event);
  }

  /** The call is over, and nobody is told. */
  lose(key: string): void {
    this.#calls.delete(key);
  }

  /** Who listened has died. */
  hangUp(): void {
    this.#listeners.clear();
  }

  #note({ kind, dialog }: DialogEvent): void {
    const { key, branch = '', callee, state } = dialog;
    const forks = this.#calls.get(key) ?? new Map<string, DialogSnapshot>();
    const name = `${branch} ${callee.tag ?? ''}`;
    if (state === 'terminated') {
      // Of a branch; else of the call: but an INVITE that was answered has failed for the other branches only.
      if (kind !== 'failed') forks.clear();
      else if (dialog.branch !== undefined) forks.delete(name);
      else for (const [other, fork] of forks) if (fork.state !== 'confirmed') forks.delete(other);
    } else {
      // What was there before there were branches and tags is one of them now; an answer ends the others.
      if (state === 'confirmed') forks.clear();
      for (const half of [' ', `${branch} `]) forks.delete(half);
      forks.set(name, dialog);
    }
    if (forks.size === 0) this.#calls.delete(key);
    else this.#calls.set(key, forks);
  }
}
