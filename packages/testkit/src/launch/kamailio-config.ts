import { digestModparams, type Modparam, scriptHead } from './kamailio-script.js';
import { hasKamailioModule } from './peers.js';

/** Paths of PEM files. */
export interface KamailioTls {
  readonly cert: string;
  readonly key: string;
}

export interface KamailioSettings {
  readonly port: number;
  /** A port of its own. */
  readonly tls: (KamailioTls & { readonly port: number }) | undefined;
  readonly databaseUrl: string;
  readonly digest: boolean;
  /** Where subscriptions are kept: `subs_db_mode` 0 or 3. */
  readonly subscriptions: 'memory' | 'database';
  /** Processes that take requests. */
  readonly children: number;
  /** Seconds. */
  readonly minExpires: number;
  readonly maxExpires: number;
  /** Loaded beside the usual ones. */
  readonly modules: readonly string[];
  /** Set after the usual ones, so that they override them. */
  readonly modparams: readonly Modparam[];
}

/** Packages beyond presence itself; loaded where they are installed. */
const EVENT_MODULES = ['presence_xml', 'presence_dialoginfo', 'presence_mwi', 'presence_reginfo'];

/** 407 unless the credentials are right; the realm is the domain of From. */
const AUTHENTICATE = `
    if (!auth_check("$fd", "subscriber", "0")) {
        auth_challenge("$fd", "0");
        exit;
    }
    consume_credentials();`;

/** kamailio.cfg of a presence server: PUBLISH and SUBSCRIBE are handled, OPTIONS answered, all else refused. */
export function kamailioConfig(settings: KamailioSettings): string {
  const { port, databaseUrl, digest, tls } = settings;
  const events = EVENT_MODULES.filter(hasKamailioModule);
  const modules = ['db_mysql', 'tm', 'sl', 'rr', 'pv', 'maxfwd', 'textops', 'siputils', 'presence', ...events];
  if (digest) modules.push('auth', 'auth_db');
  if (tls) modules.push('tls');
  modules.push(...settings.modules);
  const parameters: Modparam[] = [
    ['presence', 'db_url', databaseUrl],
    ['presence', 'subs_db_mode', settings.subscriptions === 'database' ? 3 : 0],
    // Without the cache every publication is a row at once.
    ['presence', 'publ_cache', 0],
    // The default table locks break notifying on MariaDB (error 1100).
    ['presence', 'db_table_lock_type', 0],
    ['presence', 'min_expires', settings.minExpires],
    ['presence', 'max_expires', settings.maxExpires],
    // Without processes of their own NOTIFYs go out at once; with them they wait for a poll, up to seconds.
    ['presence', 'notifier_processes', 0],
    ['presence', 'send_fast_notify', 1],
  ];
  if (events.includes('presence_xml')) {
    parameters.push(['presence_xml', 'db_url', databaseUrl], ['presence_xml', 'force_active', 1]);
  }
  if (digest) parameters.push(...digestModparams(databaseUrl));
  if (tls) {
    parameters.push(
      ['tls', 'certificate', tls.cert],
      ['tls', 'private_key', tls.key],
      ['tls', 'tls_method', 'TLSv1.2+'],
    );
  }
  parameters.push(...settings.modparams);
  const core = [
    `children=${settings.children}`,
    'tcp_children=1',
    `listen=udp:127.0.0.1:${port}`,
    `listen=tcp:127.0.0.1:${port}`,
  ];
  if (tls) core.push('enable_tls=yes', `listen=tls:127.0.0.1:${tls.port}`);
  return `${scriptHead({ core, modules, modparams: parameters })}
request_route {
    if (!mf_process_maxfwd_header("10")) {
        sl_send_reply("483", "Too Many Hops");
        exit;
    }
    if (is_method("OPTIONS")) {
        sl_send_reply("200", "OK");
        exit;
    }
    if (!is_method("PUBLISH|SUBSCRIBE")) {
        sl_send_reply("405", "Method Not Allowed");
        exit;
    }${digest ? AUTHENTICATE : ''}
    if (!t_newtran()) {
        sl_reply_error();
        exit;
    }
    if (is_method("PUBLISH")) {
        handle_publish();
    } else {
        handle_subscribe();
    }
    t_release();
}
`;
}
