import { createSocket } from 'node:dgram';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Connection, RowDataPacket } from 'mysql2/promise';
import { PeerProcess, tail } from './child.js';
import { freePort, privateFolder, removeFolder } from './folder.js';
import { type KamailioTls, kamailioConfig, type Modparam } from './kamailio-config.js';
import type { LaunchedMariadb, TestDatabase } from './mariadb.js';
import { findCommand, missingPeers } from './peers.js';

/** Where Debian's kamailio-mysql-modules puts the schema. */
const SCHEMA = '/usr/share/kamailio/mysql';
const TABLES = ['standard', 'presence', 'auth_db'];
const PROBE_MS = 300;
const PROBE_EACH_MS = 20;
const POLL_MS = 20;
const ATTEMPTS = 3;

export interface KamailioOptions {
  /** The database server; Kamailio gets a database of its own in it. */
  readonly mariadb: LaunchedMariadb;
  /** PUBLISH and SUBSCRIBE need credentials, see addSubscriber(). Default false. */
  readonly digest?: boolean;
  /** `database`: they are rows of active_watchers and outlive a restart. Default `memory`. */
  readonly subscriptions?: 'memory' | 'database';
  /** TLS on a port of its own with this certificate; clients need none. Default: no TLS. */
  readonly tls?: KamailioTls;
  /** Seconds; default 1. */
  readonly minExpires?: number;
  /** Seconds; default 3600. */
  readonly maxExpires?: number;
  /** Modules beyond those of a presence server, such as `pua`. Default none. */
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

/** A row of the table `presentity`. */
export interface PresentityRow {
  readonly username: string;
  readonly domain: string;
  readonly event: string;
  readonly etag: string;
  /** Seconds since 1970. */
  readonly expires: number;
  readonly body: string;
}

export interface LaunchedKamailio {
  readonly host: string;
  /** For UDP and TCP. */
  readonly port: number;
  /** `sip:127.0.0.1:port` */
  readonly uri: string;
  /** `sip:127.0.0.1:port;transport=tls`; empty without TLS. */
  readonly tlsUri: string;
  readonly pid: number;
  readonly database: TestDatabase;
  /** What is published. Kamailio commits a row a moment after its 200. */
  presentity(): Promise<PresentityRow[]>;
  /**
   * The rows of presentity as soon as they meet the condition.
   * @throws Error (by rejection) with the rows when they don't within `ms`
   */
  waitForPresentity(matches: (rows: readonly PresentityRow[]) => boolean, ms: number): Promise<PresentityRow[]>;
  /** Subscriptions; with `subscriptions: 'memory'` there are none in the table. */
  activeWatchers(): Promise<Record<string, unknown>[]>;
  /** Empties presentity, active_watchers and watchers. */
  clear(): Promise<void>;
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
 * Debian's Kamailio as a presence server: private configuration, free port of 127.0.0.1, own database.
 * @throws Error that names the Debian packages when it is not installed, or with the tail of its log
 */
export async function launchKamailio(options: KamailioOptions): Promise<LaunchedKamailio> {
  const missing = missingPeers(['kamailio']);
  if (missing.packages.length > 0) throw new Error(`Kamailio is not installed: ${missing.command}`);
  const folder = privateFolder('kamailio');
  const database = await options.mariadb.createDatabase();
  const kamailio = new Kamailio(options, folder, database);
  try {
    await kamailio.createTables();
    await kamailio.startOnFreePort();
    return kamailio;
  } catch (error) {
    await kamailio.stop();
    throw error;
  }
}

/** Resolves when something answers an OPTIONS. */
function probe(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = createSocket('udp4');
    let repeat: NodeJS.Timeout | undefined;
    const end = (error?: Error) => {
      clearTimeout(timer);
      clearInterval(repeat);
      socket.close();
      if (error) reject(error);
      else resolve();
    };
    const timer = setTimeout(() => end(new Error('no answer to OPTIONS')), PROBE_MS);
    socket.once('message', () => end());
    socket.once('error', end);
    socket.bind(0, '127.0.0.1', () => {
      const lines = [
        `OPTIONS sip:127.0.0.1:${port} SIP/2.0`,
        `Via: SIP/2.0/UDP 127.0.0.1:${socket.address().port};branch=z9hG4bK${process.pid}${performance.now()}`,
        'Max-Forwards: 10',
        'From: <sip:probe@127.0.0.1>;tag=probe',
        `To: <sip:127.0.0.1:${port}>`,
        `Call-ID: probe-${performance.now()}`,
        'CSeq: 1 OPTIONS',
        'Content-Length: 0',
      ];
      const send = () => socket.send(`${lines.join('\r\n')}\r\n\r\n`, port, '127.0.0.1');
      // Again and again, so that who waits hears of the moment at which it is there.
      repeat = setInterval(send, PROBE_EACH_MS);
      send();
    });
  });
}

