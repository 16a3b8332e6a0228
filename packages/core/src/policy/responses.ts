/**
 * The response policy as data: which row an answer belongs to. What a row means for a publication or a subscription
 * stands in their machines; challenges, redirects and other routes are dealt with before (sending/sender.ts), so a
 * 401 or 302 that reaches a machine is one that could not be answered or followed.
 */

export type ResponseRow =
  /** 2xx */
  | 'accepted'
  /** 401, 407: no credentials, or wrong ones: slow retry */
  | 'unauthorized'
  /** 408, 5xx, timeout, transport error: keep everything, back off */
  | 'unavailable'
  /** 412: the server does not know the entity-tag */
  | 'lost'
  /** 423: longer lifetime wanted */
  | 'brief'
  /** 481: no such dialog */
  | 'no-dialog'
  /** 491: somebody else's request is pending: 0..10 s */
  | 'pending'
  /** 403, 404, 410, 603 and every other 3xx, 4xx, 6xx: long retry */
  | 'refused'
  /** 405, 406, 415 ...: the same request will never do; not retried until the owner changes something */
  | 'unsupported';

const UNSUPPORTED = new Set([405, 406, 415, 489, 501, 505, 513]);
/** RFC 6665 4.1.2.2: a refresh so answered means that the subscription is over. */
const OVER = new Set([404, 405, 410, 416, 480, 481, 482, 483, 484, 485, 489, 501, 604]);
/** RFC 3261 20.33 names them; 503 concerns the route instead and is kept there. */
const RETRY_AFTER = new Set([404, 413, 480, 486, 500, 600, 603]);
/** What ends a removal: the server holds nothing (any more). */
const REMOVED = new Set([404, 410, 412, 481]);

export function responseRow(status: number): ResponseRow {
  if (status < 300) return 'accepted';
  switch (status) {
    case 401:
    case 407:
      return 'unauthorized';
    case 408:
      return 'unavailable';
    case 412:
      return 'lost';
    case 423:
      return 'brief';
    case 481:
      return 'no-dialog';
    case 491:
      return 'pending';
  }
  if (UNSUPPORTED.has(status)) return 'unsupported';
  return status >= 500 && status < 600 ? 'unavailable' : 'refused';
}

export const endsSubscription = (status: number): boolean => OVER.has(status);
export const honoursRetryAfter = (status: number): boolean => RETRY_AFTER.has(status);
export const endsRemoval = (status: number): boolean => status < 300 || REMOVED.has(status);
