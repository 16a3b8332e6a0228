/** Keys of records: unique among all records, stable over restarts, readable in commands and logs. */

const clean = (part: string) => part.replace(/[%|]/g, (c) => (c === '%' ? '%25' : '%7C'));
const part = (text: string) => (text.includes('|') || text.includes('%') ? clean(text) : text);
const eventPart = (event: number | string) => (typeof event === 'number' ? event : part(event));

/** (pres_uri, event, source, id); the event as in RegisteredEvent.keyPart. */
export function publicationKey(presUri: string, event: number | string, source: number, id: string): string {
  return `p|${eventPart(event)}|${source}|${part(presUri)}|${part(id)}`;
}

/** (pres_uri, watcher_uri, event, source, id) */
export function subscriptionKey(
  presUri: string,
  watcherUri: string,
  event: number | string,
  source: number,
  id: string,
): string {
  return `s|${eventPart(event)}|${source}|${part(presUri)}|${part(watcherUri)}|${part(id)}`;
}

/** A key the caller chose. */
export function ownKey(key: string): string {
  return `k|${key}`;
}
