import { type Clock, PuaError, type Random } from '@pua/core';
import type DrachtioSrf from 'drachtio-srf';
import type { ConnectOptions } from './srf.js';

interface CommonOptions {
  /** Methods that come here, such as NOTIFY or REGISTER; default NOTIFY. */
  readonly methods?: readonly string[];
  /** Value of User-Agent in requests; default: the server's. */
  readonly userAgent?: string;
  /** Default: the system's. */
  readonly clock?: Clock;
  /** Default: the system's. */
  readonly random?: Random;
}

export interface ConnectingOptions extends CommonOptions {
  /** Loopback only: the protocol is plain text, the secret included. Default 127.0.0.1. */
  readonly host?: string;
  /** Admin port of drachtio-server; default 9022. */
  readonly port?: number;
  /** Default cymru, as the server's. */
  readonly secret?: string;
}

export interface SharedOptions extends CommonOptions {
  /** An Srf that others use as well; requests that core does not want are passed on to their handlers. */
  readonly srf: DrachtioSrf;
}

export type DrachtioSipOptions = ConnectingOptions | SharedOptions;

/** @throws PuaError `PUA_ERR_OPTION` */
export function checkConnect(options: ConnectingOptions): Omit<ConnectOptions, 'reconnect'> {
  const { host = '127.0.0.1', port = 9022, secret = 'cymru' } = options;
  if (!/^(?:127(?:\.\d{1,3}){3}|::1|localhost)$/i.test(host)) {
    throw new PuaError(
      'PUA_ERR_OPTION',
      `host ${JSON.stringify(host)} is not loopback: the admin protocol is plain text, the secret included; use 127.0.0.1, for a server elsewhere with a tunnel (ssh -L)`,
    );
  }
  if (!(Number.isInteger(port) && port > 0 && port < 65_536)) {
    throw new PuaError('PUA_ERR_OPTION', `port must be a number from 1 to 65535, not ${port}`);
  }
  // The secret stands between bars in its frame.
  if (typeof secret !== 'string' || !/^[^|\r\n\0]+$/.test(secret)) {
    throw new PuaError('PUA_ERR_OPTION', 'secret must be a text of one line without |');
  }
  return { host, port, secret };
}

/** @throws PuaError `PUA_ERR_OPTION` */
export function checkMethods(methods: readonly string[] = ['NOTIFY']): readonly string[] {
  for (const method of methods) {
    if (!/^(?:NOTIFY|SUBSCRIBE|PUBLISH|REGISTER|MESSAGE|OPTIONS|INFO|REFER)$/i.test(method)) {
      throw new PuaError(
        'PUA_ERR_OPTION',
        `methods: ${JSON.stringify(method)} can't be taken; such as NOTIFY, REGISTER`,
      );
    }
  }
  return methods.map((method) => method.toLowerCase());
}

/** @throws PuaError `PUA_ERR_OPTION` */
export function refuseTls(options: object): void {
  if (!('tls' in options) || options.tls === undefined) return;
  throw new PuaError(
    'PUA_ERR_OPTION',
    'tls is not supported: drachtio-srf comes back in plain text after a loss, and sends the secret; leave it out',
  );
}
