/** Typed presence documents: PIDF (RFC 3863) and data model (RFC 4479). */
import type { Note } from '../common/model.js';
import type { DeviceRpid, PersonRpid, TupleRpid } from '../rpid/model.js';
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
export interface Tuple extends TupleRpid {
  /** xs:ID: unique in the document, a letter or "_" first. Absent: the body processor of `presence` gives one. */
  readonly id?: string;
  /** Availability; a tuple without it needs a `statusExtensions`. */
  readonly basic?: 'open' | 'closed';
  /** Further elements of `status`. */
  readonly statusExtensions?: readonly XmlElement[];
  /** URNs of the devices that provide the service (RFC 4480 section 3.4). */
  readonly deviceIds?: readonly string[];
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

/** The human being (RFC 4479 section 3.2). */
export interface Person extends PersonRpid {
  /** As that of a tuple. */
  readonly id?: string;
  readonly extensions?: readonly XmlElement[];
  readonly notes?: readonly Note[];
  readonly timestamp?: string;
}

/** RFC 4479 section 3.4 */
export interface Device extends DeviceRpid {
  /** As that of a tuple. */
  readonly id?: string;
  /** URN of the device. */
  readonly deviceId: string;
  readonly extensions?: readonly XmlElement[];
  readonly notes?: readonly Note[];
  readonly timestamp?: string;
}
