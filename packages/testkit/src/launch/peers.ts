import { accessSync, constants, existsSync, readdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';

export type PeerName = 'mariadb' | 'postgres' | 'kamailio' | 'sipp' | 'xmllint' | 'openssl' | 'cc';

/** Where daemons live, also when PATH does not say so. */
const DAEMON_FOLDERS = ['/usr/local/sbin', '/usr/sbin', '/sbin'];
/** Debian has a folder per version below. */
const POSTGRES = '/usr/lib/postgresql';
const KAMAILIO_MODULES = ['/usr/lib/x86_64-linux-gnu/kamailio/modules', '/usr/lib/aarch64-linux-gnu/kamailio/modules'];

interface Need {
  readonly debianPackage: string;
  isThere(): boolean;
}

const command = (name: string, debianPackage: string): Need => ({
  debianPackage,
  isThere: () => findCommand(name) !== undefined,
});

const kamailioModule = (name: string, debianPackage: string): Need => ({
  debianPackage,
  isThere: () => hasKamailioModule(name),
});

const NEEDS: Readonly<Record<PeerName, readonly Need[]>> = {
  mariadb: [command('mariadbd', 'mariadb-server'), command('mariadb-install-db', 'mariadb-server')],
  postgres: ['initdb', 'postgres'].map((name) => ({
    debianPackage: 'postgresql',
    isThere: () => findPostgresCommand(name) !== undefined,
  })),
  kamailio: [
    command('kamailio', 'kamailio'),
    kamailioModule('presence', 'kamailio-presence-modules'),
    kamailioModule('db_mysql', 'kamailio-mysql-modules'),
    kamailioModule('tls', 'kamailio-tls-modules'),
    kamailioModule('jansson', 'kamailio-extra-modules'),
    kamailioModule('http_client', 'kamailio-utils-modules'),
  ],
  sipp: [command('sipp', 'sip-tester')],
  xmllint: [command('xmllint', 'libxml2-utils')],
  openssl: [command('openssl', 'openssl')],
  cc: [command('cc', 'gcc'), { debianPackage: 'libc6-dev', isThere: () => existsSync('/usr/include/stdio.h') }],
};

/** Full path of a command; undefined when it is not installed. */
export function findCommand(name: string): string | undefined {
  const folders = [...(process.env.PATH ?? '').split(delimiter), ...DAEMON_FOLDERS];
  return folders
    .filter((folder) => folder !== '')
    .map((folder) => join(folder, name))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

/** Debian keeps the server's commands out of PATH; the newest version that is there. */
export function findPostgresCommand(name: string): string | undefined {
  const versions = existsSync(POSTGRES)
    ? readdirSync(POSTGRES)
        .map(Number)
        .sort((a, b) => b - a)
    : [];
  const path = versions.map((version) => join(POSTGRES, String(version), 'bin', name)).find((file) => existsSync(file));
  return path ?? findCommand(name);
}

export function hasKamailioModule(name: string): boolean {
  return KAMAILIO_MODULES.some((folder) => existsSync(join(folder, `${name}.so`)));
}

export interface MissingPeers {
  /** Debian packages that are not installed; empty: all is there. */
  readonly packages: readonly string[];
  /** What installs them; empty when nothing is missing. */
  readonly command: string;
}

/** Which Debian packages the given peers still need. */
export function missingPeers(names: readonly PeerName[]): MissingPeers {
  const needs = names.flatMap((name) => NEEDS[name]).filter((need) => !need.isThere());
  const packages = [...new Set(needs.map(({ debianPackage }) => debianPackage))];
  const installer = `apt-get install -y --no-install-recommends ${packages.join(' ')}`;
  return { packages, command: packages.length === 0 ? '' : installer };
}

/**
 * true when the peers are there. Else, with CI=true, an error; elsewhere a line that says what is left out and why.
 *
 *     (peersReady(['kamailio']) ? describe : describe.skip)('...', () => ...)
 */
export function peersReady(names: readonly PeerName[], env: NodeJS.ProcessEnv = process.env): boolean {
  const missing = missingPeers(names);
  if (missing.packages.length === 0) return true;
  const text = `tests with ${names.join(', ')} need: ${missing.command}`;
  if (env.CI === 'true') throw new Error(text);
  process.stderr.write(`left out: ${text}\n`);
  return false;
}
