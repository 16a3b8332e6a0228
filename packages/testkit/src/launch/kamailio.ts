import { freePort } from './folder.js';
import { type KamailioTls, kamailioConfig } from './kamailio-config.js';
import {
  KamailioServer,
  type KamailioServerOptions,
  type LaunchedKamailioServer,
  launch,
  modparamsOf,
} from './kamailio-server.js';
import type { TestDatabase } from './mariadb.js';

const TABLES = ['standard', 'presence', 'auth_db'];

export interface KamailioOptions extends KamailioServerOptions {
  /** PUBLISH and SUBSCRIBE need credentials, see addSubscriber(). Default false. */
  readonly digest?: boolean;
  /** `database`: they are rows of active_watchers and outlive a restart. Default `memory`. */
  readonly subscriptions?: 'memory' | 'database';
  /** TLS on a port of its own with this certificate; clients need none. Default: no TLS. */
  readonly tls?: KamailioTls;
  /**
   * Processes that take requests. Default 2. With several, a NOTIFY may tell of one publication as it was before when another
   * one of the same presentity was changed at the same moment; with 1 every NOTIFY tells of all.
   */
  readonly children?: number;
  /** Seconds; default 1. */
  readonly minExpires?: number;
  /** Seconds; default 3600. */
  readonly maxExpires?: number;
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

export interface LaunchedKamailio extends LaunchedKamailioServer {
  /** `sip:127.0.0.1:port;transport=tls`; empty without TLS. */
  readonly tlsUri: string;
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
}

/**
 * Debian's Kamailio as a presence server: private configuration, free port of 127.0.0.1, own database.
 * @throws Error that names the Debian packages when it is not installed, or with the tail of its log
 */
export function launchKamailio(options: KamailioOptions): Promise<LaunchedKamailio> {
  return launch(options, TABLES, (database) => new Kamailio(database, options));
}

class Kamailio extends KamailioServer implements LaunchedKamailio {
  readonly #options: KamailioOptions;
  #tlsPort = 0;

  constructor(database: TestDatabase, options: KamailioOptions) {
    super(database, options);
    this.#options = options;
  }

  get tlsUri(): string {
    return this.#tlsPort === 0 ? '' : `sip:${this.host}:${this.#tlsPort};transport=tls`;
  }

  async presentity(): Promise<PresentityRow[]> {
    const rows = await this.rows<PresentityRow>(
      'SELECT username, domain, event, etag, expires, body FROM presentity ORDER BY id',
    );
    return rows.map((row) => ({ ...row, body: String(row.body) }));
  }

  waitForPresentity(matches: (rows: readonly PresentityRow[]) => boolean, ms: number): Promise<PresentityRow[]> {
    return this.waitFor(() => this.presentity(), matches, ms);
  }

  activeWatchers(): Promise<Record<string, unknown>[]> {
    return this.rows('SELECT * FROM active_watchers ORDER BY id');
  }

  async clear(): Promise<void> {
    await this.open.query('DELETE FROM presentity; DELETE FROM active_watchers; DELETE FROM watchers');
  }

  protected override async takePorts(): Promise<void> {
    await super.takePorts();
    if (this.#options.tls) this.#tlsPort = await freePort();
  }

  protected script(): string {
    const {
      digest = false,
      subscriptions = 'memory',
      children = 2,
      minExpires = 1,
      maxExpires = 3600,
      tls,
    } = this.#options;
    return kamailioConfig({
      port: this.port,
      tls: tls && { ...tls, port: this.#tlsPort },
      databaseUrl: this.database.url,
      digest,
      subscriptions,
      children,
      minExpires,
      maxExpires,
      modules: this.#options.modules ?? [],
      modparams: modparamsOf(this.#options, this.database.url),
    });
  }
}
