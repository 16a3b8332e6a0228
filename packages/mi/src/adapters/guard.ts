/** Who may call: names in Host and Origin, the token. */
import { createHash, timingSafeEqual } from 'node:crypto';
import { Fault } from '../faults.js';

/** Header fields by which it is decided. */
export interface GuardedRequest {
  readonly host?: string | undefined;
  readonly origin?: string | undefined;
  readonly authorization?: string | undefined;
}

const digest = (text: string) => createHash('sha256').update(text).digest();

/** Refuses with a Fault; undefined: welcome. */
export type Guard = (request: GuardedRequest) => Fault | undefined;

export function namesGuard(isAllowed: (authority: string) => boolean): Guard {
  return ({ host, origin }) => {
    if (host === undefined || !isAllowed(host)) {
      return new Fault('forbidden', 'Host: not a name of this server; use its address, or add the name to `hosts`');
    }
    if (origin === undefined) return undefined;
    // `null` (a sandboxed page, a file) and every other form are none of ours.
    const authority = /^https?:\/\/([^/?#@]+)$/i.exec(origin)?.[1];
    if (authority !== undefined && isAllowed(authority)) return undefined;
    return new Fault('forbidden', 'Origin: pages of other sites may not call this server');
  };
}

/** Equal lengths and a comparison without early end: time tells nothing about the token. */
export function tokenGuard(token: string | null): Guard {
  if (token === null) return () => undefined;
  const expected = digest(token);
  return ({ authorization }) => {
    const given = /^Bearer +(\S+) *$/i.exec(authorization ?? '')?.[1];
    if (given !== undefined && timingSafeEqual(digest(given), expected)) return undefined;
    return new Fault('unauthorized', 'Authorization: Bearer with the token is needed');
  };
}
