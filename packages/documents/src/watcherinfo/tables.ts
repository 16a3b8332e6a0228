/** The watchers of a subscription, put together from its documents (RFC 3858 section 4). */
import { outcomeOf, type TableOutcome } from '../common/tables.js';
import type { Watcher, WatcherInfo } from './model.js';

/** Immutable: `applyWatcherInfo` gives new ones. */
export interface WatcherTables {
  /** Version of the last document taken. */
  readonly version: number;
  /** By resource. */
  readonly lists: ReadonlyMap<string, WatcherTable>;
}

export interface WatcherTable {
  readonly package: string;
  /** By id; those that are terminated are left out (RFC 3858: may be removed at any time). */
  readonly watchers: ReadonlyMap<string, Watcher>;
}

export interface AppliedWatcherInfo {
  readonly tables: WatcherTables;
  readonly outcome: TableOutcome;
}

/**
 * The tables after a document.
 * @param tables those before it; undefined: it is the first of this subscription. A new subscription begins anew.
 */
export function applyWatcherInfo(tables: WatcherTables | undefined, document: WatcherInfo): AppliedWatcherInfo {
  const { version, state } = document;
  const outcome = outcomeOf(tables?.version, document);
  if (tables !== undefined && outcome === 'discarded') return { tables, outcome };
  const lists = new Map(state === 'full' ? [] : tables?.lists);
  for (const { resource, package: eventPackage, watchers } of document.lists) {
    const rows = new Map(lists.get(resource)?.watchers);
    for (const watcher of watchers) {
      if (watcher.status === 'terminated') rows.delete(watcher.id);
      else rows.set(watcher.id, watcher);
    }
    lists.set(resource, { package: eventPackage, watchers: rows });
  }
  return { tables: { version, lists }, outcome };
}
