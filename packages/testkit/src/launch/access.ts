/** Where a database server is reached and as whom; a server that several suites share is named by a variable. */

export interface DatabaseAccess {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
}

export interface AccessVariable {
  readonly name: string;
  /** Schemes of its URL, the first one is shown in errors. */
  readonly schemes: readonly string[];
  readonly port: number;
  readonly user: string;
}

/**
 * Reads `<scheme>://user:password@host:port`, or JSON with host, port, user, password.
 * @throws Error that does not show the value: it may hold a password
 */
export function accessFrom(variable: AccessVariable, env: NodeJS.ProcessEnv): DatabaseAccess | undefined {
  const text = env[variable.name]?.trim();
  if (!text) return undefined;
  try {
    if (text.startsWith('{')) {
      const { host = '127.0.0.1', port, user, password = '' } = JSON.parse(text) as Partial<DatabaseAccess>;
      return { host, port: Number(port ?? variable.port), user: user ?? variable.user, password };
    }
    const url = new URL(text);
    if (!variable.schemes.includes(url.protocol.slice(0, -1))) throw new Error('another scheme');
    const [user, password] = [decodeURIComponent(url.username), decodeURIComponent(url.password)];
    return { host: url.hostname, port: Number(url.port || variable.port), user: user || variable.user, password };
  } catch {
    const [scheme] = variable.schemes;
    throw new Error(
      `${variable.name}: expected ${scheme}://user:password@host:port or {"host","port","user","password"}`,
    );
  }
}

/** `user:password@host:port`, encoded for a URL. */
export function authority({ host, port, user, password }: DatabaseAccess): string {
  const login = password === '' ? user : `${encodeURIComponent(user)}:${encodeURIComponent(password)}`;
  return `${login}@${host}:${port}`;
}
