/** Where bindings are kept over a restart. */
import type { Binding, BindingHints, Clock } from '@pua/core';

export interface StoredBinding {
  /** Unique in the store: at most 64 letters, digits and hyphens, told apart without case. */
  readonly key: string;
  readonly binding: Binding;
  /** Subscription to `reg` that told it. */
  readonly owner?: string | undefined;
  readonly hints?: BindingHints | undefined;
}

/** Port; `locationTable` is the one on a database. */
export interface LocationStore {
  /** @throws PuaError `PUA_ERR_STORE_OPEN`, `PUA_ERR_STORE_VERSION` */
  open(clock: Clock): Promise<void>;
  /** Everything there is, in pages; those that ran out, too. */
  load(onPage: (page: readonly StoredBinding[]) => void): Promise<void>;
  /** Writes it soon, as it is then; `isNew`: the store has none of that key. */
  changed(stored: StoredBinding, isNew: boolean): void;
  removed(key: string): void;
  /** Resolves when what was changed until now is written; rejects when that fails. It is tried again all the same. */
  flush(): Promise<void>;
  /** Writes what is left, if it can. */
  close(): Promise<void>;
}
