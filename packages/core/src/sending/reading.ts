/** From what the wire gave to what a machine is told. */
import { addressTag, addressUri, splitAddresses } from '../address.js';
import type { Answer } from '../policy/answer.js';
import type { HeaderView, Outcome } from '../ports/sip.js';

/** Seconds of Expires, Min-Expires, Retry-After (which may carry a comment or parameters); undefined when unusable. */
export function readSeconds(value: string | undefined): number | undefined {
  const digits = value === undefined ? undefined : /^\s*(\d{1,10})(?![\w.])/.exec(value)?.[1];
  return digits === undefined ? undefined : Math.min(Number(digits), 0xffffffff);
}

export function readRecordRoute(headers: HeaderView): string[] {
  return headers.all('Record-Route').flatMap(splitAddresses);
}

export function readContacts(headers: HeaderView): string[] {
  return headers.all('Contact').flatMap(splitAddresses);
}

export function readContact(headers: HeaderView): string {
  const value = headers.get('Contact');
  return value === undefined ? '' : addressUri(splitAddresses(value)[0] ?? '');
}

/**
 * `sent`: one of the hops may have got the request. `cseq` is the last one of the operation, whatever became of it: a
 * dialog must not use it twice.
 */
export function answerOf(outcome: Outcome, method: string, sent: boolean, barredUntil: number, cseq: number): Answer {
  if (outcome.kind === 'timeout' || outcome.kind === 'unreachable') {
    const cause = outcome.kind === 'timeout' ? 'no answer' : outcome.cause.message;
    return { kind: 'unreachable', cause, sent, barredUntil, cseq };
  }
  const nothing = {
    etag: '',
    expires: undefined,
    minExpires: undefined,
    retryAfter: undefined,
    toTag: '',
    contact: '',
    recordRoute: [],
    binding: '',
  };
  if (outcome.kind === 'tooLarge') {
    // As a server would have said it: not tried again until the document changes.
    return {
      kind: 'response',
      status: 513,
      reason: `Message Too Large (over ${outcome.limit} bytes)`,
      barredUntil,
      cseq,
      ...nothing,
    };
  }
  const { status, reason, headers } = outcome;
  const dialog = method === 'SUBSCRIBE' && status < 300;
  return {
    kind: 'response',
    status,
    reason,
    barredUntil,
    cseq,
    etag: headers.get('SIP-ETag') ?? '',
    expires: readSeconds(headers.get('Expires')),
    minExpires: status === 423 ? readSeconds(headers.get('Min-Expires')) : undefined,
    retryAfter: status >= 300 ? readSeconds(headers.get('Retry-After')) : undefined,
    toTag: dialog ? addressTag(headers.get('To') ?? '') : '',
    contact: dialog ? readContact(headers) : '',
    recordRoute: dialog ? readRecordRoute(headers) : [],
    binding: outcome.binding === undefined ? '' : outcome.binding,
  };
}
