/**
 * The watchers of a subscription, put together from its documents (RFC 3858 section 4):
 *
 *   version              | the document is                           | outcome
 *   any, it is the first | taken                                     | applied; gap if partial: the rest is unknown
 *   one higher           | taken                                     | applied
 *   more than one higher | taken, although what came between is lost | gap
 *   not higher           | not taken (equal: our own choice)         | discarded
 */
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
  /** `gap`: a refresh of the subscription should be sent, so that the notifier gives the full state. */
  readonly outcome: 'applied' | 'gap' | 'discarded';
}

/**
 * The tables after a document.
 * @param tables those before it; undefined: it is the first of this subscription. A new subscription begins anew.
 */
export function applyWatcherInfo(tables: WatcherTables | undefined, document: WatcherInfo): AppliedWatcherInfo {
  const { version, state } = document;
  if (tables !== undefined && version <= tables.version) return { tables, outcome: 'discarded' };
  const lists = new Map(state === 'full' ? [] : tables?.lists);
  for (const { resource, package: eventPackage, watchers } of document.lists) {
    const rows = new Map(lists.get(resource)?.watchers);
    for (const watcher of watchers) {
      if (watcher.status === 'terminated') rows.delete(watcher.id);
      else rows.set(watcher.id, watcher);
    }
    lists.set(resource, { package: eventPackage, watchers: rows });
  }
  const missed = tables === undefined ? state === 'partial' : version > tables.version + 1;
  return { tables: { version, lists }, outcome: missed ? 'gap' : 'applied' };
}
