/** Random documents, as values and as text. */
import type { Activities, Device, Note, Person, Pidf, Tuple, XmlAttribute, XmlElement } from '@pua/documents';
import { activityNames, Namespace } from '@pua/documents';
import fc from 'fast-check';
import { illegalCharacter } from '../dist/xml/chars.js';

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

const extensionsOf = (...not: readonly string[]) =>
  fc.array(elementArb, { minLength: 1, maxLength: 1 }).filter((all) => all.every((e) => !not.includes(e.namespace)));

const timestamp = fc
  .date({ noInvalidDate: true, min: new Date('1970-01-01'), max: new Date('2199-12-31') })
  .map((date) => date.toISOString());
const uri = fc.constantFrom(
  'sip:alice@example.com',
  'pres:bob@example.com?a=1&b=2',
  'im:"x"@e.example',
  'urn:uuid:1',
  'sip:é@example.com',
);
const noteArb: fc.Arbitrary<Note> = fc.record(
  { text: xmlText, lang: fc.constantFrom('en', 'de-CH') },
  { requiredKeys: ['text'] },
);
const notes = fc.array(noteArb, { minLength: 1, maxLength: 2 });

const tupleArb: fc.Arbitrary<Tuple> = fc
  .record(
    {
      basic: fc.constantFrom('open' as const, 'closed' as const),
      statusExtensions: extensionsOf(Namespace.PIDF),
      extensions: extensionsOf(Namespace.PIDF),
      contact: fc.record(
        { uri, priority: fc.integer({ min: 0, max: 1000 }).map((n) => n / 1000) },
        { requiredKeys: ['uri'] },
      ),
      notes,
      timestamp,
    },
    { requiredKeys: [] },
  )
  .map((tuple) => (tuple.basic || tuple.statusExtensions ? tuple : { ...tuple, basic: 'open' }));

const activitiesArb: fc.Arbitrary<Activities> = fc.record(
  {
    from: timestamp,
    until: timestamp,
    notes,
    values: fc.oneof(
      fc.array(fc.constantFrom(...activityNames.filter((name) => name !== 'unknown')), { minLength: 1, maxLength: 3 }),
    ),
    others: notes,
    extensions: extensionsOf(Namespace.RPID),
  },
  { requiredKeys: [] },
);

const personArb: fc.Arbitrary<Person> = fc.record(
  {
    activities: fc.oneof(
      fc.array(activitiesArb, { minLength: 1, maxLength: 2 }),
      fc.constant([{ values: ['unknown' as const] }]),
    ),
    extensions: extensionsOf(Namespace.DATA_MODEL),
    notes,
    timestamp,
  },
  { requiredKeys: [] },
);

const deviceArb: fc.Arbitrary<Device> = fc.record(
  { deviceId: uri, extensions: extensionsOf(Namespace.DATA_MODEL), notes, timestamp },
  { requiredKeys: ['deviceId'] },
);

/** Gives ids to all, or to those that `drop` does not name. */
function withIds<T>(items: readonly T[] | undefined, letter: string, drop: boolean): { id?: string }[] | undefined {
  return items?.map((item, i) => (drop && i % 2 === 0 ? (item as object) : { id: `${letter}${i}`, ...item }));
}

/** A document; `complete` ones have every id the schema asks for. */
export function pidfArb(complete: boolean): fc.Arbitrary<Pidf> {
  return fc
    .tuple(
      fc.record(
        {
          entity: uri,
          tuples: fc.array(tupleArb, { minLength: 1, maxLength: 3 }),
          notes,
          persons: fc.array(personArb, { minLength: 1, maxLength: 2 }),
          devices: fc.array(deviceArb, { minLength: 1, maxLength: 2 }),
          extensions: extensionsOf(Namespace.PIDF, Namespace.DATA_MODEL),
        },
        { requiredKeys: ['entity'] },
      ),
      fc.boolean(),
    )
    .map(([doc, drop]) => {
      const all: Record<string, unknown> = { ...doc };
      for (const [key, letter] of [
        ['tuples', 't'],
        ['persons', 'p'],
        ['devices', 'd'],
      ] as const) {
        if (doc[key]) all[key] = withIds<Tuple | Person | Device>(doc[key], letter, drop && !complete);
      }
      return all as unknown as Pidf;
    });
}
