/** How an answer that is no success is told to callers. */
import type { PuaResult, Reply } from '../api.js';
import type { Answer } from './answer.js';

/** For callbacks: what the network did not say is put as if it had (RFC 3261 8.1.3.1). */
export const replyOf = (a: Answer): Reply =>
  a.kind === 'response'
    ? { status: a.status, reason: a.reason, received: true }
    : { status: a.sent ? 408 : 503, reason: a.cause, received: false };

export function failure(a: Answer, retrying: boolean): PuaResult {
  if (a.kind === 'unreachable') return { outcome: 'unreachable', cause: a.cause, retrying };
  return {
    outcome: 'rejected',
    status: a.status,
    reason: a.reason,
    retrying,
    ...(a.retryAfter === undefined ? {} : { retryAfter: a.retryAfter }),
    ...(a.minExpires === undefined ? {} : { minExpires: a.minExpires }),
  };
}
