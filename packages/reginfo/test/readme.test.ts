/** README.md says what the code says. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { REGINFO_PARAMETERS, reginfo } from '@pua/reginfo';
import { parameterTable } from '../../core/test/support/readme';

/** A formatter may align the columns: cells are compared. */
const cells = (table: string) =>
  table.split('\n').map((row) => row.split('|').map((cell) => cell.trim().replace(/^-+$/, '-')));

const readme = readFileSync(join(__dirname, '../README.md'), 'utf8');

test('its headings are the ones of every package', () => {
  expect(readme.match(/^## .*/gm)).toEqual(
    ['What it is', 'Install', 'Use', 'API', 'Parameters', 'Errors'].map((heading) => `## ${heading}`),
  );
});

test('its parameter table is the one made from REGINFO_PARAMETERS', () => {
  const table = /\| Parameter [\s\S]*?(?=\n\n)/.exec(readme)?.[0] ?? '';
  expect(cells(table)).toEqual(cells(parameterTable(REGINFO_PARAMETERS)));
});

test('it names every method', () => {
  const methods = Object.getOwnPropertyNames(Object.getPrototypeOf(reginfo()));
  const own = methods.filter((name) => !['constructor', 'setup', 'start', 'stop'].includes(name));
  expect(own.filter((name) => !readme.includes(`\`${name}(`))).toEqual([]);
});
