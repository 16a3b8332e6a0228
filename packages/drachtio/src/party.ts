/** Whom a From, To or Contact names. */
import { addressUri } from '@pua/core';
import { tagOf } from './raw.js';

/** A quoted name, or words before the bracket (RFC 3261 25.1, display-name). */
const DISPLAY = /^\s*(?:"((?:[^"\\]|\\.)*)"|([^"<]*?))\s*</;

export interface NamedAddress {
  readonly uri: string;
  readonly display?: string;
  readonly tag?: string;
}

export function partyOf(address: string | undefined): NamedAddress {
  const [, quoted, words] = DISPLAY.exec(address ?? '') ?? [];
  const display = quoted?.replace(/\\(.)/g, '$1') ?? words;
  const tag = tagOf(address);
  return {
    uri: addressUri(address ?? ''),
    ...(display ? { display } : {}),
    ...(tag === undefined ? {} : { tag }),
  };
}
