/** Checks of what callers hand in; everything inside may rely on it. */
import type { Source } from './api.js';
import { PuaError } from './errors.js';
import { SourceFlag } from './flags.js';

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const SIP_URI = /^(?:sips?|tel|pres|im):[^\s<>"\x00-\x1f\x7f]+$/i;

/** @throws PuaError `PUA_ERR_ARGUMENT` that names the field */
export function checkUri(field: string, value: unknown): string {
  if (typeof value === 'string' && value.length <= 1024 && SIP_URI.test(value)) return value;
  throw new PuaError(
    'PUA_ERR_ARGUMENT',
    `${field}: must be a SIP URI such as sip:alice@example.com, not ${shown(value)}`,
  );
}

/** Next hops must be reachable by SIP. */
export function checkSipUri(field: string, value: unknown): string {
  const uri = checkUri(field, value);
  if (/^sips?:/i.test(uri)) return uri;
  throw new PuaError('PUA_ERR_ARGUMENT', `${field}: must be a sip: or sips: URI, not ${shown(value)}`);
}

export function checkExpires(field: string, value: number | undefined): number {
  if (value === undefined) return -1;
  if (Number.isInteger(value) && value <= 0x7fffffff && value >= -0x80000000) return value;
  throw new PuaError('PUA_ERR_ARGUMENT', `${field}: must be a whole number of seconds, not ${shown(value)}`);
}

/** Free text that goes into a header or a key. */
export function checkLine(field: string, value: string, max = 255): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  if (typeof value === 'string' && value.length <= max && !/[\x00-\x1f\x7f]/.test(value)) return value;
  throw new PuaError(
    'PUA_ERR_ARGUMENT',
    `${field}: must be a text of at most ${max} characters without control characters, not ${shown(value)}`,
  );
}

/** `type/subtype`, parameters allowed. */
export function checkContentType(field: string, value: string): string {
  const type = checkLine(field, value);
  if (/^[\w.!#$&^+'*%-]+\/[\w.!#$&^+'*%-]+(?:\s*;|$)/.test(type)) return type;
  throw new PuaError('PUA_ERR_ARGUMENT', `${field}: must be a media type such as text/plain, not ${shown(value)}`);
}

/** One of a few words, or absent. */
export function checkWord<T extends string>(field: string, value: T | undefined, words: readonly T[]): T | undefined {
  if (value === undefined || words.includes(value)) return value;
  throw new PuaError('PUA_ERR_ARGUMENT', `${field}: must be one of ${words.join(', ')}, not ${shown(value)}`);
}

export function sourceFlag(field: string, source: Source): number {
  const flag = typeof source === 'number' ? source : SourceFlag[source];
  if (isOneBit(flag)) return flag;
  throw new PuaError(
    'PUA_ERR_ARGUMENT',
    `${field}: must be one of ${Object.keys(SourceFlag).join(', ')} or a bit, not ${shown(source)}`,
  );
}

/** 1, 2, 4 .. 2^30 */
export const isOneBit = (flag: unknown): flag is number =>
  typeof flag === 'number' && Number.isInteger(flag) && flag > 0 && flag <= 2 ** 30 && (flag & (flag - 1)) === 0;

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 80 ? `${text.slice(0, 80)}...` : text;
}
