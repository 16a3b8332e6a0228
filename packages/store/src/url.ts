/** Parameter `db_url`: which database, where. */
import { resolve } from 'node:path';
import { PuaError } from '@pua/core';

/** A database on a server. */
export interface Server {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
}

export type Location =
  | { readonly kind: 'memory' }
  | { readonly kind: 'sqlite'; readonly file: string }
  | { readonly kind: 'mysql' | 'postgres'; readonly server: Server };

const SERVERS: Readonly<Record<string, { readonly kind: 'mysql' | 'postgres'; readonly port: number }>> = {
  mysql: { kind: 'mysql', port: 3306 },
  mariadb: { kind: 'mysql', port: 3306 },
  postgres: { kind: 'postgres', port: 5432 },
  postgresql: { kind: 'postgres', port: 5432 },
};

const refused = (what: string): PuaError => new PuaError('PUA_ERR_OPTION', `db_url ${what}`);

/**
 * `memory:`; `sqlite:` with a path, relative to the working directory, also written `sqlite://` (Kamailio's form,
 * `sqlite:////var/lib/pua.db`); `mysql://user:password@host:port/database`, also `mariadb:`; `postgres:`, also
 * `postgresql:`, likewise.
 * @throws PuaError `PUA_ERR_OPTION`, which shows no password
 */
export function parseUrl(url: string): Location {
  const colon = url.indexOf(':');
  const scheme = url.slice(0, Math.max(0, colon)).toLowerCase();
  if (scheme === 'memory') return { kind: 'memory' };
  if (scheme === 'sqlite') return { kind: 'sqlite', file: sqliteFile(url, url.slice(colon + 1)) };
  const known = Object.hasOwn(SERVERS, scheme) ? SERVERS[scheme] : undefined;
  if (known !== undefined) return { kind: known.kind, server: serverOf(url, scheme, known.port) };
  // Only the scheme is shown: the rest may hold a password.
  const found = colon < 0 ? 'without a scheme' : `with the scheme "${scheme}:"`;
  throw refused(`${found} is not known: use sqlite:<path>, mysql://, postgres:// or memory:`);
}

function sqliteFile(url: string, rest: string): string {
  const path = rest.replace(/^\/\//, '');
  if (path !== '' && !path.startsWith(':')) return resolve(path);
  throw refused(`"${url}" names no file: use sqlite:<path>, or memory: for no storage`);
}

function serverOf(url: string, scheme: string, defaultPort: number): Server {
  const form = `use ${scheme}://user:password@host:port/database`;
  let parsed: URL;
  const server = { host: '', port: 0, user: '', password: '', database: '' };
  try {
    parsed = new URL(url);
    server.host = parsed.hostname.replace(/^\[|\]$/g, '');
    server.port = Number(parsed.port || defaultPort);
    server.user = decodeURIComponent(parsed.username);
    server.password = decodeURIComponent(parsed.password);
    server.database = decodeURIComponent(parsed.pathname.slice(1));
  } catch {
    throw refused(`(${scheme}) is malformed: ${form}, with / ? # @ : % in user and password percent-encoded`);
  }
  if (server.host === '') throw refused(`(${scheme}) names no host: ${form}`);
  if (server.user === '') throw refused(`(${scheme}) names no user: ${form}`);
  if (server.database === '' || server.database.includes('/')) throw refused(`(${scheme}) names no database: ${form}`);
  if (parsed.search !== '' || parsed.hash !== '') {
    throw refused(`(${scheme}) has parameters behind the database, which are not known: ${form}`);
  }
  return server;
}

/** For people: without the password. */
export function shownLocation(location: Exclude<Location, { kind: 'memory' }>): string {
  if (location.kind === 'sqlite') return location.file;
  const { user, host, port, database } = location.server;
  return `${location.kind}://${user}@${host.includes(':') ? `[${host}]` : host}:${port}/${database}`;
}
