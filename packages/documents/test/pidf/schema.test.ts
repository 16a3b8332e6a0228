/** Written documents against the schemas of the RFCs. */
import {
  activityNames,
  moodNames,
  Namespace,
  type Pidf,
  placeProperties,
  presence,
  privacyNames,
  relationshipNames,
  serviceClassNames,
  sphereNames,
  writePidf,
} from '@pua/documents';
import fc from 'fast-check';
import { pidfArb } from '../arbitraries/pidf';
import { runProcessor } from '../process';
import { complaints as complaintsOf, describeWithSchemas, temporaryFolder } from '../xmllint';

/** Data model and RPID are `any` to PIDF's schema; the three together check all. */
const schemas = { [Namespace.PIDF]: 'pidf', [Namespace.DATA_MODEL]: 'data-model', [Namespace.RPID]: 'rpid' };

describeWithSchemas('schemas', () => {
  const folder = temporaryFolder();
  const complaints = (documents: readonly string[]) => complaintsOf(folder(), schemas, documents);

  test('random documents are valid', () => {
    const docs = fc.sample(pidfArb(true), { seed: 4, numRuns: 100 }).map((doc) => writePidf(doc));
    expect(complaints(docs)).toBe('');
  });

  test('those with extensions of other namespaces too', () => {
    const foreign = { namespace: 'urn:x', name: 'y', attributes: [], children: ['text'] };
    const doc: Pidf = {
      entity: 'sip:a@b.example',
      tuples: [
        {
          id: 't',
          basic: 'open',
          statusExtensions: [foreign],
          extensions: [foreign],
          contact: { uri: 'sip:a', priority: 0.125 },
        },
      ],
      persons: [{ id: 'p', activities: [{ id: 'a', values: ['away'], extensions: [foreign] }], extensions: [foreign] }],
      devices: [{ id: 'd', deviceId: 'urn:x', extensions: [foreign] }],
      extensions: [foreign],
    };
    expect(complaints([writePidf(doc)])).toBe('');
  });

  test('every value of RPID', () => {
    const all = { notes: [{ text: 'n', lang: 'en' }], from: '2024-01-01T00:00:00Z', until: '2024-01-02T00:00:00Z' };
    const except = <V extends string>(names: readonly V[]) => names.filter((name) => name !== 'unknown');
    const mediumOf = (index: number) => ({
      audio: placeProperties.audio[index]!,
      video: placeProperties.video[index]!,
      text: placeProperties.text[index]!,
    });
    const doc: Pidf = {
      entity: 'sip:a@b.example',
      tuples: [
        ...relationshipNames.map((value) => ({ relationship: { notes: all.notes, value } })),
        ...serviceClassNames.map((value) => ({ serviceClass: { notes: all.notes, value } })),
      ].map((tuple, i) => ({ id: `t${i}`, basic: 'open', ...tuple })),
      persons: [
        {
          id: 'p',
          activities: [
            { ...all, id: 'a', values: except(activityNames), others: all.notes },
            { ...all, values: ['unknown'] },
            {},
          ],
          mood: [
            { ...all, id: 'm', values: except(moodNames), others: all.notes },
            { ...all, values: ['unknown'] },
          ],
          placeIs: [0, 1, 2, 3].map((index) => ({ ...all, id: `w${index}`, ...mediumOf(index) })),
          privacy: [{ ...all, id: 'v', values: except(privacyNames) }, { values: ['unknown'] }, {}],
          sphere: sphereNames.map((value) => ({ value })),
        },
      ],
    };
    expect(complaints([writePidf(doc)])).toBe('');
  });

  test('documents without ids are valid once the body processor has been there', () => {
    const raw = fc
      .sample(pidfArb(false), { seed: 5, numRuns: 100 })
      .filter((doc) => doc.tuples || doc.persons || doc.devices)
      .map((doc) => writePidf(doc));
    expect(complaints(raw)).not.toBe('');
    const done = raw.map((body) => runProcessor(presence, { body, newId: () => '0new' }).body);
    expect(complaints(done)).toBe('');
  });

  test('the check can fail', () => {
    const presenceWith = (inner: string) =>
      `<presence xmlns="${Namespace.PIDF}" xmlns:dm="${Namespace.DATA_MODEL}" xmlns:r="${Namespace.RPID}" entity="a">${inner}</presence>`;
    expect(complaints([presenceWith('<note/><tuple/>')])).toMatch(/tuple/);
    expect(complaints([presenceWith('<dm:person id="p"><r:mood/></dm:person>')])).toMatch(/mood/);
    expect(complaints([presenceWith('<dm:person id="p"><dm:note/><r:mood><r:sad/></r:mood></dm:person>')])).toMatch(
      /mood/,
    );
  });
});
