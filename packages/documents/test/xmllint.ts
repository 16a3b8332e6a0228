/** Documents against the schemas of the RFCs, by libxml2. PUA_SCHEMAS names the folder that has them. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

export const hasXmllint = spawnSync('xmllint', ['--version']).status === 0;
if (!hasXmllint && process.env.CI === 'true') throw new Error('xmllint is needed: apt-get install libxml2-utils');

const folderOfSchemas = process.env.PUA_SCHEMAS;
const missing = !folderOfSchemas
  ? 'PUA_SCHEMAS names no folder with pidf.xsd'
  : hasXmllint
    ? null
    : 'xmllint is not installed';
if (missing) console.info(`${missing}: the schema tests are left out`);

/** A `describe` that is left out where there are no schemas or no xmllint. */
export const describeWithSchemas = missing ? describe.skip : describe;

/** A folder for files of a suite, removed after it. */
export function temporaryFolder(): () => string {
  let folder = '';
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'pua-schemas-'));
  });
  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  return () => folder;
}

/** Writes each text into a file of its own. */
export function filesOf(folder: string, texts: readonly string[]): string[] {
  return texts.map((text, i) => {
    const file = join(folder, `${i}.xml`);
    writeFileSync(file, text);
    return file;
  });
}

/**
 * What libxml2 has to say against documents of these schemas.
 * @param schemas file names without `.xsd`, by namespace.
 */
export function complaints(
  folder: string,
  schemas: Readonly<Record<string, string>>,
  documents: readonly string[],
): string {
  const imports = Object.entries(schemas).map(([namespace, name]) => {
    const file = join(resolve(folderOfSchemas!), `${name}.xsd`);
    return `<xs:import namespace="${namespace}" schemaLocation="file://${file}"/>`;
  });
  const schema = join(folder, 'all.xsd');
  writeFileSync(schema, `<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">${imports.join('')}</xs:schema>`);
  const args = ['--nonet', '--noout', '--schema', schema, ...filesOf(folder, documents)];
  const { stderr } = spawnSync('xmllint', args, { encoding: 'utf8', maxBuffer: 1 << 26 });
  return (
    stderr
      .split('\n')
      // Its opinion on the form of a namespace name concerns no schema.
      .filter((line) => /(?: error : |fails to validate$)/.test(line) && !/xmlns.*is not a valid URI/.test(line))
      .join('\n')
  );
}
