/** What is published, and for whom. */

export const DOCUMENT_BYTES = 800;

/** PIDF (RFC 3863) as a phone sends it. Each one differs from the one before; ASCII, so that its length is its size. */
export function pidf(presUri: string, serial: number): string {
  const head = `<?xml version="1.0" encoding="UTF-8"?>
<presence xmlns="urn:ietf:params:xml:ns:pidf" xmlns:dm="urn:ietf:params:xml:ns:pidf:data-model" xmlns:rpid="urn:ietf:params:xml:ns:pidf:rpid" entity="${presUri}">
  <tuple id="t1">
    <status><basic>open</basic></status>
    <contact priority="0.8">${presUri}</contact>
    <note xml:lang="en">At my desk, change ${serial}</note>
    <timestamp>2026-01-01T12:00:00Z</timestamp>
  </tuple>
  <dm:person id="p1">
    <rpid:activities><rpid:on-the-phone/></rpid:activities>
    <dm:note xml:lang="en">`;
  const tail = `</dm:note>
  </dm:person>
</presence>
`;
  const text = head + '.'.repeat(Math.max(0, DOCUMENT_BYTES - head.length - tail.length)) + tail;
  // A flat string, as one out of a parser or a database is.
  return Buffer.from(text, 'latin1').toString('latin1');
}

export const presentity = (serial: number): string => `sip:user${String(serial).padStart(7, '0')}@example.com`;
