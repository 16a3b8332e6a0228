import type { Headers, ReceivedBody, SipPort } from '@pua/core';
import { addressOfRecord, cseqOf, eventKey, listOf, parseAddress } from '../sip/headers.js';
import { Dialogs } from './dialogs.js';
import { resourceKey } from './event-state.js';
import { type ExpiresLimits, grantOf } from './limits.js';
import { type NotifyOptions, NotifySender, type Sent } from './notify-sender.js';
import type { EventPackages } from './packages.js';
import type { RequestRecord, Verdict } from './record.js';
import type { Shape } from './script.js';
import { endsSubscription, type ServerSubscription, type StoredSubscription } from './subscription.js';

export interface NotifierOptions {
  readonly sip: SipPort;
  readonly packages: EventPackages;
  readonly limits: ExpiresLimits;
  readonly responsibleFor: (addressOfRecord: string) => boolean;
  readonly document: (key: string) => ReceivedBody | undefined;
  readonly initialState: () => 'active' | 'pending';
  /** In the subscriber's route-set order. */
  readonly recordRoute: readonly string[];
  readonly logLimit: number;
}

/** Only lifetimes below one hour can be too brief, RFC 6665 4.2.1.1. */
const ONE_HOUR = 3600;
/** How long a 2xx waits for the answer to a NOTIFY that goes first. */
const NOTIFY_FIRST_MS = 500;
const TIMED_OUT = 'terminated;reason=timeout';

/**
 * Notifier of RFC 6665 section 4.2.
 *
 *     SUBSCRIBE             ->
 *                           <-   200, To tag, Contact, Expires
 *                           <-   NOTIFY active;expires=...      at once, and at each change
 *     SUBSCRIBE, Expires: 0 ->
 *                           <-   200, Expires: 0
 *                           <-   NOTIFY terminated;reason=timeout
 */
export class Notifier {
  readonly sender: NotifySender;
  readonly #options: NotifierOptions;
  readonly #dialogs: Dialogs;

