/** Typed presence documents: PIDF (RFC 3863), data model (RFC 4479), activities of RPID (RFC 4480). */
import type { XmlElement } from '../xml/element.js';

/** A presence document. Lists are absent when empty. */
export interface Pidf {
  /** Presentity URI. */
  readonly entity: string;
  readonly tuples?: readonly Tuple[];
  readonly notes?: readonly Note[];
  readonly persons?: readonly Person[];
  readonly devices?: readonly Device[];
  /** Elements of other namespaces, as they are. */
  readonly extensions?: readonly XmlElement[];
}

/** One service (RFC 3863 section 4.1.2). */
export interface Tuple {
  /** xs:ID: unique in the document, a letter or "_" first. Absent: the body processor of `presence` gives one. */
  readonly id?: string;
  /** Availability; a tuple without it needs a `statusExtensions`. */
  readonly basic?: 'open' | 'closed';
  /** Further elements of `status`. */
  readonly statusExtensions?: readonly XmlElement[];
  readonly extensions?: readonly XmlElement[];
  readonly contact?: Contact;
  readonly notes?: readonly Note[];
  /** xs:dateTime with zone, as `Date.toISOString()` gives it. */
  readonly timestamp?: string;
}

export interface Contact {
  readonly uri: string;
  /** 0 to 1, at most three decimals; absent is the lowest (RFC 3863 section 4.1.5). */
  readonly priority?: number;
}

export interface Note {
  readonly text: string;
  /** Language tag (xml:lang). */
  readonly lang?: string;
}

/** The human being (RFC 4479 section 3.2). */
export interface Person {
  /** As that of a tuple. */
  readonly id?: string;
  /** More than one when their time ranges differ (RFC 4480 section 3.1). */
  readonly activities?: readonly Activities[];
  readonly extensions?: readonly XmlElement[];
  readonly notes?: readonly Note[];
  readonly timestamp?: string;
}

/** RFC 4479 section 3.4 */
export interface Device {
  /** As that of a tuple. */
  readonly id?: string;
  /** URN of the device. */
  readonly deviceId: string;
  readonly extensions?: readonly XmlElement[];
  readonly notes?: readonly Note[];
  readonly timestamp?: string;
}

/** The values of RFC 4480 section 3.2; `unknown` stands alone. */
export const activityNames = [
  'appointment',
  'away',
  'breakfast',
  'busy',
  'dinner',
  'holiday',
  'in-transit',
  'looking-for-work',
  'meal',
  'meeting',
  'on-the-phone',
  'performance',
  'permanent-absence',
  'playing',
  'presentation',
  'shopping',
  'sleeping',
  'spectator',
  'steering',
  'travel',
  'tv',
  'unknown',
  'vacation',
  'working',
  'worship',
] as const;
export type Activity = (typeof activityNames)[number];

export interface Activities {
  readonly id?: string;
  /** Time range they hold for, xs:dateTime. */
  readonly from?: string;
  readonly until?: string;
  readonly notes?: readonly Note[];
  readonly values?: readonly Activity[];
  /** Activities in words, where no value fits. */
  readonly others?: readonly Note[];
  /** Activities of other namespaces. */
  readonly extensions?: readonly XmlElement[];
}
