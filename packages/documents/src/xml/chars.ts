/** Character classes of XML 1.0 (fifth edition) and Namespaces in XML 1.0, as one table over the UTF-16 units. */

/** NameStartChar [4], without ':' since names are read as NCNames. */
const START = 1;
/** NameChar [4a] */
const NAME = 2;
const SPACE = 4;
/** No legal character, or half of one: to be looked at. */
export const SUSPECT = 8;
/** Ends a stretch of plain text. */
export const TEXT_STOP = 16;
/** Ends a stretch of a plain attribute value. */
export const VALUE_STOP = 32;

const table = new Uint8Array(0x10000);

export { table as classes };

function mark(bits: number, ...ranges: readonly (readonly [from: number, to: number])[]): void {
  for (const [from, to] of ranges) {
    for (let code = from; code <= to; code++) table[code]! |= bits;
  }
}

function markAll(bits: number, chars: string): void {
  for (const char of chars) table[char.charCodeAt(0)]! |= bits;
}

markAll(START | NAME, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz');
mark(START | NAME, [0xc0, 0xd6], [0xd8, 0xf6], [0xf8, 0x2ff], [0x370, 0x37d], [0x37f, 0x1fff], [0x200c, 0x200d]);
mark(START | NAME, [0x2070, 0x218f], [0x2c00, 0x2fef], [0x3001, 0xd7ff], [0xf900, 0xfdcf], [0xfdf0, 0xfffd]);
markAll(NAME, '-.0123456789\u00b7');
mark(NAME, [0x300, 0x36f], [0x203f, 0x2040]);
markAll(SPACE, ' \t\n\r');
mark(SUSPECT | TEXT_STOP | VALUE_STOP, [0, 8], [0xb, 0xc], [0xe, 0x1f], [0xd800, 0xdfff], [0xfffe, 0xffff]);
markAll(TEXT_STOP, '<&]');
markAll(VALUE_STOP, '<&"\'');

export function isSpace(code: number): boolean {
  return (table[code]! & SPACE) !== 0;
}

/** End of the NCName that starts at `start`; `start` itself where none does. `codes` ends with a 0. */
export function ncNameEnd(codes: Uint16Array, start: number): number {
  let at = start;
  let wanted = START;
  for (;;) {
    if ((table[codes[at]!]! & wanted) !== 0) at++;
    // Of the characters beyond the basic plane, those up to U+EFFFF may stand anywhere in a name.
    else if (codes[at]! <= 0xdb7f && isPair(codes, at)) at += 2;
    else return at;
    wanted = NAME;
  }
}

/** Do two units at `at` make one character? */
export function isPair(codes: Uint16Array, at: number): boolean {
  return (codes[at]! & 0xfc00) === 0xd800 && (codes[at + 1]! & 0xfc00) === 0xdc00;
}

export function isNcName(text: string): boolean {
  if (/^[A-Za-z_][\w.-]*$/.test(text)) return true;
  const codes = Uint16Array.from([...text.split('').map((char) => char.charCodeAt(0)), 0]);
  return text !== '' && ncNameEnd(codes, 0) === text.length;
}

/** May a character reference name it? Char [2]. */
export function isLegalCodePoint(code: number): boolean {
  return code > 0xffff ? code <= 0x10ffff : (table[code]! & SUSPECT) === 0;
}

/** Offset of the first character that XML 1.0 has no way to carry (lone surrogates included); -1 when there is none. */
export function illegalCharacter(text: string): number {
  return text.search(/[^\t\n\r -\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/u);
}

/** `U+0000`, for messages. */
export function codePointName(text: string, at: number): string {
  return `U+${(text.codePointAt(at) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`;
}
