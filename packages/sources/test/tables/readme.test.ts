/** README.md says what the code says. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { optionName, type ParameterSpec } from '@pua/core';
import { KAMAILIO_DIALOGS_PARAMETERS, KAMAILIO_LOCATION_PARAMETERS } from '@pua/sources';

const readme = readFileSync(join(__dirname, '../../README.md'), 'utf8');
const from = readme.indexOf('### Tables of Kamailio', readme.indexOf('## Parameters'));
const section = readme.slice(from, readme.indexOf('\n### ', from + 1));

/** Parameter, option, default and meaning. */
type Cells = readonly (string | undefined)[];

const written = (own: string): Cells[] =>
  [...own.matchAll(/^\| `(\w+)`\s*\| `(\w+)`\s*\|[^|]*\| (?:`([^`]*)`|none)\s*\| (.*?)\s*\|$/gm)].map((row) =>
    row.slice(1),
  );
const rows = (table: Readonly<Record<string, ParameterSpec>>): Cells[] =>
  Object.entries(table).map(([name, { default: value, doc }]) => [
    ...[name, optionName(name)],
    ...[value === null ? undefined : String(value), doc],
  ]);

test('its parameter tables are those of the code', () => {
  const [, location, dialogs] = section.split(/Of `\w+\(\)`:\n/);
  expect(written(location!)).toEqual(rows(KAMAILIO_LOCATION_PARAMETERS));
  expect(written(dialogs!)).toEqual(rows(KAMAILIO_DIALOGS_PARAMETERS));
});