  constructor(options: NotifierOptions) {
    this.#options = options;
    this.sender = new NotifySender(options.sip, options.recordRoute, options.logLimit);
    this.#dialogs = new Dialogs(options.sip.clock, (subscription) =>
      this.terminate(subscription, { reason: 'timeout' }),
    );
  }

  get size(): number {
    return this.#dialogs.size;
  }

  subscriptions(): ServerSubscription[] {
    return [...this.#dialogs];
  }

  /** Forgets everything, silently. */
  clear(): void {
    for (const subscription of this.#dialogs) subscription.state = 'terminated';
    this.#dialogs.clear();
  }

  handle(record: RequestRecord, shape: Shape | undefined): Verdict {
    const event = eventKey(record.headers.get('Event'));
    if (event === undefined || !this.#options.packages.contentTypes(event)) {
      return { status: 489, headers: [this.#options.packages.allowEvents()] };
    }
    const grant = grantOf(record, this.#options.limits, ONE_HOUR);
    if ('tooBrief' in grant) return { status: 423, headers: [['Min-Expires', String(grant.tooBrief)]] };
    const lifetime = shape?.grant ?? grant.granted;

    const localTag = parseAddress(record.headers.get('To') ?? '').tag;
    if (localTag === undefined) return this.#create(record, event, lifetime, shape);
    return this.#refresh(record, localTag, event, lifetime, shape);
  }

  /** Watchers of this key see another document. */
  changed(key: string): void {
    for (const subscription of this.#dialogs.watching(key)) this.#notify(subscription);
  }

  /** Pending becomes active, and the subscriber is told. */
  approve(subscription: ServerSubscription): void {
    const stored = this.#known(subscription);
    stored.state = 'active';
    stored.authorized = true;
    this.#notify(stored);
  }

  /** Ends a subscription with a NOTIFY; what waited is not sent any more. */
  terminate(subscription: ServerSubscription, how: { reason?: string; retryAfter?: number }): void {
    const stored = this.#known(subscription);
    stored.state = 'terminated';
    this.#dialogs.remove(stored);
    const reason = how.reason === undefined ? '' : `;reason=${how.reason}`;
    const retryAfter = how.retryAfter === undefined ? '' : `;retry-after=${how.retryAfter}`;
    this.#notify(stored, `terminated${reason}${retryAfter}`);
  }

  /** One more NOTIFY, at once, whether another is on its way or not. */
  extra(subscription: ServerSubscription, options: NotifyOptions): Promise<Sent> {
    const stored = subscription as StoredSubscription;
    return new Promise((done) => this.#send(stored, options.state ?? this.#stateOf(stored), options, done));
  }

  #known(subscription: ServerSubscription): StoredSubscription {
    const { callId, localTag, remoteTag } = subscription;
    const stored = this.#dialogs.find(callId, localTag, remoteTag);
    if (!stored) throw new Error(`no such subscription (Call-ID ${callId}): it has ended`);
    return stored;
  }

  #create(record: RequestRecord, event: string, lifetime: number, shape: Shape | undefined): Verdict {
    const { headers } = record;
    const presentity = addressOfRecord(record.uri);
    if (!this.#options.responsibleFor(presentity)) return { status: 404 };
    const [contact] = listOf(headers.all('Contact'));
    if (contact === undefined) return { status: 400, reason: 'No Contact' };
    const from = parseAddress(headers.get('From') ?? '');
    const { random } = this.#options.sip;
    const state = this.#options.initialState();
    const subscription: StoredSubscription = {
      key: resourceKey(presentity, event),
      presentity,
      event: headers.get('Event')!,
      watcher: from.uri,
      callId: headers.get('Call-ID') ?? '',
      localUri: parseAddress(headers.get('To') ?? '').uri,
      localTag: '',
      contactUser: random.token(),
      remoteTag: from.tag ?? '',
      remoteTarget: parseAddress(contact).uri,
      flow: record.source,
      routeSet: listOf(headers.all('Record-Route')),
      state,
      authorized: state === 'active',
      expiresAt: 0,
      remoteCseq: cseqOf(headers.get('CSeq')),
      notifyCseq: 0,
      inFlight: 0,
      waiting: undefined,
      onAnswered: undefined,
      heapIndex: -1,
    };
    const after = (localTag: string) => {
      subscription.localTag = localTag;
      if (lifetime > 0) {
        this.#dialogs.add(subscription);
        this.#prolong(subscription, lifetime);
      } else subscription.state = 'terminated';
      this.#notify(subscription, lifetime > 0 ? undefined : TIMED_OUT);
    };
    return { ...this.#accept(record, subscription, lifetime, shape), after };
  }

  #refresh(
    record: RequestRecord,
    localTag: string,
    event: string,
    lifetime: number,
    shape: Shape | undefined,
  ): Verdict {
    const { headers } = record;
    const { tag: remoteTag = '' } = parseAddress(headers.get('From') ?? '');
    const subscription = this.#dialogs.find(headers.get('Call-ID') ?? '', localTag, remoteTag);
    if (!subscription) return { status: 481 };
    const cseq = cseqOf(headers.get('CSeq'));
    // Out of order, RFC 3261 12.2.2.
    if (!(cseq > subscription.remoteCseq)) return { status: 500, reason: 'CSeq Out Of Order' };
    subscription.remoteCseq = cseq;
    subscription.flow = record.source;
    if (eventKey(subscription.event) !== event || idOf(subscription.event) !== idOf(headers.get('Event')!)) {
      // RFC 6665 4.5.2
      return { status: 403, reason: 'Dialog Sharing Is Not Supported' };
    }
    const [contact] = listOf(headers.all('Contact'));
    if (contact !== undefined) subscription.remoteTarget = parseAddress(contact).uri;
    const after = () => {
      if (lifetime > 0) this.#prolong(subscription, lifetime);
      else {
        subscription.state = 'terminated';
        this.#dialogs.remove(subscription);
      }
      this.#notify(subscription, lifetime > 0 ? undefined : TIMED_OUT);
    };
    return { ...this.#accept(record, subscription, lifetime, shape), after };
  }

  #prolong(subscription: StoredSubscription, lifetime: number): void {
    this.#dialogs.expireAt(subscription, this.#options.sip.clock.now() + lifetime * 1000);
  }

  /** The 2xx, as far as creation and refresh have it in common. */
  #accept(
    record: RequestRecord,
    subscription: StoredSubscription,
    lifetime: number,
    shape: Shape | undefined,
  ): Verdict {
    const headers: Headers = [
      ...[...this.#options.recordRoute].reverse().map((route): [string, string] => ['Record-Route', route]),
      ['Contact', `<${this.#options.sip.contact(subscription.contactUser, record.source)}>`],
      ['Expires', String(lifetime)],
    ];
    if (!shape?.notifyFirst) return { status: 200, headers };
    const holds = (release: () => void) => {
      const timer = this.#options.sip.clock.after(NOTIFY_FIRST_MS, release);
      subscription.onAnswered = () => {
        timer.cancel();
        release();
      };
    };
    return { status: 200, headers, holds };
  }

  #stateOf(subscription: StoredSubscription): string {
    if (subscription.state === 'terminated') return TIMED_OUT;
    // A millisecond less: the sum of fractions may be a little more than what was granted.
    const left = Math.ceil((subscription.expiresAt - this.#options.sip.clock.now() - 1) / 1000);
    return `${subscription.state};expires=${Math.max(left, 0)}`;
  }

  /** One NOTIFY at a time per subscription: what changes meanwhile goes with the next one, the end last. */
  #notify(subscription: StoredSubscription, state?: string): void {
    if (subscription.inFlight > 0) {
      subscription.waiting = state ?? subscription.waiting ?? '';
      return;
    }
    this.#send(subscription, state ?? this.#stateOf(subscription), {}, () => undefined);
  }

  #send(subscription: StoredSubscription, state: string, options: NotifyOptions, done: (sent: Sent) => void): void {
    subscription.inFlight++;
    const document = subscription.authorized ? this.#options.document(subscription.key) : undefined;
    this.sender.send(subscription, state, document, options, (sent) => {
      subscription.inFlight--;
      subscription.onAnswered?.();
      subscription.onAnswered = undefined;
      if (sent.kind === 'timeout' || (sent.kind === 'response' && endsSubscription(sent.status))) {
        subscription.state = 'terminated';
        subscription.waiting = undefined;
        this.#dialogs.remove(subscription);
      }
      const { waiting } = subscription;
      if (subscription.inFlight === 0) subscription.waiting = undefined;
      if (subscription.inFlight === 0 && waiting !== undefined && (waiting !== '' || this.#dialogs.has(subscription))) {
        this.#notify(subscription, waiting === '' ? undefined : waiting);
      }
      done(sent);
    });
  }
}

function idOf(event: string): string | undefined {
  return /;\s*id\s*=\s*([^;\s]+)/i.exec(event)?.[1];
}
