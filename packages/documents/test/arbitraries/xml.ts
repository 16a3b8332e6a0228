/** Random texts and trees. */
import type { XmlAttribute, XmlElement } from '@pua/documents';
import { Namespace } from '@pua/documents';
import fc from 'fast-check';
import { illegalCharacter } from '../../dist/xml/chars.js';

const awkward = [
  '<',
  '&',
  ']]>',
  '"',
  "'",
  '>',
  '\n',
  '\t',
  '\r',
  '\r\n',
  ' ',
  '&amp;',
  '&#0;',
  '<!--',
  '-->',
  '<![CDATA[',
];

/** Any text XML 1.0 can carry, with a liking for what must be escaped. */
export const xmlText: fc.Arbitrary<string> = fc
  .array(
    fc.oneof(
      fc.constantFrom(...awkward, 'é', '\u0085', '\u2028', '\ufffd', '😀', 'a'),
      fc.string({ unit: 'binary', maxLength: 4 }),
    ),
    {
      maxLength: 5,
    },
  )
  .map((parts) => parts.join(''))
  .filter((text) => illegalCharacter(text) < 0);

const nameArb = fc.constantFrom('a', 'b-1', 'C.d', '_x', 'naïve', '名', 'xml', 'xmlns', 'note', 'tuple', '𐐀b');
const namespaceArb = fc.constantFrom(
  'urn:x',
  'urn:y',
  'http://e.example/?a=1&b="2"',
  Namespace.RPID,
  Namespace.DATA_MODEL,
);

const attributesArb: fc.Arbitrary<XmlAttribute[]> = fc
  .uniqueArray(
    fc.record({
      namespace: fc.oneof(fc.constant(''), fc.constant<string>(Namespace.XML), namespaceArb),
      name: nameArb,
      value: xmlText,
    }),
    { maxLength: 3, selector: (a) => `${a.namespace} ${a.name}` },
  )
  // A declaration, not an attribute; and xml:id may not be just anything.
  .map((all) => all.filter((a) => !(a.namespace === '' && a.name === 'xmlns')));

/** No two texts side by side and none empty: what a reader can give back. */
function normal(children: readonly (XmlElement | string)[]): (XmlElement | string)[] {
  const out: (XmlElement | string)[] = [];
  for (const child of children) {
    const last = out.at(-1);
    if (child === '') continue;
    if (typeof child === 'string' && typeof last === 'string') out[out.length - 1] = last + child;
    else out.push(child);
  }
  return out;
}

/** A tree; its root is in some namespace, deeper elements also in none or in PIDF's. */
export const elementArb: fc.Arbitrary<XmlElement> = fc.letrec<{ node: XmlElement; root: XmlElement }>((tie) => {
  const children = fc
    .array(fc.oneof({ maxDepth: 3 }, xmlText, tie('node')), { maxLength: 2 })
    .map((found) => normal(found as (XmlElement | string)[]));
  const of = (namespace: fc.Arbitrary<string>) =>
    fc.record({ namespace, name: nameArb.filter((name) => name !== 'xmlns'), attributes: attributesArb, children });
  return {
    node: of(fc.oneof(fc.constant(''), fc.constant<string>(Namespace.PIDF), namespaceArb)),
    root: of(namespaceArb),
  };
}).root;
