/** What the client commands read from their arguments. */
import { readFileSync } from 'node:fs';
import { EXIT, Failure } from '../exit.js';

/** A whole number of an option. */
export function wholeNumber(text: string): number {
  if (/^-?\d{1,10}$/.test(text)) return Number(text);
  throw new Failure(`${JSON.stringify(text)} is not a whole number`, EXIT.usage);
}

/** `Name: value` of a repeated option. */
export function header(text: string, before: readonly (readonly [string, string])[] = []): [string, string][] {
  const colon = text.indexOf(':');
  if (colon < 1) throw new Failure(`--header ${JSON.stringify(text)}: write Name: value`, EXIT.usage);
  return [
    ...before.map(([name, value]): [string, string] => [name, value]),
    [text.slice(0, colon).trim(), text.slice(colon + 1).trim()],
  ];
}

/** A document from a file, `-` for standard input. */
export function document(file: string): string {
  try {
    return readFileSync(file === '-' ? 0 : file, 'utf8');
  } catch (error) {
    throw new Failure(`can't read ${file}: ${(error as Error).message}`, EXIT.usage);
  }
}

/** Without what was not given. */
export function given(values: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}
