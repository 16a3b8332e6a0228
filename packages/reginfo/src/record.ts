/** Publications of this module as records of core. */
import type { PuaRecord } from '@pua/core';
import { hash } from './ids.js';
import type { Place } from './sources.js';

export const PUBLISH_SOURCE = 'REGINFO_PUBLISH';
export const SUBSCRIBE_SOURCE = 'REGINFO_SUBSCRIBE';
export const DEFAULT_TABLE = 'location';
/** Seconds by which a publication outlives its contacts: what ends them comes a little later than their time. */
export const GRACE = 1;

const PREFIX = `${PUBLISH_SOURCE}.`;
/** Most characters of an id of core. */
const MAX_ID = 255;

/** `REGINFO_PUBLISH.alice@example.com@location`; what is too long for that is shortened. */
export function recordId({ aor, table }: Place): string {
  const id = `${PREFIX}${aor}@${table}`;
  return id.length <= MAX_ID ? id : `${PREFIX}${hash(aor)}@${table}`;
}

/** AOR and table of a publication of ours; undefined for others under our source flag. */
export function placeOfRecord({ id, presUri }: PuaRecord): Place | undefined {
  const at = id.lastIndexOf('@');
  if (!id.startsWith(PREFIX) || at < 0) return undefined;
  const table = id.slice(at + 1);
  const aor = id.slice(PREFIX.length, at);
  const bare = presUri.replace(/^sip:/, '');
  return { aor: recordId({ aor: bare, table }) === id ? bare : aor, table };
}
