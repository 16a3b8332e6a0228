/** What every launched Kamailio has, whatever its script does: files, a port, a database, a life. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Connection, RowDataPacket } from 'mysql2/promise';
import { PeerProcess, tail } from './child.js';
import { freePort, privateFolder, removeFolder } from './folder.js';
import { probe } from './kamailio-probe.js';
import type { Modparam } from './kamailio-script.js';
import type { LaunchedMariadb, TestDatabase } from './mariadb.js';
import { findCommand, missingPeers } from './peers.js';

/** Where Debian's kamailio-mysql-modules puts the schema. */
const SCHEMA = '/usr/share/kamailio/mysql';
const ATTEMPTS = 3;
const POLL_MS = 20;

export interface KamailioServerOptions {
  /** The database server; Kamailio gets a database of its own in it. */
  readonly mariadb: LaunchedMariadb;
  /** Modules beyond those that the script needs, such as `pua`. Default none. */
  readonly modules?: readonly string[];
  /**
   * Parameters of modules, such as `['pua', 'hash_size', 14]`, also made of the URL of Kamailio's own database; they
   * override the usual ones. Default none.
   */
  readonly modparams?: readonly Modparam[] | ((databaseUrl: string) => readonly Modparam[]);
  /** Shared memory, megabytes. Default 64. */
  readonly sharedMemory?: number;
  /** Milliseconds for the start. Default 15000. */
  readonly startMs?: number;
}

export interface LaunchedKamailioServer {
  readonly host: string;
  /** For UDP and TCP. */
  readonly port: number;
  /** `sip:127.0.0.1:port` */
  readonly uri: string;
  readonly pid: number;
  readonly database: TestDatabase;
  /** An account for digest; its realm is the domain. */
  addSubscriber(username: string, domain: string, password: string): Promise<void>;
  /** Ends it, at once with `kill`, keeps its database. */
  interrupt(how?: 'stop' | 'kill'): Promise<void>;
  /** Starts it again on the same port and database; it answers when this resolves. */
  resume(): Promise<void>;
  /** Both: `kill`: without notice. */
  restart(how?: 'stop' | 'kill'): Promise<void>;
  /** The tail of what it printed. */
  log(): string;
  /** Ends it, drops its database, removes its files. */
  stop(): Promise<void>;
}

/**
 * Launches one on a database of its own.
 * @param tables names of Kamailio's schema files: `presence`
 * @throws Error that names the Debian packages when it is not installed, or with the tail of its log
 */
export async function launch<T extends KamailioServer>(
  { mariadb }: KamailioServerOptions,
  tables: readonly string[],
  make: (database: TestDatabase) => T,
): Promise<T> {
  const missing = missingPeers(['kamailio']);
  if (missing.packages.length > 0) throw new Error(`Kamailio is not installed: ${missing.command}`);
  const kamailio = make(await mariadb.createDatabase());
  try {
    await kamailio.createTables(tables);
    await kamailio.startOnFreePort();
    return kamailio;
  } catch (error) {
    await kamailio.stop();
    throw error;
  }
}

export abstract class KamailioServer implements LaunchedKamailioServer {
  readonly host = '127.0.0.1';
  port = 0;
  readonly #folder = privateFolder('kamailio');
  readonly #sharedMemory: number;
  readonly #startMs: number;
  #connection: Connection | undefined;
  #process: PeerProcess | undefined;

  constructor(
    readonly database: TestDatabase,
    { sharedMemory = 64, startMs = 15_000 }: KamailioServerOptions,
  ) {
    this.#sharedMemory = sharedMemory;
    this.#startMs = startMs;
  }

  /** Text of kamailio.cfg for the ports as they are now. */
  protected abstract script(): string;

  get uri(): string {
    return `sip:${this.host}:${this.port}`;
  }

  get pid(): number {
    return this.#process?.pid ?? 0;
  }

  async createTables(names: readonly string[]): Promise<void> {
    this.#connection = await this.database.connect();
    for (const name of names) {
      await this.#connection.query(readFileSync(join(SCHEMA, `${name}-create.sql`), 'utf8'));
    }
  }

  async startOnFreePort(): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      await this.takePorts();
      try {
        return await this.#start();
      } catch (error) {
        // Somebody may have taken the port in between.
        if (attempt === ATTEMPTS || !/in use/i.test(String(error))) throw error;
      }
    }
  }

  async addSubscriber(username: string, domain: string, password: string): Promise<void> {
    await this.open.query('INSERT INTO subscriber (username, domain, password) VALUES (?, ?, ?)', [
      username,
      domain,
      password,
    ]);
  }

  async interrupt(how: 'stop' | 'kill' = 'stop'): Promise<void> {
    await (how === 'kill' ? this.#process?.kill() : this.#process?.stop());
  }

  async resume(): Promise<void> {
    if (!this.#process?.running) await this.#start();
  }

  async restart(how?: 'stop' | 'kill'): Promise<void> {
    await this.interrupt(how);
    await this.resume();
  }

  log(): string {
    return tail(this.#logFile);
  }

  async stop(): Promise<void> {
    await this.#process?.stop();
    await this.#connection?.end();
    this.#connection = undefined;
    await this.database.drop();
    removeFolder(this.#folder);
  }

  protected async takePorts(): Promise<void> {
    this.port = await freePort();
  }

  protected get open(): Connection {
    if (!this.#connection) throw new Error('this Kamailio has been stopped');
    return this.#connection;
  }

  protected async rows<T>(statement: string): Promise<T[]> {
    const [rows] = await this.open.query<RowDataPacket[]>(statement);
    return rows.map((row) => ({ ...row }) as T);
  }

  /** Kamailio commits a moment after it has answered. */
  protected async waitFor<T>(read: () => Promise<T[]>, matches: (rows: readonly T[]) => boolean, ms: number) {
    const deadline = performance.now() + ms;
    for (;;) {
      const rows = await read();
      if (matches(rows)) return rows;
      if (performance.now() > deadline) throw new Error(`not seen within ${ms} ms; rows: ${JSON.stringify(rows)}`);
      await pause(POLL_MS);
    }
  }

  get #logFile(): string {
    return join(this.#folder, 'log');
  }

  async #start(): Promise<void> {
    const file = join(this.#folder, 'kamailio.cfg');
    const runFolder = join(this.#folder, 'run');
    mkdirSync(runFolder, { recursive: true });
    // It holds the database's password.
    writeFileSync(file, this.script(), { mode: 0o600 });
    this.#process = await PeerProcess.start({
      name: 'Kamailio',
      command: findCommand('kamailio')!,
      arguments: ['-DD', '-E', '-f', file, '-Y', runFolder, '-m', String(this.#sharedMemory), '-M', '8'],
      folder: this.#folder,
      logFile: this.#logFile,
      probe: () => probe(this.port),
      startMs: this.#startMs,
    });
  }
}

export function modparamsOf({ modparams = [] }: KamailioServerOptions, databaseUrl: string): readonly Modparam[] {
  return typeof modparams === 'function' ? modparams(databaseUrl) : modparams;
}
