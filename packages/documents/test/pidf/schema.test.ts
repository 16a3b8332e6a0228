/** Written documents against the schemas of the RFCs, by libxml2. PUA_SCHEMAS names the folder that has them. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { type Pidf, presence, writePidf } from '@pua/documents';
import fc from 'fast-check';
import { pidfArb } from '../arbitraries';

const schemas = process.env.PUA_SCHEMAS;
const hasXmllint = spawnSync('xmllint', ['--version']).status === 0;
if (schemas && !hasXmllint && process.env.CI === 'true') {
  throw new Error('xmllint is needed: apt-get install libxml2-utils');
}
const missing = !schemas ? 'PUA_SCHEMAS names no folder with pidf.xsd' : hasXmllint ? null : 'xmllint is not installed';
if (missing) console.info(`${missing}: the schema tests are left out`);

/** Data model and RPID are `any` to PIDF's schema; this one puts the three together. */
const together = (folder: string) => `<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">
  ${[
    ['urn:ietf:params:xml:ns:pidf', 'pidf'],
    ['urn:ietf:params:xml:ns:pidf:data-model', 'data-model'],
    ['urn:ietf:params:xml:ns:pidf:rpid', 'rpid'],
  ]
    .map(
      ([namespace, file]) =>
        `<xs:import namespace="${namespace}" schemaLocation="file://${join(folder, `${file}.xsd`)}"/>`,
    )
    .join('')}
</xs:schema>`;

(missing ? describe.skip : describe)('schemas', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'pua-documents-'));
    writeFileSync(join(folder, 'all.xsd'), together(resolve(schemas!)));
  });
  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  /** What libxml2 has to say against these documents. */
  function complaints(documents: readonly string[]): string {
    const files = documents.map((_text, i) => join(folder, `${i}.xml`));
    documents.forEach((text, i) => {
      writeFileSync(files[i]!, text);
    });
    const args = ['--nonet', '--noout', '--schema', join(folder, 'all.xsd'), ...files];
    const { stderr } = spawnSync('xmllint', args, { encoding: 'utf8', maxBuffer: 1 << 26 });
    return stderr
      .split('\n')
      .filter((line) => line !== '' && !line.endsWith(' validates'))
      .join('\n');
  }

  /** A random extension that happens to be in a namespace of ours is not valid there; those in others are. */
  const withoutOurNames = (doc: Pidf) =>
    JSON.parse(JSON.stringify(doc, (key, value) => (/extensions$/i.test(key) ? undefined : value))) as Pidf;

  const withStatus = (doc: Pidf): Pidf => ({
    ...doc,
    ...(doc.tuples ? { tuples: doc.tuples.map((tuple) => ({ basic: 'open' as const, ...tuple })) } : {}),
  });

  test('random documents are valid', () => {
    const docs = fc
      .sample(pidfArb(true), { seed: 4, numRuns: 100 })
      .map((doc) => writePidf(withStatus(withoutOurNames(doc))));
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

  test('documents without ids are valid once the body processor has been there', () => {
    const raw = fc
      .sample(pidfArb(false), { seed: 5, numRuns: 100 })
      .filter((doc) => doc.tuples || doc.persons || doc.devices)
      .map((doc) => writePidf(withStatus(withoutOurNames(doc))));
    expect(complaints(raw)).not.toBe('');
    const done = raw.map((body) => presence.process!({ body, version: 0, tupleId: null, newId: () => '0new' }).body);
    expect(complaints(done)).toBe('');
  });

  test('the check can fail', () => {
    expect(complaints(['<presence xmlns="urn:ietf:params:xml:ns:pidf" entity="a"><note/><tuple/></presence>'])).toMatch(
      /tuple/,
    );
  });
});
