import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Client, types } from 'pg';
import { accessFrom, authority, type DatabaseAccess } from './access.js';
import { PeerProcess } from './child.js';
import { DatabaseServer } from './database-server.js';
import { freePort, give, privateFolder, removeFolder } from './folder.js';
import { findPostgresCommand, missingPeers } from './peers.js';

const run = promisify(execFile);
const ATTEMPTS = 3;
const FAST_STOP_MS = 10_000;
/** OID of int8; without a parser it would come as text. */
const INT8 = 20;

export interface PostgresDatabase extends DatabaseAccess {
  readonly name: string;
  /** `postgres://user:password@host:port/name` */
  readonly url: string;
  /** Numbers of 64 bits come as numbers. The caller ends it. */
  connect(): Promise<Client>;
  drop(): Promise<void>;
}

export interface LaunchedPostgres extends DatabaseAccess {
  /** Process id; undefined for a server that PUA_TEST_POSTGRES names. */
  readonly pid: number | undefined;
  /** A database of its own for a suite; a copy of another one that nobody is connected to, if given. */
  createDatabase(template?: PostgresDatabase): Promise<PostgresDatabase>;
  /** Ends the server, at once with `kill`, keeps its files: for crash tests. */
  interrupt(how?: 'stop' | 'kill'): Promise<void>;
  /** Starts it again on the same port and files. */
  resume(): Promise<void>;
  /** Drops what createDatabase() made; ends the server and removes its files if it was launched. */
  stop(): Promise<void>;
}

export interface PostgresOptions {
  /** Each commit goes to the disk, as a server in use has it. Default false: faster. */
  readonly durable?: boolean;
  /** A server of its own even when PUA_TEST_POSTGRES names one: for tests that kill it. Default false. */
  readonly own?: boolean;
  /** More settings of the server, such as `{ max_connections: '20' }`. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Milliseconds for the start. Default 30000. */
  readonly startMs?: number;
}

/** Reads PUA_TEST_POSTGRES: `postgres://user:password@host:port` or JSON with host, port, user, password. */
export function postgresFromEnvironment(env: NodeJS.ProcessEnv = process.env): DatabaseAccess | undefined {
  return accessFrom(
    { name: 'PUA_TEST_POSTGRES', schemes: ['postgres', 'postgresql'], port: 5432, user: 'postgres' },
    env,
  );
}

/**
 * A PostgreSQL of its own in a private folder on a free port of 127.0.0.1; or the one that PUA_TEST_POSTGRES names, so
 * that several suites can share one.
 * @throws Error that names the Debian packages when it is not installed, or with the tail of the server's log
 */
export async function launchPostgres(options: PostgresOptions = {}): Promise<LaunchedPostgres> {
  const shared = options.own ? undefined : postgresFromEnvironment();
  if (shared) return new Postgres(shared, undefined, 'PUA_TEST_POSTGRES');
  const missing = missingPeers(['postgres']);
  if (missing.packages.length > 0) throw new Error(`PostgreSQL is not installed: ${missing.command}`);
  const folder = privateFolder('postgres');
  try {
    const as = await owner(folder);
    await run(
      ...as(findPostgresCommand('initdb')!, [
        ...['-D', join(folder, 'data'), '-U', 'postgres'],
        ...['--auth=trust', '--encoding=UTF8', '--no-locale', '--no-sync'],
      ]),
    );
    for (let attempt = 1; ; attempt++) {
      const access = { host: '127.0.0.1', port: await freePort(), user: 'postgres', password: '' };
      const start = () => startServer(folder, as, access, options);
      try {
        return new Postgres(access, { start, folder, process: await start() }, 'PUA_TEST_POSTGRES');
      } catch (error) {
        // Somebody may have taken the port in between.
        if (attempt === ATTEMPTS || !/in use/i.test(String(error))) throw error;
      }
    }
  } catch (error) {
    removeFolder(folder);
    throw error;
  }
}

type As = (command: string, args: readonly string[]) => [command: string, args: string[]];

/** PostgreSQL refuses to run as root: then as the user that the Debian package makes, who gets the folder. */
async function owner(folder: string): Promise<As> {
  if (process.getuid?.() !== 0) return (command, args) => [command, [...args]];
  const id = async (flag: string) => Number((await run('id', [flag, 'postgres'])).stdout);
  const [uid, gid] = [await id('-u'), await id('-g')];
  give(folder, { uid, gid });
  // It replaces itself by the command, so that the process id stays.
  return (command, args) => ['setpriv', [`--reuid=${uid}`, `--regid=${gid}`, '--clear-groups', '--', command, ...args]];
}

function startServer(folder: string, as: As, access: DatabaseAccess, options: PostgresOptions): Promise<PeerProcess> {
  const settings: Record<string, string> = {
    listen_addresses: access.host,
    port: String(access.port),
    unix_socket_directories: '',
    ...(options.durable ? {} : { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' }),
    ...options.settings,
  };
  const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const [command, args] = as(findPostgresCommand('postgres')!, ['-D', join(folder, 'data'), ...flags]);
  return PeerProcess.start({
    name: 'PostgreSQL',
    command,
    arguments: args,
    folder,
    logFile: join(folder, 'log'),
    probe: async () => (await connect({ ...access, database: 'postgres' })).end(),
    startMs: options.startMs ?? 30_000,
  });
}

async function connect(given: DatabaseAccess & { readonly database: string }): Promise<Client> {
  const client = new Client({
    ...given,
    connectionTimeoutMillis: 2000,
    types: {
      getTypeParser: ((oid: number, format: 'text') =>
        oid === INT8 ? Number : types.getTypeParser(oid, format)) as typeof types.getTypeParser,
    },
  });
  // A server that is killed is what some tests want; whoever has a query under way hears of it there.
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

class Postgres extends DatabaseServer implements LaunchedPostgres {
  async createDatabase(template?: PostgresDatabase): Promise<PostgresDatabase> {
    const name = await this.create(template ? ` TEMPLATE ${template.name}` : '');
    const { access } = this;
    return {
      ...access,
      name,
      url: `postgres://${authority(access)}/${name}`,
      connect: () => connect({ ...access, database: name }),
      drop: () => this.remove(name),
    };
  }

  protected end(server: PeerProcess, how: 'stop' | 'kill'): Promise<void> {
    return how === 'kill' ? crash(server) : fastStop(server);
  }

  protected drop(name: string): Promise<void> {
    return this.execute(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
  }

  protected async execute(statement: string): Promise<void> {
    const client = await connect({ ...this.access, database: 'postgres' });
    try {
      await client.query(statement);
    } finally {
      await client.end();
    }
  }
}

/** TERM alone would wait for all clients to leave. */
async function fastStop(server: PeerProcess): Promise<void> {
  if (server.running) server.signal('SIGINT');
  await server.stop(FAST_STOP_MS);
}

/** The server's processes are groups of their own: those that serve clients would outlive it for a moment. */
async function crash(server: PeerProcess): Promise<void> {
  const file = `/proc/${server.pid}/task/${server.pid}/children`;
  const children = existsSync(file) ? readFileSync(file, 'latin1').trim().split(' ').filter(Boolean).map(Number) : [];
  server.signal('SIGKILL');
  for (const pid of children) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It has ended by itself.
    }
  }
  await server.kill();
}
