/** PIDF documents. */
import { uriOf } from './peer';

/** A document with a note that tells it from others; complete, so that nobody has a reason to change it. */
export function document(user: string, note: string): string {
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<presence xmlns="urn:ietf:params:xml:ns:pidf" entity="${uriOf(user)}">`,
    '  <tuple id="t1">',
    '    <status><basic>open</basic></status>',
    `    <note xml:lang="de">${note}</note>`,
    '  </tuple>',
    '</presence>',
  ].join('\n');
}

/** Markup, references, umlauts, emoji (one of several code points), right to left, combining marks, line ends. */
export const HARD_NOTE =
  '&lt;b&gt;F&#252;r &amp; über "Straße" \'heute\'&lt;/b&gt; <!-- ü --> <![CDATA[<i>1 < 2 & "3"</i>]]>\r\n\t🏖️👩‍👩‍👧 שלום e\u0301 \u{1f600}%_\\\\0 `; DROP';

/** The note without what XML may write in several ways. */
export const noteOf = (body: string): string => /<note[^>]*>([^<]*)<\/note>/.exec(body)?.[1] ?? '';

/** What Kamailio hands to watchers: libxml2 resolves references that need not be and line ends, and ends the line. */
export const asNotified = (body: string): string =>
  `${body.replace(/&#(\d+);/g, (_, code: string) => String.fromCodePoint(Number(code))).replaceAll('\r\n', '\n')}\n`;
