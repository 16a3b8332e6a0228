/** What random documents of PIDF, the data model and RPID share. */
import type { Note, XmlElement } from '@pua/documents';
import fc from 'fast-check';
import { elementArb, xmlText } from './xml';

/** One extension, in a namespace other than these. */
export function extensionsOf(...not: readonly string[]): fc.Arbitrary<XmlElement[]> {
  return fc
    .array(elementArb, { minLength: 1, maxLength: 1 })
    .filter((all) => all.every((e) => !not.includes(e.namespace)));
}

export const timestamp = fc
  .date({ noInvalidDate: true, min: new Date('1970-01-01'), max: new Date('2199-12-31') })
  .map((date) => date.toISOString());

export const uri = fc.constantFrom(
  'sip:alice@example.com',
  'pres:bob@example.com?a=1&b=2',
  'im:"x"@e.example',
  'urn:uuid:1',
  'sip:é@example.com',
);

export const note: fc.Arbitrary<Note> = fc.record(
  { text: xmlText, lang: fc.constantFrom('en', 'de-CH') },
  { requiredKeys: ['text'] },
);

export const notes = fc.array(note, { minLength: 1, maxLength: 2 });

export const ranged = () => ({ id, from: timestamp, until: timestamp });

/** A record of which any key may be missing. */
export function some<T>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<Partial<T>> {
  return fc.record(model, { requiredKeys: [] }) as unknown as fc.Arbitrary<Partial<T>>;
}

export function listOf<T>(item: fc.Arbitrary<T>, maxLength = 2): fc.Arbitrary<T[]> {
  return fc.array(item, { minLength: 1, maxLength });
}

/** Stands for an id of its own until `numbered` has given it. */
export const id = fc.constant('');

/** Every id of a value that is not inside an extension becomes one of its own. */
export function numbered<T>(value: T): T {
  let count = 0;
  const visit = (node: unknown): unknown => {
    if (Array.isArray(node)) return node.map(visit);
    if (typeof node !== 'object' || node === null) return node;
    return Object.fromEntries(
      Object.entries(node).map(([key, inner]) =>
        key === 'id' ? [key, `i${count++}`] : [key, /extensions$/i.test(key) ? inner : visit(inner)],
      ),
    );
  };
  return visit(value) as T;
}
