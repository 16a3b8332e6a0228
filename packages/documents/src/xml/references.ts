import { isLegalCodePoint } from './chars.js';

const named: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', apos: "'", quot: '"' };
/** Longest one that counts: `&#x10FFFF;` with some leading zeros. */
const MAX_LENGTH = 16;

/** What the reference `&...;` at `at` stands for; undefined when it is none, or one of an entity nobody declared. */
export function referenceAt(source: string, at: number): { text: string; end: number } | undefined {
  const semicolon = source.slice(at, at + MAX_LENGTH).indexOf(';');
  if (semicolon < 2) return undefined;
  const name = source.slice(at + 1, at + semicolon);
  const text = name.startsWith('#') ? character(name.slice(1)) : Object.hasOwn(named, name) ? named[name] : undefined;
  return text === undefined ? undefined : { text, end: at + semicolon + 1 };
}

function character(digits: string): string | undefined {
  let code: number;
  if (/^[0-9]+$/.test(digits)) code = Number.parseInt(digits, 10);
  else if (/^x[0-9a-fA-F]+$/.test(digits)) code = Number.parseInt(digits.slice(1), 16);
  else return undefined;
  return isLegalCodePoint(code) ? String.fromCodePoint(code) : undefined;
}

/** Value of an attribute as an application sees it (XML 1.0, 3.3.3); its references have been checked before. */
export function attributeValue(raw: string): string {
  const spaced = raw.replace(/\r\n?|[\t\n]/g, ' ');
  return spaced.includes('&')
    ? spaced.replace(/&[^;]*;/g, (reference) => referenceAt(reference, 0)?.text ?? reference)
    : spaced;
}
