/** kamailio.cfg of a registrar and proxy, as an administrator would write it. */
import { CALL_EVENT_MODPARAMS, CALL_EVENT_MODULES, callEvents, type Webhook } from './kamailio-call-events.js';
import { digestModparams, type Modparam, scriptHead } from './kamailio-script.js';

export interface ProxySettings {
  readonly port: number;
  readonly databaseUrl: string;
  /** Domains it is responsible for. */
  readonly domains: readonly string[];
  /** `usrloc` `db_mode`: 1 memory and table at once, 3 table only. */
  readonly usrlocMode: 1 | 3;
  /** AORs have their domain in the table. */
  readonly useDomain: boolean;
  readonly digest: boolean;
  /** Gets a copy of each REGISTER that has been accepted. */
  readonly tap: string | undefined;
  /** Gets the states of calls. */
  readonly webhook: Webhook | undefined;
  /** Seconds. */
  readonly minExpires: number;
  readonly maxExpires: number;
  /** Seconds that a call lasts at most. */
  readonly callTimeout: number;
  readonly modules: readonly string[];
  readonly modparams: readonly Modparam[];
}

export function proxyConfig(settings: ProxySettings): string {
  const { port, databaseUrl, digest, tap, webhook } = settings;
  const modules = [
    'db_mysql',
    'tm',
    'sl',
    'rr',
    'pv',
    'maxfwd',
    'textops',
    'siputils',
    'kex',
    'usrloc',
    'registrar',
    'dialog',
  ];
  const parameters: Modparam[] = [
    ['usrloc', 'db_url', databaseUrl],
    ['usrloc', 'db_mode', settings.usrlocMode],
    ['usrloc', 'use_domain', settings.useDomain ? 1 : 0],
    // Contacts that have run out are removed each second, not each minute.
    ['usrloc', 'timer_interval', 1],
    ['registrar', 'min_expires', settings.minExpires],
    ['registrar', 'max_expires', settings.maxExpires],
    ['dialog', 'db_url', databaseUrl],
    ['dialog', 'db_mode', 1],
    ['dialog', 'default_timeout', settings.callTimeout],
  ];
  if (digest) {
    modules.push('auth', 'auth_db');
    parameters.push(...digestModparams(databaseUrl));
  }
  if (webhook) {
    modules.push(...CALL_EVENT_MODULES);
    parameters.push(...CALL_EVENT_MODPARAMS);
  }
  modules.push(...settings.modules);
  parameters.push(...settings.modparams);
  const core = [
    'children=2',
    'tcp_children=1',
    `listen=udp:127.0.0.1:${port}`,
    `listen=tcp:127.0.0.1:${port}`,
    ...settings.domains.map((domain) => `alias="${domain}"`),
  ];
  return [
    scriptHead({ core, modules, modparams: parameters }),
    mainRoute(webhook !== undefined),
    registerRoute(digest, tap),
    ...(webhook ? [callEvents(webhook)] : []),
  ].join('\n');
}

const mainRoute = (events: boolean): string => `
request_route {
    if (!mf_process_maxfwd_header("10")) {
        sl_send_reply("483", "Too Many Hops");
        exit;
    }
    if (is_method("CANCEL")) {
        if (t_check_trans()) t_relay();
        exit;
    }
    if (is_method("REGISTER")) route(REGISTER);
    if (has_totag()) {
        route(WITHIN_DIALOG);
        exit;
    }
    # Retransmissions end here; not those of REGISTER, which save() answers again.
    t_check_trans();
    if (is_method("OPTIONS") && is_myself("$ru")) {
        sl_send_reply("200", "OK");
        exit;
    }
    if (!is_method("INVITE|MESSAGE")) {
        sl_send_reply("405", "Method Not Allowed");
        exit;
    }
    if (!is_myself("$ru")) {
        sl_send_reply("403", "Relaying Forbidden");
        exit;
    }
    remove_hf("Route");
    if (is_method("INVITE")) {
        record_route();
        # Before lookup(), so that the dialog knows who was called, not only where.
        dlg_manage();${events ? '\n        route(CALL_CREATED);\n        t_on_reply("CALL");' : ''}
    }
    if (!lookup("location")) {
${events ? '        $avp(answer) = 404;\n' : ''}        t_newtran();
        t_reply("404", "Not Found");
        exit;
    }
    # To all contacts of the callee at once.
    if (!t_relay()) sl_reply_error();
}

route[WITHIN_DIALOG] {
    if (loose_route()) {
        if (!t_relay()) sl_reply_error();
        exit;
    }
    if (is_method("ACK")) {
        # For a negative answer of ours it ends here.
        if (t_check_trans()) t_relay();
        exit;
    }
    sl_send_reply("404", "Not Here");
}
`;

/** 401 unless the credentials are right; the realm is the domain of To, and the account must be the one in To. */
const AUTHENTICATE = `
    if (!auth_check("$td", "subscriber", "1")) {
        auth_challenge("$td", "0");
        exit;
    }
    consume_credentials();`;

const registerRoute = (digest: boolean, tap: string | undefined): string => `
route[REGISTER] {
    if (!is_myself("$tu")) {
        sl_send_reply("403", "Not Our Domain");
        exit;
    }${digest ? AUTHENTICATE : ''}
    if (!save("location")) {
        sl_reply_error();
        exit;
    }${tap ? `\n    # What was accepted, for whom it concerns; its answer goes nowhere.\n    t_replicate("${tap}");` : ''}
    exit;
}
`;
