/** Parameter `db_url`: which database, where. */
import { resolve } from 'node:path';
import { PuaError } from '@pua/core';

export type Location = { readonly kind: 'memory' } | { readonly kind: 'sqlite'; readonly file: string };

/**
 * `memory:`, or `sqlite:` with a path, relative to the working directory; also written `sqlite://` (Kamailio's form,
 * `sqlite:////var/lib/pua.db`).
 * @throws PuaError `PUA_ERR_OPTION`
 */
export function parseUrl(url: string): Location {
  const colon = url.indexOf(':');
  const scheme = url.slice(0, Math.max(0, colon)).toLowerCase();
  if (scheme === 'memory') return { kind: 'memory' };
  if (scheme !== 'sqlite') {
    // Only the scheme is shown: the rest may hold a password.
    const found = colon < 0 ? 'without a scheme' : `with the scheme "${scheme}:"`;
    throw new PuaError('PUA_ERR_OPTION', `db_url ${found} is not known: use sqlite:<path> or memory:`);
  }
  const path = url.slice(colon + 1).replace(/^\/\//, '');
  if (path === '' || path.startsWith(':')) {
    throw new PuaError('PUA_ERR_OPTION', `db_url "${url}" names no file: use sqlite:<path>, or memory: for no storage`);
  }
  return { kind: 'sqlite', file: resolve(path) };
}
