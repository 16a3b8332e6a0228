import { execFile } from 'node:child_process';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Connection, createConnection } from 'mysql2/promise';
import { accessFrom, authority, type DatabaseAccess } from './access.js';
import { PeerProcess } from './child.js';
import { DatabaseServer } from './database-server.js';
import { freePort, give, privateFolder, removeFolder } from './folder.js';
import { findCommand, missingPeers } from './peers.js';

const run = promisify(execFile);
const ATTEMPTS = 3;

export interface TestDatabase extends DatabaseAccess {
  readonly name: string;
  /** `mysql://user:password@host:port/name` */
  readonly url: string;
  /** A connection that takes several statements at once; the caller ends it. */
  connect(): Promise<Connection>;
  drop(): Promise<void>;
}

export interface LaunchedMariadb extends DatabaseAccess {
  /** Process id; undefined for a server that PUA_TEST_MARIADB names. */
  readonly pid: number | undefined;
  /** A database of its own for a suite. */
  createDatabase(): Promise<TestDatabase>;
  /** Ends the server, at once with `kill`, keeps its files: for crash tests. */
  interrupt(how?: 'stop' | 'kill'): Promise<void>;
  /** Starts it again on the same port and files. */
  resume(): Promise<void>;
  /** Drops what createDatabase() made; ends the server and removes its files if it was launched. */
  stop(): Promise<void>;
}

export interface MariadbOptions {
  /** Each commit goes to the disk, as a server in use has it. Default false: faster. */
  readonly durable?: boolean;
  /** A server of its own even when PUA_TEST_MARIADB names one: for tests that kill it. Default false. */
  readonly own?: boolean;
  /** More options of mariadbd, such as `--lower-case-table-names=1`. */
  readonly arguments?: readonly string[];
  /** Milliseconds for the start. Default 30000. */
  readonly startMs?: number;
}

/** Reads PUA_TEST_MARIADB: `mysql://user:password@host:port` or JSON with host, port, user, password. */
export function mariadbFromEnvironment(env: NodeJS.ProcessEnv = process.env): DatabaseAccess | undefined {
  return accessFrom({ name: 'PUA_TEST_MARIADB', schemes: ['mysql', 'mariadb'], port: 3306, user: 'root' }, env);
}

/**
 * A MariaDB of its own in a private folder on a free port of 127.0.0.1; or the one that PUA_TEST_MARIADB names, so that
 * several suites can share one.
 * @throws Error that names the Debian packages when it is not installed, or with the tail of the server's log
 */
export async function launchMariadb(options: MariadbOptions = {}): Promise<LaunchedMariadb> {
  const shared = options.own ? undefined : mariadbFromEnvironment();
  if (shared) return new Mariadb(shared, undefined, 'PUA_TEST_MARIADB');
  const missing = missingPeers(['mariadb']);
  if (missing.packages.length > 0) throw new Error(`MariaDB is not installed: ${missing.command}`);
  const folder = privateFolder('mariadb');
  try {
    const user = await install(folder);
    for (let attempt = 1; ; attempt++) {
      const port = await freePort();
      const access = { host: '127.0.0.1', port, user: 'root', password: '' };
      const start = () => startServer(folder, user, access, options);
      try {
        return new Mariadb(access, { folder, start, process: await start() }, 'PUA_TEST_MARIADB');
      } catch (error) {
        // Somebody may have taken the port in between.
        if (attempt === ATTEMPTS || !/in use|bind on TCP/i.test(String(error))) throw error;
      }
    }
  } catch (error) {
    removeFolder(folder);
    throw error;
  }
}

async function install(folder: string): Promise<string> {
  // mariadbd refuses to run as root.
  const isRoot = process.getuid?.() === 0;
  const user = isRoot ? 'mysql' : userInfo().username;
  if (isRoot) {
    const id = async (flag: string) => Number((await run('id', [flag, user])).stdout);
    give(folder, { uid: await id('-u'), gid: await id('-g') });
  }
  await run(findCommand('mariadb-install-db')!, [
    '--no-defaults',
    `--user=${user}`,
    `--datadir=${join(folder, 'data')}`,
    '--auth-root-authentication-method=normal',
    '--skip-test-db',
  ]);
  return user;
}

function startServer(
  folder: string,
  user: string,
  access: DatabaseAccess,
  options: MariadbOptions,
): Promise<PeerProcess> {
  const durability = options.durable ? [] : ['--innodb-flush-log-at-trx-commit=0', '--sync-binlog=0'];
  return PeerProcess.start({
    name: 'MariaDB',
    command: findCommand('mariadbd')!,
    arguments: [
      '--no-defaults',
      `--user=${user}`,
      `--datadir=${join(folder, 'data')}`,
      `--socket=${join(folder, 's.sock')}`,
      `--pid-file=${join(folder, 'pid')}`,
      // A server that starts removes what looks like its temporary tables there, also those of another one.
      `--tmpdir=${folder}`,
      `--port=${access.port}`,
      `--bind-address=${access.host}`,
      '--skip-name-resolve',
      '--innodb-buffer-pool-size=64M',
      ...durability,
      ...(options.arguments ?? []),
    ],
    folder,
    logFile: join(folder, 'log'),
    probe: async () => (await createConnection({ ...access, connectTimeout: 2000 })).end(),
    startMs: options.startMs ?? 30_000,
  });
}

class Mariadb extends DatabaseServer implements LaunchedMariadb {
  async createDatabase(): Promise<TestDatabase> {
    const name = await this.create(' CHARACTER SET latin1');
    const { access } = this;
    return {
      ...access,
      name,
      url: `mysql://${authority(access)}/${name}`,
      connect: () => createConnection({ ...access, database: name, multipleStatements: true }),
      drop: () => this.remove(name),
    };
  }

  protected end(server: PeerProcess, how: 'stop' | 'kill'): Promise<void> {
    return how === 'kill' ? server.kill() : server.stop();
  }

  protected drop(name: string): Promise<void> {
    return this.execute(`DROP DATABASE IF EXISTS ${name}`);
  }

  protected async execute(statement: string): Promise<void> {
    const connection = await createConnection(this.access);
    try {
      await connection.query(statement);
    } finally {
      await connection.end();
    }
  }
}