class Kamailio implements LaunchedKamailio {
  readonly host = '127.0.0.1';
  readonly database: TestDatabase;
  port = 0;
  #tlsPort = 0;
  readonly #options: KamailioOptions;
  readonly #folder: string;
  #connection: Connection | undefined;
  #process: PeerProcess | undefined;

  constructor(options: KamailioOptions, folder: string, database: TestDatabase) {
    this.#options = options;
    this.#folder = folder;
    this.database = database;
  }

  get uri(): string {
    return `sip:${this.host}:${this.port}`;
  }

  get tlsUri(): string {
    return this.#tlsPort === 0 ? '' : `sip:${this.host}:${this.#tlsPort};transport=tls`;
  }

  get pid(): number {
    return this.#process?.pid ?? 0;
  }

  async createTables(): Promise<void> {
    this.#connection = await this.database.connect();
    for (const table of TABLES) {
      await this.#connection.query(readFileSync(join(SCHEMA, `${table}-create.sql`), 'utf8'));
    }
  }

  async startOnFreePort(): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      this.port = await freePort();
      if (this.#options.tls) this.#tlsPort = await freePort();
      try {
        return await this.#start();
      } catch (error) {
        // Somebody may have taken the port in between.
        if (attempt === ATTEMPTS || !/in use/i.test(String(error))) throw error;
      }
    }
  }

  async presentity(): Promise<PresentityRow[]> {
    const rows = await this.#rows('SELECT username, domain, event, etag, expires, body FROM presentity ORDER BY id');
    return rows.map((row) => ({ ...row, body: String(row.body) }) as PresentityRow);
  }

  async waitForPresentity(matches: (rows: readonly PresentityRow[]) => boolean, ms: number): Promise<PresentityRow[]> {
    const deadline = performance.now() + ms;
    for (;;) {
      const rows = await this.presentity();
      if (matches(rows)) return rows;
      if (performance.now() > deadline) throw new Error(`not seen within ${ms} ms; rows: ${JSON.stringify(rows)}`);
      await pause(POLL_MS);
    }
  }

  activeWatchers(): Promise<Record<string, unknown>[]> {
    return this.#rows('SELECT * FROM active_watchers ORDER BY id');
  }

  async clear(): Promise<void> {
    await this.#open.query('DELETE FROM presentity; DELETE FROM active_watchers; DELETE FROM watchers');
  }

  async addSubscriber(username: string, domain: string, password: string): Promise<void> {
    await this.#open.query('INSERT INTO subscriber (username, domain, password) VALUES (?, ?, ?)', [
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

  get #logFile(): string {
    return join(this.#folder, 'log');
  }

  get #open(): Connection {
    if (!this.#connection) throw new Error('this Kamailio has been stopped');
    return this.#connection;
  }

  async #rows(statement: string): Promise<Record<string, unknown>[]> {
    const [rows] = await this.#open.query<RowDataPacket[]>(statement);
    return rows.map((row) => ({ ...row }));
  }

  async #start(): Promise<void> {
    const file = join(this.#folder, 'kamailio.cfg');
    const runFolder = join(this.#folder, 'run');
    mkdirSync(runFolder, { recursive: true });
    const { digest = false, subscriptions = 'memory', minExpires = 1, maxExpires = 3600 } = this.#options;
    const { modules = [], modparams = [], sharedMemory = 64, startMs = 15_000 } = this.#options;
    writeFileSync(
      file,
      kamailioConfig({
        port: this.port,
        tls: this.#options.tls && { ...this.#options.tls, port: this.#tlsPort },
        databaseUrl: this.database.url,
        folder: this.#folder,
        digest,
        subscriptions,
        minExpires,
        maxExpires,
        modules,
        modparams: typeof modparams === 'function' ? modparams(this.database.url) : modparams,
      }),
      // It holds the database's password.
      { mode: 0o600 },
    );
    this.#process = await PeerProcess.start({
      name: 'Kamailio',
      command: findCommand('kamailio')!,
      arguments: ['-DD', '-E', '-f', file, '-Y', runFolder, '-m', String(sharedMemory), '-M', '8'],
      folder: this.#folder,
      logFile: this.#logFile,
      probe: () => probe(this.port),
      startMs,
    });
  }
}
