import type { Webhook } from './kamailio-call-events.js';
import { proxyConfig } from './kamailio-proxy-config.js';
import {
  KamailioServer,
  type KamailioServerOptions,
  type LaunchedKamailioServer,
  launch,
  modparamsOf,
} from './kamailio-server.js';
import type { TestDatabase } from './mariadb.js';

const TABLES = ['standard', 'usrloc', 'dialog', 'auth_db'];

export interface KamailioProxyOptions extends KamailioServerOptions {
  /** Domains it is responsible for, beside its own address. Default `example.com`. */
  readonly domains?: readonly string[];
  /** `usrloc` `db_mode`: 1 memory and table at once, 3 table only. Default 1. */
  readonly usrlocMode?: 1 | 3;
  /** `usrloc` `use_domain`: the domain is part of the AOR. Default true. */
  readonly useDomain?: boolean;
  /** REGISTER needs credentials, see addSubscriber(). Default false. */
  readonly digest?: boolean;
  /** SIP URI that gets a copy of each accepted REGISTER. Default none. */
  readonly tap?: string;
  /**
   * Where the states of calls are posted, one JSON object (DialogEvent) per request, in order; again and again while nobody
   * answers, and for ten seconds while the answer is 5xx. `token`: sent as `Authorization: Bearer`. Default none.
   */
  readonly webhook?: Webhook;
  /** Of registrations, seconds. Default 1. */
  readonly minExpires?: number;
  /** Of registrations, seconds. Default 3600. */
  readonly maxExpires?: number;
  /** Seconds that a call lasts at most. Default 43200. */
  readonly callTimeout?: number;
}

export interface LaunchedKamailioProxy extends LaunchedKamailioServer {
  /** Rows of the table `location`. */
  location(): Promise<Record<string, unknown>[]>;
  /** Rows of the table `dialog`. */
  dialogs(): Promise<Record<string, unknown>[]>;
  /**
   * The rows of a table as soon as they meet the condition.
   * @throws Error (by rejection) with the rows when they don't within `ms`
   */
  waitForRows(
    table: 'location' | 'dialog',
    matches: (rows: readonly Record<string, unknown>[]) => boolean,
    ms: number,
  ): Promise<Record<string, unknown>[]>;
}

/**
 * Debian's Kamailio as registrar and proxy: REGISTER is stored, a call goes to all contacts of the callee, dialogs are
 * tracked; both are rows of its own database.
 * @throws Error that names the Debian packages when it is not installed, or with the tail of its log
 */
export function launchKamailioProxy(options: KamailioProxyOptions): Promise<LaunchedKamailioProxy> {
  return launch(options, TABLES, (database) => new KamailioProxy(database, options));
}

class KamailioProxy extends KamailioServer implements LaunchedKamailioProxy {
  readonly #options: KamailioProxyOptions;

  constructor(database: TestDatabase, options: KamailioProxyOptions) {
    super(database, options);
    this.#options = options;
  }

  location(): Promise<Record<string, unknown>[]> {
    return this.rows('SELECT * FROM location ORDER BY id');
  }

  dialogs(): Promise<Record<string, unknown>[]> {
    return this.rows('SELECT * FROM dialog ORDER BY id');
  }

  waitForRows(
    table: 'location' | 'dialog',
    matches: (rows: readonly Record<string, unknown>[]) => boolean,
    ms: number,
  ): Promise<Record<string, unknown>[]> {
    return this.waitFor(() => (table === 'location' ? this.location() : this.dialogs()), matches, ms);
  }

  protected script(): string {
    const { domains = ['example.com'], usrlocMode = 1, useDomain = true, digest = false } = this.#options;
    const { minExpires = 1, maxExpires = 3600, callTimeout = 43_200, tap, webhook } = this.#options;
    return proxyConfig({
      port: this.port,
      databaseUrl: this.database.url,
      domains,
      usrlocMode,
      useDomain,
      digest,
      tap,
      webhook,
      minExpires,
      maxExpires,
      callTimeout,
      modules: this.#options.modules ?? [],
      modparams: modparamsOf(this.#options, this.database.url),
    });
  }
}
