/** Where bindings are kept over a restart. */
import type { Binding, BindingHints } from '@pua/core';

export interface StoredBinding {
  /** Unique in the store, at most 64 characters. */
  readonly key: string;
  readonly binding: Binding;
  /** Subscription to `reg` that told it. */
  readonly owner?: string;
  readonly hints?: BindingHints;
}

/** Port; `locationTable` is the one on a database. */
export interface LocationStore {
  /** @throws PuaError `PUA_ERR_STORE_OPEN`, `PUA_ERR_STORE_VERSION` */
  open(): Promise<void>;
  /** Everything there is, in pages; those that ran out, too. */
  load(onPage: (page: readonly StoredBinding[]) => void): Promise<void>;
  /** Writes it soon; `isNew`: no binding of that key is known. */
  changed(stored: StoredBinding, isNew: boolean): void;
  removed(key: string): void;
  /** Resolves when what was changed until now is written. */
  flush(): Promise<void>;
  close(): Promise<void>;
}
