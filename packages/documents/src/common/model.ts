/** What several documents have in common. */

/** What the documents that tell of changes have at their root (RFC 3680, RFC 3858, RFC 4235). */
export interface Versioned {
  readonly version: number;
  readonly state: 'full' | 'partial';
}

export interface Note {
  readonly text: string;
  /** Language tag (xml:lang). */
  readonly lang?: string;
}

/** An element that may hold for some time only (RFC 4480 section 3.1): one per time range, and ranges should not overlap. */
export interface Ranged {
  /** xs:ID: unique in the document, a letter or "_" first. */
  readonly id?: string;
  /** xs:dateTime with zone, as `Date.toISOString()` gives it. */
  readonly from?: string;
  /** As `from`. */
  readonly until?: string;
}
