/** README.md says what the code says of the registrar. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { optionName, type ParameterSpec } from '@pua/core';
import { REGISTRAR_EXTENSIONS, REGISTRAR_PARAMETERS } from '@pua/sources';

const readme = readFileSync(join(__dirname, '../../README.md'), 'utf8');
const from = readme.indexOf('### Registrar', readme.indexOf('## Parameters'));
const section = readme.slice(from, readme.indexOf('\n### ', from + 1));

test('its parameter table is that of the code', () => {
  const rows = [...section.matchAll(/^\| `(\w+)`\s*\| `(\w+)`\s*\|[^|]*\| (?:`([^`]*)`|none)\s*\| (.*?)\s*\|$/gm)];
  const table: Readonly<Record<string, ParameterSpec>> = REGISTRAR_PARAMETERS;
  expect(rows.map((row) => row.slice(1))).toEqual(
    Object.entries(table).map(([name, { default: value, doc }]) => [
      name,
      optionName(name),
      value === null ? undefined : String(value),
      doc,
    ]),
  );
});

test('it names the extensions', () => {
  const use = readme.slice(readme.indexOf('### Registrar'), from);
  expect(REGISTRAR_EXTENSIONS.filter((tag) => !use.includes(`\`${tag}\``))).toEqual([]);
});
