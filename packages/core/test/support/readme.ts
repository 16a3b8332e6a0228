/** README.md of a package says what its table of parameters says. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { optionName, type ParameterSpec } from '../../dist/parameters.js';

function rangeOf(spec: ParameterSpec): string {
  if (spec.values) return spec.values.join(', ');
  if (spec.type === 'uri-list') return 'SIP URI or a list of them';
  if (spec.type === 'uri') return 'SIP URI';
  if (spec.type === 'string') return 'text';
  const least = spec.min === -0x80000000 ? '' : spec.min;
  const most = spec.max === 0x7fffffff ? '' : spec.max;
  return least === '' && most === '' ? 'whole number' : `${least}..${most}`;
}

function parameterTable(parameters: Readonly<Record<string, ParameterSpec>>): string {
  const rows = Object.entries(parameters).map(([name, spec]) => {
    const dflt = spec.default === null ? 'none' : `\`${spec.default}\``;
    return `| \`${name}\` | \`${optionName(name)}\` | ${rangeOf(spec)} | ${dflt} | ${spec.doc} |`;
  });
  return ['| Parameter | Option | Values | Default | Meaning |', '|---|---|---|---|---|', ...rows].join('\n');
}

/** A formatter may align the columns: cells are compared. */
const cells = (table: string) =>
  table.split('\n').map((row) => row.split('|').map((cell) => cell.trim().replace(/^-+$/, '-')));

/** Tests what every package's README has; `folder` is that of its tests. Returns its text for more of them. */
export function testReadme(folder: string, parameters: Readonly<Record<string, ParameterSpec>>): string {
  const readme = readFileSync(join(folder, '../README.md'), 'utf8');

  test('its headings are the ones of every package', () => {
    expect(readme.match(/^## .*/gm)).toEqual(
      ['What it is', 'Install', 'Use', 'API', 'Parameters', 'Errors'].map((heading) => `## ${heading}`),
    );
  });

  test('its parameter table is the one made from the parameters', () => {
    const table = /\| Parameter [\s\S]*?(?=\n\n)/.exec(readme)?.[0] ?? '';
    expect(cells(table)).toEqual(cells(parameterTable(parameters)));
  });
  return readme;
}
