/** README.md says what the code says. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PUA_PARAMETERS } from '@pua/core';
import { DEFAULT_POLICY } from '../dist/policy/policy.js';
import { testReadme } from './support/readme';

const readme = testReadme(__dirname, PUA_PARAMETERS);

test('its policy table names every number and its default', () => {
  const section = readme.slice(
    readme.indexOf('| `policy`', readme.indexOf('Numbers of the response policy')),
    readme.indexOf('## Errors'),
  );
  const rows = [...section.matchAll(/^\| `(\w+)`\s*\| ([\d_]+|false)\s*\|/gm)].map(([, name, value]) => [
    name,
    JSON.parse(value!.replaceAll('_', '')),
  ]);
  const { defaultExpires: _d, minExpires: _m, ...own } = DEFAULT_POLICY;
  expect(Object.fromEntries(rows)).toEqual(own);
});

test('it names every error code', () => {
  const source = readFileSync(join(__dirname, '../src/errors.ts'), 'utf8');
  const codes = new Set(source.match(/PUA_ERR_[A-Z_]+(?=')/g));
  codes.delete('PUA_ERR_');
  expect([...codes].filter((code) => !readme.includes(`\`${code}\``))).toEqual([]);
});
