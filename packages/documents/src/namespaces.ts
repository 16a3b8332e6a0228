/** Namespace names of the documents this package knows, and the prefixes our writer prefers for them. */

export const Namespace = {
  XML: 'http://www.w3.org/XML/1998/namespace',
  XMLNS: 'http://www.w3.org/2000/xmlns/',
  /** RFC 3863 */
  PIDF: 'urn:ietf:params:xml:ns:pidf',
  /** RFC 4479 */
  DATA_MODEL: 'urn:ietf:params:xml:ns:pidf:data-model',
  /** RFC 4480 */
  RPID: 'urn:ietf:params:xml:ns:pidf:rpid',
  /** RFC 4589: the types of places that RPID refers to. */
  LOCATION_TYPE: 'urn:ietf:params:xml:ns:location-type',
  /** RFC 3858 */
  WATCHERINFO: 'urn:ietf:params:xml:ns:watcherinfo',
  /** RFC 4235 */
  DIALOG_INFO: 'urn:ietf:params:xml:ns:dialog-info',
  /** RFC 3680 */
  REGINFO: 'urn:ietf:params:xml:ns:reginfo',
  /** RFC 5628 */
  GRUUINFO: 'urn:ietf:params:xml:ns:gruuinfo',
} as const;

/** Where a namespace is not here, the writer makes a prefix (`ns1`, `ns2`, ...). */
export const preferredPrefix: ReadonlyMap<string, string> = new Map([
  [Namespace.PIDF, 'pidf'],
  [Namespace.DATA_MODEL, 'dm'],
  [Namespace.RPID, 'rpid'],
  [Namespace.LOCATION_TYPE, 'lt'],
  [Namespace.GRUUINFO, 'gr'],
]);
