/** Options of mi(): names, units, defaults, and what is wrong with a value. */
import { PuaError } from '@pua/core';
import { isLoopback, type ListenAddress, parseListen } from './listen.js';

export interface MiOptions {
  /** `host:port`; port 0 takes a free one. Default `127.0.0.1:8060`. */
  readonly listen?: string;
  /** Bearer token that every POST needs; required unless `listen` is a loopback address. Default: none. */
  readonly token?: string | null;
  /** More names under which clients may reach it (`Host`, `Origin`), without port. */
  readonly hosts?: readonly string[];
  /** Largest request body, bytes. Default 1 MiB. */
  readonly maxBodyBytes?: number;
  /** Calls that are in progress at once; beyond, new ones get 429. Default 2000. */
  readonly maxWaiting?: number;
  /** How long a call waits for the final SIP answer, milliseconds. Default 60000. */
  readonly waitMs?: number;
  /** How long stop() lets calls in progress finish, milliseconds. Default 5000. */
  readonly graceMs?: number;
  /** More things that `/health` looks at: name -> what is wrong, undefined when it is fine. */
  readonly checks?: Readonly<Record<string, () => string | undefined>>;
}

export interface Settings {
  readonly listen: ListenAddress;
  readonly token: string | null;
  readonly hosts: readonly string[];
  readonly maxBodyBytes: number;
  readonly maxWaiting: number;
  readonly waitMs: number;
  readonly graceMs: number;
  readonly checks: Readonly<Record<string, () => string | undefined>>;
}

/** Longest delay of a timer of Node. */
const LONGEST_MS = 2 ** 31 - 1;

function whole(name: string, value: number, least: number, most = Number.MAX_SAFE_INTEGER): number {
  if (Number.isSafeInteger(value) && value >= least && value <= most) return value;
  throw new PuaError(
    'PUA_ERR_OPTION',
    `mi ${name}: must be a whole number from ${least} to ${most}, not ${String(value)}`,
  );
}

/** @throws PuaError `PUA_ERR_OPTION` that names the option; it never shows the token */
export function settle(options: MiOptions): Settings {
  const listen = parseListen(options.listen ?? '127.0.0.1:8060');
  const token = options.token ?? null;
  if (token !== null && (typeof token !== 'string' || !/^[\x21-\x7e]+$/.test(token))) {
    throw new PuaError('PUA_ERR_OPTION', 'mi token: must be a text of visible ASCII characters without blanks');
  }
  if (token === null && !isLoopback(listen.host)) {
    throw new PuaError(
      'PUA_ERR_OPTION',
      `mi listen: ${listen.text} is not a loopback address, so everybody who reaches it could publish; set a token, or listen on 127.0.0.1`,
    );
  }
  const hosts = options.hosts ?? [];
  const wrong = hosts.find((name) => typeof name !== 'string' || !/^[A-Za-z0-9.-]+$/.test(name));
  if (wrong !== undefined) {
    throw new PuaError(
      'PUA_ERR_OPTION',
      `mi hosts: ${JSON.stringify(wrong)} is not a host name; write it without port`,
    );
  }
  return {
    listen,
    token,
    hosts: hosts.map((name) => name.toLowerCase()),
    maxBodyBytes: whole('maxBodyBytes', options.maxBodyBytes ?? 1 << 20, 1),
    maxWaiting: whole('maxWaiting', options.maxWaiting ?? 2000, 1),
    waitMs: whole('waitMs', options.waitMs ?? 60_000, 1, LONGEST_MS),
    graceMs: whole('graceMs', options.graceMs ?? 5000, 0, LONGEST_MS),
    checks: options.checks ?? {},
  };
}
