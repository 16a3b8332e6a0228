/** What the kamailio.cfg of every launched Kamailio begins with. */

export type Modparam = readonly [module: string, name: string, value: string | number];

export interface ScriptHead {
  /** Lines of the core's own parameters: `listen=udp:127.0.0.1:5060`. */
  readonly core: readonly string[];
  readonly modules: readonly string[];
  readonly modparams: readonly Modparam[];
}

export function scriptHead({ core, modules, modparams }: ScriptHead): string {
  return `#!KAMAILIO
debug=1
log_stderror=yes
auto_aliases=no
${core.join('\n')}

${modules.map((name) => `loadmodule "${name}.so"`).join('\n')}

${modparams.map(([module, name, value]) => `modparam("${module}", "${name}", ${literal(value)})`).join('\n')}
`;
}

/** Digest accounts are rows of `subscriber` with their passwords as they are. */
export function digestModparams(databaseUrl: string): Modparam[] {
  return [
    ['auth_db', 'db_url', databaseUrl],
    ['auth_db', 'calculate_ha1', 1],
    ['auth_db', 'password_column', 'password'],
  ];
}

function literal(value: string | number): string {
  return typeof value === 'number' ? String(value) : `"${value}"`;
}
