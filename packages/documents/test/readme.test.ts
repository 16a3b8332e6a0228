/** README.md says what the code says: its examples run, and its tables are complete. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as documents from '@pua/documents';

const readme = readFileSync(join(__dirname, '../README.md'), 'utf8');

test('its headings are the ones of every package', () => {
  expect(readme.match(/^## .*/gm)).toEqual(
    ['What it is', 'Install', 'Use', 'API', 'Parameters', 'Errors'].map((heading) => `## ${heading}`),
  );
});

const examples = [...readme.matchAll(/^```[jt]s\n([\s\S]*?)^```/gm)].map((match) => match[1]!);

/** `expression; // => value` is an expectation. */
test.each(examples)('example %#', (example) => {
  let expectations = 0;
  const code = example
    .replace(/^import \{([^}]*)\} from '@pua\/documents';$/gm, 'const {$1} = documents;')
    .replace(/^(.*); \/\/ => (.*)$/gm, (_line, expression: string, value: string) => {
      expectations++;
      return `expect(${expression}).toEqual(${value});`;
    });
  new Function('documents', 'expect', code)(documents, expect);
  expect(expectations).toBeGreaterThan(0);
});

test('its table of events is that of the definitions', () => {
  const rows = [...readme.matchAll(/^\| `(\w+)` +\| `([\w.;-]+)` +\| (\d+) +\| (.*?) +\|.*\| (first|all) +\|$/gm)];
  const said = rows.map(([, value, name, flag, type, forks]) => [
    value,
    name,
    Number(flag),
    /^`(.*)`$/.exec(type!)?.[1],
    forks,
  ]);
  const nameOf = (event: unknown) => Object.entries(documents).find(([, value]) => value === event)?.[0];
  expect(said).toEqual(
    documents.events.map((event) => [nameOf(event), event.name, event.flag, event.contentType, event.forks]),
  );
});

test('it names every export', () => {
  const missing = Object.keys(documents).filter((name) => !readme.includes(name));
  expect(missing).toEqual([]);
});
