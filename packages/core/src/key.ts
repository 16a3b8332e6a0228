/** Keys of records: unique among all records, stable over restarts, readable in commands and logs. */

const clean = (part: string) => part.replace(/[%|]/g, (c) => (c === '%' ? '%25' : '%7C'));
const part = (text: string) => (text.includes('|') || text.includes('%') ? clean(text) : text);

/** (pres_uri, event, source, id) */
export function publicationKey(presUri: string, event: number, source: number, id: string): string {
  return `p|${event}|${source}|${part(presUri)}|${part(id)}`;
}

/** (pres_uri, watcher_uri, event, source, id) */
export function subscriptionKey(
  presUri: string,
  watcherUri: string,
  event: number,
  source: number,
  id: string,
): string {
  return `s|${event}|${source}|${part(presUri)}|${part(watcherUri)}|${part(id)}`;
}

/** A key the caller chose. */
export function ownKey(key: string): string {
  return `k|${key}`;
}
