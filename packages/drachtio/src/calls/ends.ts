/** Why calls end, as RFC 4235 3.7.1 has it. */
import type { DialogReason } from '@pua/core';
import { RawMessage, tagOf } from '../raw.js';
import type { SrfMessage } from '../srf.js';
import type { Side } from './call.js';

/** The SipError of drachtio-srf. */
interface Rejection {
  readonly status?: number;
  readonly res?: SrfMessage & { readonly status: number };
}

/** What createB2BUA() was rejected with: a final answer, or something that went wrong on the way. */
export function failureOf(error: unknown): DialogReason {
  const { status, res } = (error ?? {}) as Rejection;
  if (status === 487) return { event: 'cancelled', code: status };
  if (status === undefined || status !== res?.status) return { event: 'error' };
  // Every final answer of a peer has a To tag (RFC 3261 8.2.6.2). One without is the server's own.
  const own = tagOf(new RawMessage(res.raw).get('To')) === undefined;
  if (!own) return { event: 'rejected', code: status };
  return { event: status === 408 ? 'timeout' : 'error', code: status };
}

/** `source` is `application` for a BYE that drachtio-server itself has sent, because something did not come. */
export function byeOf(bye: SrfMessage & { readonly source: string }, side: Side): DialogReason {
  const timeout = bye.source === 'application' && /timeout/i.test(new RawMessage(bye.raw).get('Reason') ?? '');
  return timeout ? { event: 'timeout' } : { event: 'bye', by: side };
}
