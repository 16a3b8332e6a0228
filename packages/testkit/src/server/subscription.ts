import type { Hop, ReceivedBody } from '@pua/core';
import type { Expiring } from './deadlines.js';

/** One subscription as a test may look at it. */
export interface ServerSubscription {
  readonly presentity: string;
  /** Event header as the subscriber wrote it, `id` included: goes into every NOTIFY. */
  readonly event: string;
  /** URI of the subscriber's From. */
  readonly watcher: string;
  readonly callId: string;
  readonly localTag: string;
  readonly remoteTag: string;
  readonly remoteTarget: string;
  /** In order of use: the Record-Route of the SUBSCRIBE. */
  readonly routeSet: readonly string[];
  readonly state: 'active' | 'pending' | 'terminated';
  /** Clock time, milliseconds. */
  readonly expiresAt: number;
  /** CSeq of the last SUBSCRIBE and of the last NOTIFY. */
  readonly remoteCseq: number;
  readonly notifyCseq: number;
}

export interface StoredSubscription extends ServerSubscription, Expiring {
  expiresAt: number;
  readonly key: string;
  /** URI of the To of the SUBSCRIBE: From of the NOTIFYs. */
  readonly localUri: string;
  localTag: string;
  /** User part of our Contact. */
  readonly contactUser: string;
  remoteTarget: string;
  /** Where the last SUBSCRIBE came from. */
  flow: Hop;
  state: 'active' | 'pending' | 'terminated';
  remoteCseq: number;
  notifyCseq: number;
  /** May the watcher see the document? Not while the subscription is pending. */
  authorized: boolean;
  /** NOTIFYs on their way; the next one waits for their answers. */
  inFlight: number;
  /** Value of Subscription-State of the NOTIFY that waits; '' = as it is then. */
  waiting: string | undefined;
  /** Called when the next NOTIFY is settled. */
  onAnswered: (() => void) | undefined;
}

/** One NOTIFY that was to be sent. */
export interface NotifyRecord {
  /** Clock time, milliseconds. */
  readonly at: number;
  readonly subscription: ServerSubscription;
  readonly cseq: number;
  /** Value of Subscription-State. */
  readonly state: string;
  readonly body: ReceivedBody | string | undefined;
  /** Status of the answer, `timeout`, `unreachable`, or `lost` (by loseNotifies); undefined: on its way. */
  outcome: number | string | undefined;
}

/** Answers that end a subscription, RFC 6665 4.2.2. */
export function endsSubscription(status: number): boolean {
  return (status >= 480 && status <= 485) || [404, 405, 410, 416, 489, 501, 604].includes(status);
}
