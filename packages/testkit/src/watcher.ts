import type { Headers, IncomingRequest, SipPort } from '@pua/core';
import { type Answer, ScriptedClient, type ScriptedClientOptions } from './sip/client.js';
import { cseqOf, deltaSeconds, listOf, parseAddress } from './sip/headers.js';
import { Waiters } from './sip/waiters.js';

/** One NOTIFY that a watcher accepted. */
export interface Notification {
  /** Clock time, milliseconds. */
  readonly at: number;
  readonly cseq: number;
  /** Subscription-State: `active`, `pending`, `terminated`; empty when the header is missing. */
  readonly state: string;
  readonly reason: string | undefined;
  /** Seconds. */
  readonly expires: number | undefined;
  readonly retryAfter: number | undefined;
  /** Content type; empty without a body. */
  readonly type: string;
  readonly body: string;
  readonly request: IncomingRequest;
}

export interface SubscribeOptions {
  /** Seconds. Default 3600. */
  readonly expires?: number;
  /** URI of the From. */
  readonly watcher?: string;
  readonly accept?: string;
  readonly headers?: Headers;
}

function parameter(value: string, name: string): string | undefined {
  return new RegExp(`;\\s*${name}\\s*=\\s*([^;\\s]+)`, 'i').exec(value)?.[1];
}

function notificationOf(request: IncomingRequest, at: number): Notification {
  const state = request.headers.get('Subscription-State') ?? '';
  return {
    at,
    cseq: cseqOf(request.headers.get('CSeq')),
    state: state.split(';', 1)[0]!.trim().toLowerCase(),
    reason: parameter(state, 'reason'),
    expires: deltaSeconds(parameter(state, 'expires')),
    retryAfter: deltaSeconds(parameter(state, 'retry-after')),
    type: request.body?.type ?? '',
    body: request.body?.text() ?? '',
    request,
  };
}

/** One subscription of a Watcher: a dialog, and what came in it. */
export class WatcherSubscription {
  readonly callId: string;
  /** In the order in which they came. */
  readonly notifications: Notification[] = [];
  /** The answer to the first SUBSCRIBE; undefined while it is on its way. */
  answer: Answer | undefined;
  readonly #client: ScriptedClient;
  readonly #presentity: string;
  readonly #event: string;
  readonly #options: SubscribeOptions;
  readonly #localTag: string;
  readonly #waiters: Waiters<Notification>;
  #remoteTag: string | undefined;
  #remoteTarget: string;
  #routes: readonly string[] = [];
  #cseq = 0;

  /** Made by Watcher.subscribe(). */
  constructor(client: ScriptedClient, presentity: string, event: string, options: SubscribeOptions) {
    const { random, clock } = client.sip;
    this.#client = client;
    this.#presentity = presentity;
    this.#remoteTarget = presentity;
    this.#event = event;
    this.#options = options;
    this.callId = random.token();
    this.#localTag = random.token();
    this.#waiters = new Waiters(clock);
  }

  /** Bodies that came, without the empty ones. */
  get documents(): string[] {
    return this.notifications.map(({ body }) => body).filter((body) => body !== '');
  }

  get last(): Notification | undefined {
    return this.notifications.at(-1);
  }

  /**
   * The first NOTIFY, past or future, that meets the condition.
   * @throws Error (by rejection) when none does within `ms`
   */
  async waitFor(matches: (notification: Notification) => boolean, ms: number): Promise<Notification> {
    const past = this.notifications.find(matches);
    const seen = () =>
      `${this.#event} of ${this.#presentity}: ${this.notifications.length} NOTIFYs, the last ${this.last?.state} ${this.last?.body}`;
    return past ?? this.#waiters.wait(matches, ms, seen);
  }

  /** A SUBSCRIBE in the dialog; seconds, default: as at first. */
  async refresh(expires = this.#options.expires ?? 3600): Promise<Answer> {
    const { watcher = 'sip:watcher@testkit.invalid', accept, headers = [] } = this.#options;
    // A challenge that is answered takes the second number.
    this.#cseq += 2;
    const answer = await this.#client.ask({
      method: 'SUBSCRIBE',
      uri: this.#remoteTarget,
      from: { uri: watcher, tag: this.#localTag },
      to: { uri: this.#presentity, ...(this.#remoteTag === undefined ? {} : { tag: this.#remoteTag }) },
      callId: this.callId,
      cseq: this.#cseq - 1,
      contact: true,
      routes: this.#routes,
      headers: [
        ['Event', this.#event],
        ['Expires', String(expires)],
        ...(accept ? [['Accept', accept] as const] : []),
        ...headers,
      ],
    });
    if (answer.status >= 200 && answer.status < 300) {
      const routes = listOf(answer.headers.all('Record-Route')).reverse();
      this.#learn(answer.headers.get('To'), answer.headers.get('Contact'), routes);
    }
    this.answer ??= answer;
    return answer;
  }

  /** SUBSCRIBE with Expires 0; the last NOTIFY comes afterwards. */
  unsubscribe(): Promise<Answer> {
    return this.refresh(0);
  }

  /** Takes a NOTIFY of this dialog. */
  accept(request: IncomingRequest): void {
    const { headers } = request;
    const { tag } = parseAddress(headers.get('From') ?? '');
    if (this.#remoteTag !== undefined && tag !== this.#remoteTag) {
      // Another fork.
      request.reply(481);
      return;
    }
    this.#learn(headers.get('From'), headers.get('Contact'), listOf(headers.all('Record-Route')));
    const notification = notificationOf(request, this.#client.sip.clock.now());
    request.reply(200);
    this.notifications.push(notification);
    this.#waiters.offer(notification);
  }

  /** The first message of the other side sets up the dialog, the remote target follows each (RFC 3261 12.2). */
  #learn(party: string | undefined, contact: string | undefined, routes: readonly string[]): void {
    if (this.#remoteTag === undefined) {
      this.#remoteTag = parseAddress(party ?? '').tag;
      this.#routes = routes;
    }
    if (contact !== undefined) this.#remoteTarget = parseAddress(contact).uri;
  }
}

export type WatcherOptions = Omit<ScriptedClientOptions, 'onRequest'>;

/**
 * A simple SIP watcher that shares no code with @pua/core, so that the two can check each other. It owns its port and
 * refreshes nothing by itself.
 */
export class Watcher {
  /** For other requests from the same port. */
  readonly client: ScriptedClient;
  readonly #subscriptions = new Map<string, WatcherSubscription>();

  constructor(options: WatcherOptions) {
    this.client = new ScriptedClient({ ...options, onRequest: (request) => this.#receive(request) });
  }

  get sip(): SipPort {
    return this.client.sip;
  }

  start(): Promise<void> {
    return this.client.start();
  }

  stop(): Promise<void> {
    return this.client.stop();
  }

  /** Sends the SUBSCRIBE and returns when it is answered: whatever the answer is, it stands in `answer`. */
  async subscribe(presentity: string, event: string, options: SubscribeOptions = {}): Promise<WatcherSubscription> {
    const subscription = new WatcherSubscription(this.client, presentity, event, options);
    this.#subscriptions.set(subscription.callId, subscription);
    await subscription.refresh();
    return subscription;
  }

  #receive(request: IncomingRequest): void {
    const subscription = this.#subscriptions.get(request.headers.get('Call-ID') ?? '');
    if (request.method !== 'NOTIFY') request.pass();
    else if (subscription) subscription.accept(request);
    else request.reply(481);
  }
}
