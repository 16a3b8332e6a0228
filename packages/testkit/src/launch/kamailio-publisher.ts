import { type Modparam, scriptHead } from './kamailio-script.js';
import { KamailioServer, type KamailioServerOptions, type LaunchedKamailioServer, launch } from './kamailio-server.js';
import type { TestDatabase } from './mariadb.js';

export interface KamailioPublisherOptions extends KamailioServerOptions {
  /** SIP URI that its PUBLISHes go to. */
  readonly outboundProxy: string;
  /** Parameters of its module `pua`, such as `db_mode`; they override memory mode. Default none. */
  readonly pua?: Readonly<Record<string, string | number>>;
  /** Processes that take requests. Default 2. */
  readonly children?: number;
}

/**
 * Debian's Kamailio doing what `@pua/usrloc` does: takes REGISTERs without asking who it is, holds them in memory, and
 * publishes presence by its modules `pua` and `pua_usrloc`. For comparisons side by side.
 * @throws Error that names the Debian packages when it is not installed, or with the tail of its log
 */
export function launchKamailioPublisher(options: KamailioPublisherOptions): Promise<LaunchedKamailioServer> {
  return launch(options, ['standard', 'presence'], (database) => new KamailioPublisher(database, options));
}

class KamailioPublisher extends KamailioServer {
  readonly #options: KamailioPublisherOptions;

  constructor(database: TestDatabase, options: KamailioPublisherOptions) {
    super(database, options);
    this.#options = options;
  }

  protected script(): string {
    const { outboundProxy, pua = {}, children = 2 } = this.#options;
    const settings = { db_mode: 0, hash_size: 14, update_period: 100, ...pua };
    const modparams: Modparam[] = [
      ['usrloc', 'db_mode', 0],
      ['usrloc', 'hash_size', 14],
      ['registrar', 'max_expires', 3600],
      ['pua', 'db_url', this.database.url],
      ['pua', 'outbound_proxy', outboundProxy],
      ...Object.entries(settings).map(([name, value]): Modparam => ['pua', name, value]),
      ['pua_usrloc', 'default_domain', 'example.com'],
    ];
    const core = [`children=${children}`, 'disable_tcp=yes', `listen=udp:127.0.0.1:${this.port}`];
    const modules = ['db_mysql', 'tm', 'sl', 'rr', 'pv', 'textops', 'usrloc', 'registrar', 'pua', 'pua_usrloc'];
    return `${scriptHead({ core, modules, modparams })}
request_route {
    if (is_method("REGISTER")) {
        pua_set_publish();
        save("location");
        exit;
    }
    sl_send_reply("200", "OK");
}
`;
  }
}
