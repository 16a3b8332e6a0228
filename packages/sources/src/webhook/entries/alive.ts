/** Signs of life of many calls in short: `{ "alive": ["key1", "key2"] }`. */
import { callKey } from './dialog.js';
import { list, strict } from './fields.js';
import { readEntries, reader } from './read.js';

const MAX_KEYS = 100_000;

export interface SignsOfLife {
  readonly alive: readonly string[];
}

const read = reader(strict({ alive: list(callKey, MAX_KEYS) }));

export const isSignOfLife = (body: unknown): boolean =>
  typeof body === 'object' && body !== null && Object.hasOwn(body, 'alive');

/** @throws Refused 400 */
export function readKeys(body: unknown): readonly string[] {
  return readEntries<SignsOfLife>(body, read)[0]!.alive;
}
