/**
 * drachtio-server binds a subscription's dialog for ever to the link that it was made on: once that is gone, the server
 * answers NOTIFYs with 481 and nobody hears of them, though refreshes still work. So such a subscription is given up, and
 * core, told that it was deactivated, makes a new one (RFC 6665 4.1.3):
 *
 *   (link lost and back, or a refresh that the server did in a dialog of an earlier run of ours)
 *   => NOTIFY terminated;reason=deactivated     made here, for core alone
 *   SUBSCRIBE, Expires: 0 ->                    in the old dialog, so that notifier and server forget it
 */
import type { Clock, IncomingRequest, Outcome, OutgoingRequest } from '@pua/core';
import { RawMessage, tagOf } from './raw.js';

interface Subscription {
  readonly id: string;
  readonly request: OutgoingRequest;
  readonly remoteTag: string;
  /** Clock time after which it is over if nobody refreshed it. */
  readonly until: number;
}

type Response = Extract<Outcome, { kind: 'response' }>;

export interface SubscriptionsHost {
  readonly clock: Clock;
  handle(request: IncomingRequest): void;
  /** Sends a request in a dialog of the server's, or not at all. */
  unsubscribe(request: OutgoingRequest, done: () => void): void;
}

/** RFC 6665 4.1.2.2: so answered, the subscription is over. */
const OVER: ReadonlySet<number> = new Set([404, 405, 410, 416, 480, 481, 482, 483, 484, 485, 489, 501, 604]);
const DEFAULT_SECONDS = 3600;
/** So many old dialogs are ended at a time. */
const WINDOW = 20;
/** Dialogs end with it: whatever number came last was lower. */
const LAST_CSEQ = 2 ** 31 - 1;

/** drachtio-server's name of a dialog. */
export const dialogId = (callId: string, localTag: string): string => `${callId};from-tag=${localTag}`;

export class Subscriptions {
  readonly #host: SubscriptionsHost;
  /** Those of the link that is up; which was refreshed last stands last. */
  readonly #bound = new Map<string, Subscription>();
  #lost: Subscription[] = [];
  #ending = 0;

  constructor(host: SubscriptionsHost) {
    this.#host = host;
  }

  /**
   * A SUBSCRIBE was answered; `inside`: in a dialog that the server had. False when the subscription has been accepted,
   * but its NOTIFYs won't come.
   */
  answered(request: OutgoingRequest, { status, headers }: Response, inside: boolean): boolean {
    const id = dialogId(request.callId, request.from.tag);
    if (status >= 300) {
      if (OVER.has(status)) this.#bound.delete(id);
      return true;
    }
    const known = this.#bound.delete(id);
    const asked = request.headers.find(([name]) => name.toLowerCase() === 'expires')?.[1];
    const seconds = Number.parseInt(headers.get('Expires') ?? asked ?? String(DEFAULT_SECONDS), 10);
    if (!(seconds > 0)) return true;
    const subscription = this.#bind(id, request, request.to.tag ?? tagOf(headers.get('To')) ?? '', seconds);
    if (!inside || known) return true;
    this.#bound.delete(id);
    this.#lost.push(subscription);
    return false;
  }

  /** A NOTIFY `terminated` came in the dialog. */
  terminated(callId: string, localTag: string): void {
    this.#bound.delete(dialogId(callId, localTag));
  }

  linkLost(): void {
    const now = this.#host.clock.now();
    this.#lost.push(...[...this.#bound.values()].filter(({ until }) => until >= now));
    this.#bound.clear();
  }

  /** Gives up what was lost, some at a time. */
  renew(): void {
    while (this.#ending < WINDOW) {
      const next = this.#lost.shift();
      if (!next) return;
      this.#ending++;
      this.#host.handle(deactivated(next));
      this.#host.unsubscribe(ending(next), () => {
        this.#ending--;
        this.renew();
      });
    }
  }

  forget(): void {
    this.#bound.clear();
    this.#lost = [];
  }

  #bind(id: string, request: OutgoingRequest, remoteTag: string, seconds: number): Subscription {
    const now = this.#host.clock.now();
    const subscription = { id, request, remoteTag, until: now + seconds * 1000 };
    this.#bound.set(id, subscription);
    // What nobody ended and nobody refreshes would stay here for ever.
    for (const [old, { until }] of this.#bound) {
      if (until >= now) break;
      this.#bound.delete(old);
    }
    return subscription;
  }
}

/** What a request in a dialog is sent to when the server shall say it. */
const REMOTE_TARGET = 'sip:placeholder';

function ending({ request, remoteTag }: Subscription): OutgoingRequest {
  const headers = request.headers.filter(([name]) => name.toLowerCase() !== 'expires');
  return {
    ...request,
    uri: REMOTE_TARGET,
    to: { uri: request.to.uri, tag: remoteTag },
    headers: [...headers, ['Expires', '0']],
  };
}

function deactivated({ request, remoteTag }: Subscription): IncomingRequest {
  const { callId, from, to, hop, contact = from.uri } = request;
  const event = request.headers.find(([name]) => /^(?:event|o)$/i.test(name))?.[1] ?? '';
  const headers = new RawMessage(
    [
      `NOTIFY ${contact} SIP/2.0`,
      `From: <${to.uri}>;tag=${remoteTag}`,
      `To: <${from.uri}>;tag=${from.tag}`,
      `Call-ID: ${callId}`,
      `CSeq: ${LAST_CSEQ} NOTIFY`,
      `Event: ${event}`,
      'Subscription-State: terminated;reason=deactivated',
    ].join('\r\n'),
  );
  // Nobody waits for an answer.
  const ignored = () => undefined;
  return { method: 'NOTIFY', uri: contact, headers, source: hop, toTag: from.tag, reply: ignored, pass: ignored };
}
