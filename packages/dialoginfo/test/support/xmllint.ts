/** Documents against the schema of RFC 4235, by libxml2. PUA_SCHEMAS names the folder that has it. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const schemas = process.env['PUA_SCHEMAS'];
const hasXmllint = spawnSync('xmllint', ['--version']).status === 0;
if (!hasXmllint && process.env['CI'] === 'true') throw new Error('xmllint is needed: apt-get install libxml2-utils');
const missing = !schemas
  ? 'PUA_SCHEMAS names no folder with dialog-info.xsd'
  : hasXmllint
    ? null
    : 'xmllint is not installed';
if (missing) console.info(`${missing}: the schema tests are left out`);

/** A `describe` that is left out where there is no schema or no xmllint. */
export const describeWithSchemas = missing ? describe.skip : describe;

/** What libxml2 has to say against the documents. */
export function complaints(documents: readonly string[]): string {
  const folder = mkdtempSync(join(tmpdir(), 'pua-dialoginfo-'));
  try {
    const files = documents.map((text, i) => {
      const file = join(folder, `${i}.xml`);
      writeFileSync(file, text);
      return file;
    });
    const schema = join(resolve(schemas!), 'dialog-info.xsd');
    const { stderr } = spawnSync('xmllint', ['--nonet', '--noout', '--schema', schema, ...files], { encoding: 'utf8' });
    return stderr
      .split('\n')
      .filter((line) => / error : |fails to validate$/.test(line))
      .join('\n');
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
