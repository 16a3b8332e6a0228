/** The root's version of dialog-info and reginfo: set by scanning, held against the parser. */
import { type EventDefinition, type ProcessOutput, SourceFlag } from '@pua/core';
import { dialog, dialogSla, Namespace, readXml, reg, type XmlElement } from '@pua/documents';
import fc from 'fast-check';
import { mutatedFrom } from './mutations';
import { runProcessor } from './process';
import { refusal } from './refusal';

const both = { dlginfoIncreaseVersion: true, reginfoIncreaseVersion: true };
const run = (event: EventDefinition, body: string, version: number) =>
  runProcessor(event, { body, version, tupleId: 'kept', parameters: both });

const dialogInfo = (attributes: string, inner = '') =>
  `<dialog-info xmlns="${Namespace.DIALOG_INFO}"${attributes}>${inner}</dialog-info>`;
const reginfo = (attributes: string, inner = '') =>
  `<reginfo xmlns="${Namespace.REGINFO}"${attributes}>${inner}</reginfo>`;

describe.each([
  ['dialog', dialog, dialogInfo],
  ['dialog;sla', dialogSla, dialogInfo],
  ['reg', reg, reginfo],
] as const)('%s', (_name, event, document) => {
  test('replaces the version, in its quotes, and nothing else', () => {
    expect(run(event, document(' version="9" state="full"'), 0)).toEqual({
      body: document(' version="0" state="full"'),
      tupleId: 'kept',
    });
    const body = document(" state='full'\n  version = '&#57;'\n", '<!-- version="3" --><a version="4"/>');
    expect(run(event, body, 12).body).toBe(body.replace('&#57;', '12'));
    expect(run(event, document(' version=""'), 3).body).toBe(document(' version="3"'));
  });

  test('adds a version that is missing', () => {
    expect(run(event, document(' state="full"'), 4).body).toBe(
      document(' state="full"').replace(' xmlns', ' version="4" xmlns'),
    );
    const other = document(' xmlns:x="urn:x" x:version="9" xml:version="9" Version="9" versions="9"');
    expect(run(event, other, 4).body).toBe(other.replace(' xmlns', ' version="4" xmlns'));
  });

  test.each([
    ['another root', '<presence/>', /the root must be/],
    ['the right name in no namespace', '<dialog-info/>', /the root must be/],
    ['the right namespace with another name', document('').replaceAll(/(?<=<\/?)[\w-]+/g, 'x'), /the root must be/],
    ['not well-formed behind the root tag', document(' version="1"', '<a>'), /end tag does not fit/],
    ['two versions', document(' version="1" version="2"'), /a second attribute version/],
    ['a DTD', `<!DOCTYPE x>${document('')}`, /a DTD/],
    ['nothing', '', /no root element/],
  ])('refuses %s', (_what, body, message) => {
    expect(refusal(() => run(event, body, 1))).toMatch(message);
  });
});

test('a root with a prefix, a byte order mark, characters beyond ASCII', () => {
  const body = `\ufeff<?xml version="1.0"?><!--é😀--><d:dialog-info entity="sip:é@例.example" xmlns:d="${Namespace.DIALOG_INFO}" version="7"/>`;
  expect(run(dialogSla, body, 8).body).toBe(body.replace('"7"', '"8"'));
});

test('dialog and reg pass what they get as it is while their parameter is off; dialog;sla has none', () => {
  const off = { dlginfoIncreaseVersion: false, reginfoIncreaseVersion: false };
  expect(runProcessor(dialog, { body: '<not xml', parameters: { ...off, reginfoIncreaseVersion: true } }).body).toBe(
    '<not xml',
  );
  expect(runProcessor(reg, { body: '<not xml', parameters: { ...off, dlginfoIncreaseVersion: true } }).body).toBe(
    '<not xml',
  );
  expect(runProcessor(dialogSla, { body: dialogInfo(''), parameters: off }).body).toContain(' version="0"');
});

test('the documents of dialoginfo and reginfo are counted without a parameter', () => {
  const { DIALOG_PUBLISH, REGINFO_PUBLISH } = SourceFlag;
  const outOf = (event: EventDefinition, body: string, sourceFlag: number) =>
    runProcessor(event, { body, version: 7, sourceFlag }).body;
  const [calls, bindings] = [dialogInfo(' version="0"'), reginfo(' version="0"')];
  expect(outOf(dialog, calls, DIALOG_PUBLISH)).toBe(dialogInfo(' version="7"'));
  expect(outOf(dialog, calls, REGINFO_PUBLISH)).toBe(calls);
  expect(outOf(reg, bindings, REGINFO_PUBLISH)).toBe(reginfo(' version="7"'));
  expect(outOf(reg, bindings, DIALOG_PUBLISH)).toBe(bindings);
});

const documents = [
  `<?xml version="1.0" encoding="UTF-8"?>\n${dialogInfo(' version="4" state="full" entity="sip:a@b.example"', '<dialog id="a" call-id="x&amp;y"><state>confirmed</state></dialog>')}`,
  `<d:dialog-info xmlns:d='${Namespace.DIALOG_INFO}' d:version="1" state='partial'><!-- version="2" --><d:dialog id="1"/></d:dialog-info>`,
  `\ufeff<?pi version="1"?><dialog-info version='&#x34;' xmlns="${Namespace.DIALOG_INFO}" xmlns:a="urn:a" a:version = "3" ><a:b version="5"/></dialog-info >`,
];

/** What a parser says the result must be: attributes in any order. */
function withVersion(root: XmlElement, version: number): unknown {
  const others = root.attributes.filter((a) => a.name !== 'version' || a.namespace !== '');
  return sorted({ ...root, attributes: [...others, { namespace: '', name: 'version', value: String(version) }] });
}

function sorted(root: XmlElement): unknown {
  const key = (a: { namespace: string; name: string }) => `${a.namespace} ${a.name}`;
  return { ...root, attributes: [...root.attributes].sort((a, b) => (key(a) < key(b) ? -1 : 1)) };
}

test('scanner and parser agree on what the document is and on what it becomes', () => {
  let processed = 0;
  fc.assert(
    fc.property(mutatedFrom(documents), fc.nat(), (text, version) => {
      let root: XmlElement | undefined;
      try {
        root = readXml(text);
      } catch {
        // Both must refuse it.
      }
      const isDialogInfo = root?.name === 'dialog-info' && root.namespace === Namespace.DIALOG_INFO;
      let out: ProcessOutput | undefined;
      try {
        out = run(dialogSla, text, version);
      } catch {
        // As above.
      }
      expect(out !== undefined).toBe(isDialogInfo);
      if (out === undefined) return;
      processed++;
      expect(sorted(readXml(out.body))).toEqual(withVersion(root!, version));
    }),
    { seed: 11, numRuns: 4_000 },
  );
  expect(processed).toBeGreaterThan(200);
});
