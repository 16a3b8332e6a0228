/** Typed form of `application/watcherinfo+xml` (RFC 3858). */

export interface WatcherInfo {
  /** One higher from document to document of a subscription; the first may have any. */
  readonly version: number;
  /** `partial`: only the watchers that have changed. */
  readonly state: 'full' | 'partial';
  readonly lists: readonly WatcherList[];
}

/** Who watches a resource. */
export interface WatcherList {
  /** URI of what is watched. */
  readonly resource: string;
  /** Event package it is watched by: `presence`. */
  readonly package: string;
  readonly watchers: readonly Watcher[];
}

/** One subscription. */
export interface Watcher {
  /** The same for a subscription in all documents. */
  readonly id: string;
  /** Who subscribes. */
  readonly uri: string;
  readonly status: WatcherStatus;
  /** What led to the status. */
  readonly event: WatcherEvent;
  readonly displayName?: string;
  /** Language of the display name (xml:lang). */
  readonly lang?: string;
  /** Seconds until the subscription ends. */
  readonly expiration?: number;
  /** Seconds since it began. */
  readonly durationSubscribed?: number;
}

/** RFC 3857 section 4.7.1 */
export const watcherStatuses = ['pending', 'active', 'waiting', 'terminated'] as const;
export type WatcherStatus = (typeof watcherStatuses)[number];

export const watcherEvents = [
  'subscribe',
  'approved',
  'deactivated',
  'probation',
  'rejected',
  'timeout',
  'giveup',
  'noresource',
] as const;
export type WatcherEvent = (typeof watcherEvents)[number];
