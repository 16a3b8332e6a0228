/** The address of the option `listen`, and the names by which it may be reached. */
import { isIP, isIPv6 } from 'node:net';
import { PuaError } from '@pua/core';

export interface ListenAddress {
  /** Name or IP address, without brackets. */
  readonly host: string;
  readonly port: number;
  /** As it was given. */
  readonly text: string;
}

/** @throws PuaError `PUA_ERR_OPTION` */
export function parseListen(text: string): ListenAddress {
  const match = typeof text === 'string' ? /^(?:\[([0-9a-f:.]+)\]|([a-z0-9.-]+)):([0-9]{1,5})$/i.exec(text) : null;
  const host = match?.[1] ?? match?.[2] ?? '';
  const port = Number(match?.[3]);
  if (!match || port > 65535 || (match[1] !== undefined && !isIPv6(host))) {
    throw new PuaError(
      'PUA_ERR_OPTION',
      `mi listen: ${JSON.stringify(text)} is not host:port; write for example 127.0.0.1:8060 or [::1]:8060`,
    );
  }
  return { host: host.toLowerCase(), port, text };
}

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}

export const bracketed = (host: string): string => (isIPv6(host) ? `[${host}]` : host);

/** Name in a Host field or an authority, without port and brackets, in small letters; undefined when it is none. */
export function hostOf(authority: string): string | undefined {
  const match = /^(?:\[([0-9a-f:.]+)\]|([a-z0-9._-]+))(?::[0-9]{1,5})?$/i.exec(authority.trim());
  return (match?.[1] ?? match?.[2])?.toLowerCase();
}

/**
 * Against DNS rebinding: a web page may make a name of its own point here, and then its Host says that name. Allowed
 * are loopback names, the address listened on, and the names of the option `hosts`; when listening on all addresses,
 * any IP address too, since no page can have one as its name.
 */
export function nameGuard(listen: ListenAddress, hosts: readonly string[]): (authority: string) => boolean {
  const names = new Set([listen.host, ...hosts]);
  const wildcard = listen.host === '0.0.0.0' || listen.host === '::';
  return (authority) => {
    const host = hostOf(authority);
    return host !== undefined && (isLoopback(host) || names.has(host) || (wildcard && isIP(host) !== 0));
  };
}
