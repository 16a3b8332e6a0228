/** README.md says what the code says of the webhooks. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { optionName, type ParameterSpec } from '@pua/core';
import { DIALOG_WEBHOOK_PARAMETERS, REGISTRATION_WEBHOOK_PARAMETERS } from '@pua/sources';

const readme = readFileSync(join(__dirname, '../../README.md'), 'utf8');
const section = readme.slice(readme.indexOf('### Webhook', readme.indexOf('## Parameters')));

/** Parameter, option, default and meaning of every row. */
const written = [...section.matchAll(/^\| `(\w+)`\s*\| `(\w+)`\s*\|[^|]*\| `([^`]*)`\s*\| (.*?)\s*\|$/gm)].map((row) =>
  row.slice(1),
);
const rows = (table: Readonly<Record<string, ParameterSpec>>) =>
  Object.entries(table).map(([name, { default: value, doc }]) => [name, optionName(name), String(value), doc]);

test('its parameter tables are those of the code', () => {
  expect(written).toEqual([...rows(REGISTRATION_WEBHOOK_PARAMETERS), ...rows(DIALOG_WEBHOOK_PARAMETERS)]);
});
