/** README.md says what the code says. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DIALOGINFO_PARAMETERS } from '@pua/dialoginfo';
import { parameterTable } from '../../core/test/support/readme';

const readme = readFileSync(join(__dirname, '../README.md'), 'utf8');

/** A formatter may align the columns: cells are compared. */
const cells = (table: string) =>
  table.split('\n').map((row) => row.split('|').map((cell) => cell.trim().replace(/^-+$/, '-')));

test('its headings are the ones of every package', () => {
  expect(readme.match(/^## .*/gm)).toEqual(
    ['What it is', 'Install', 'Use', 'API', 'Parameters', 'Errors'].map((heading) => `## ${heading}`),
  );
});

test('its parameter table is the one made from DIALOGINFO_PARAMETERS', () => {
  const table = /\| Parameter [\s\S]*?(?=\n\n)/.exec(readme)?.[0] ?? '';
  expect(cells(table)).toEqual(cells(parameterTable(DIALOGINFO_PARAMETERS)));
});
