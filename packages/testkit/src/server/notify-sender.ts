import type { Body, Headers, Hop, Outcome, ReceivedBody, SipPort } from '@pua/core';
import { parseAddress } from '../sip/headers.js';
import { BoundedLog } from './record.js';
import type { NotifyRecord, ServerSubscription, StoredSubscription } from './subscription.js';

export interface NotifyOptions {
  /** Value of Subscription-State; default: the state as it is, with `expires`. */
  readonly state?: string;
  /** Default: the document as it is; null: none. */
  readonly body?: Body | null;
  readonly headers?: Headers;
  /** Another CSeq than the next one; the dialog's own count stays. */
  readonly cseq?: number;
}

export interface LoseRule {
  /** Default 1. */
  readonly times?: number;
  readonly where?: (subscription: ServerSubscription) => boolean;
}

export type Sent = Outcome | { readonly kind: 'lost' };

/** What a WebSocket client calls itself (RFC 7118 5): it is reached over the connection on which it came. */
const ONLY_ITS_FLOW = /\.invalid(?:[:;?]|$)/i;

/** Sends the NOTIFYs of a notifier, each in its dialog, and keeps a log of them. */
export class NotifySender {
  readonly #sip: SipPort;
  readonly #recordRoute: readonly string[];
  readonly #log: BoundedLog<NotifyRecord>;
  #lose: { left: number; where: (subscription: ServerSubscription) => boolean }[] = [];

  constructor(sip: SipPort, recordRoute: readonly string[], logLimit: number) {
    this.#sip = sip;
    this.#recordRoute = recordRoute;
    this.#log = new BoundedLog(logLimit);
  }

  log(): NotifyRecord[] {
    return this.#log.all();
  }

  clearLog(): void {
    this.#log.clear();
  }

  /** The next NOTIFYs get a CSeq but never reach the wire. */
  lose({ times = 1, where = () => true }: LoseRule): void {
    this.#lose.push({ left: times, where });
  }

  /** Sends one NOTIFY now; `done` hears what became of it. */
  send(
    subscription: StoredSubscription,
    state: string,
    document: ReceivedBody | undefined,
    options: NotifyOptions,
    done: (outcome: Sent) => void,
  ): void {
    const cseq = options.cseq ?? ++subscription.notifyCseq;
    const body = options.body === undefined ? toBody(document) : (options.body ?? undefined);
    const record: NotifyRecord = {
      at: this.#sip.clock.now(),
      subscription,
      cseq,
      state,
      body: options.body === undefined ? document : textOf(options.body),
      outcome: undefined,
    };
    this.#log.push(record);
    const finish = (outcome: Sent) => {
      record.outcome = outcome.kind === 'response' ? outcome.status : outcome.kind;
      done(outcome);
    };
    if (this.#isLost(subscription)) {
      this.#sip.clock.after(0, () => finish({ kind: 'lost' }));
      return;
    }
    this.#resolve(subscription, (hop) => {
      if (!hop) {
        finish({ kind: 'unreachable', cause: new Error(`no address for ${subscription.remoteTarget}`), sent: false });
        return;
      }
      this.#sip.request(
        {
          method: 'NOTIFY',
          uri: subscription.remoteTarget,
          callId: subscription.callId,
          cseq,
          from: { uri: subscription.localUri, tag: subscription.localTag },
          to: { uri: subscription.watcher, tag: subscription.remoteTag },
          routes: subscription.routeSet,
          contact: this.#sip.contact(subscription.contactUser, hop),
          headers: [
            ['Event', subscription.event],
            ['Subscription-State', state],
            ...this.#recordRoute.map((route): [string, string] => ['Record-Route', route]),
            ...(options.headers ?? []),
          ],
          ...(body ? { body } : {}),
          hop,
        },
        finish,
      );
    });
  }

  #isLost(subscription: ServerSubscription): boolean {
    const rule = this.#lose.find(({ where }) => where(subscription));
    if (!rule) return false;
    rule.left--;
    this.#lose = this.#lose.filter(({ left }) => left > 0);
    return true;
  }

  #resolve(subscription: StoredSubscription, use: (hop: Hop | undefined) => void): void {
    const [route] = subscription.routeSet;
    const uri = route ? parseAddress(route).uri : subscription.remoteTarget;
    if (ONLY_ITS_FLOW.test(uri)) {
      use(subscription.flow);
      return;
    }
    try {
      const hops = this.#sip.resolve(uri);
      if (hops instanceof Promise) {
        hops.then(
          ([hop]) => use(hop),
          () => use(undefined),
        );
      } else use(hops[0]);
    } catch {
      use(undefined);
    }
  }
}

function toBody(document: ReceivedBody | undefined): Body | undefined {
  return document && { type: document.type, content: document.bytes };
}

function textOf(body: Body | null): string | undefined {
  if (!body) return undefined;
  return typeof body.content === 'string' ? body.content : Buffer.from(body.content).toString('utf8');
}
