/** A subscription as a record: its machine's effects, its SUBSCRIBE, its row, and the NOTIFYs of its dialog. */
import { addressUri } from '../address.js';
import type { NotifyHandler, PuaRecord } from '../api.js';
import type { Answer } from '../policy/answer.js';
import type { Headers, Hop } from '../ports/sip.js';
import type { PuaRow } from '../ports/store.js';
import { type Host, type Identity, RecordBase } from '../record.js';
import type { Draft } from '../sending/job.js';
import { alive, forkOf, resent } from './parts.js';
import { type SubscriptionSettings, writeColumns } from './row.js';
import { type NotifyInput, Subscription, type SubscriptionEffect, type SubscriptionInput } from './state.js';
import { stepSubscription } from './table.js';

type Send = Extract<SubscriptionEffect, { kind: 'send' }>;
const TIMER = { kind: 'timer' } as const;

export interface SubscriptionParts {
  readonly settings: SubscriptionSettings;
  extraHeaders: Headers;
  outboundProxy: string;
}

/** Receives the verdict on a NOTIFY. */
export interface NotifyTurn extends NotifyInput {
  readonly verdict: (status: 200 | 481 | 500) => void;
}

export class SubscriptionRecord extends RecordBase<SubscriptionInput | NotifyTurn> {
  readonly kind = 'subscription';
  state: Readonly<Subscription>;
  extraHeaders: Headers;
  outboundProxy: string;
  readonly settings: SubscriptionSettings;
  onNotify: NotifyHandler | undefined;
  #send: Send | null = null;
  #turnedBy: NotifyTurn | null = null;
  /** The hop was looked for in the dialog. */
  #routedInDialog = false;

  constructor(
    host: Host,
    identity: Identity,
    parts: SubscriptionParts,
    state: Readonly<Subscription> = new Subscription(),
  ) {
    super(host, identity, '');
    this.state = state;
    this.settings = parts.settings;
    this.extraHeaders = parts.extraHeaders;
    this.outboundProxy = parts.outboundProxy;
    if (state.callId !== '') host.indexed(this, state.callId, '');
  }

  /**
   * Another notifier answers our SUBSCRIBE, and all of them are wanted: a dialog of its own, which its NOTIFY is about
   * to establish. Null: it gets 481, like a NOTIFY to whoever takes the first notifier only.
   */
  branch(remoteTag: string): SubscriptionRecord | null {
    const s = this.state;
    const { settings, identity, host, extraHeaders, outboundProxy } = this;
    const context = host.context();
    const first = !s.confirmed || s.remoteTag === remoteTag || s.callId === '';
    // After Timer N none is taken any more (RFC 6665 4.1.2.4).
    const late = context.now - s.openedAt > 64 * context.policy.t1;
    if (settings.forks === 'first' || settings.fork || first || late || s.end || s.fetch) return null;
    const { key } = identity;
    const branched = new SubscriptionRecord(
      host,
      { ...identity, key: `${key}|fork|${remoteTag}` },
      { settings: { ...settings, fork: { origin: key, remoteTag } }, extraHeaders, outboundProxy },
      forkOf(s, remoteTag, context),
    );
    branched.cbParam = this.cbParam;
    branched.onNotify = this.onNotify;
    return branched;
  }

  /** `pua_update_contact()` */
  retarget(remoteTarget: string): void {
    this.#change('remoteTarget', remoteTarget);
  }

  /** The socket that serves the hop decides where NOTIFYs come in, so another hop may mean another Contact. */
  override redraft(draft: Draft, hop: Hop): Draft {
    const state = this.state.copy();
    resent(state, this.host.context());
    this.state = state;
    if (state.ownContact !== '') return draft;
    const contact = this.host.sip.contact(this.state.localTag, hop);
    if (contact === draft.contact) return draft;
    this.#change('contact', contact);
    return { ...draft, contact };
  }

  #change(field: 'remoteTarget' | 'contact', value: string): void {
    const state = this.state.copy();
    state[field] = value;
    this.state = state;
    if (!state.fetch) this.host.persist(this);
  }

  protected turn(input: SubscriptionInput | NotifyTurn): void {
    const before = this.state;
    if (before.phase === 'ended') {
      if (input.kind === 'notify') (input as NotifyTurn).verdict(481);
      if (input.kind !== 'subscribe' && input.kind !== 'unsubscribe') return;
      const fresh = new Subscription();
      fresh.wish = before.wish;
      this.state = fresh;
    }
    const out: SubscriptionEffect[] = [];
    this.state = stepSubscription(this.state, input, this.host.context(), out);
    if (this.state.callId !== before.callId) this.host.indexed(this, this.state.callId, before.callId);
    this.#turnedBy = input.kind === 'notify' ? (input as NotifyTurn) : null;
    for (const effect of out) {
      if (effect.kind === 'send') this.#send = effect;
      else if (effect.kind === 'notified') this.#turnedBy?.verdict(effect.status);
      // A fetch keeps nothing.
      else if (effect.kind !== 'persist' || !(before.fetch || this.state.fetch)) this.apply(effect);
    }
  }

  protected useSlot(hop: Hop): Draft | null {
    const { random } = this.host.sip;
    const localTag = this.#inDialog() ? this.state.localTag : random.token();
    // The local tag as user part makes the Contact the dialog's own, and constant in it.
    const contact = this.host.sip.contact(localTag, hop);
    this.receive({ kind: 'slot', contact, callId: random.token(), localTag });
    const send = this.#send;
    this.#send = null;
    return send ? this.#subscribe(send) : null;
  }

  protected answerInput(answer: Answer): SubscriptionInput {
    return { kind: 'answer', answer };
  }

  protected timerInput(): SubscriptionInput {
    return TIMER;
  }

  protected endInput(): SubscriptionInput {
    return { kind: 'unsubscribe', op: null };
  }

  #inDialog(): boolean {
    return alive(this.state, this.host.context().now);
  }

  /** The dialog has ended while it waited, or a late NOTIFY has established it. */
  protected override rerouted(): boolean {
    return this.#inDialog() !== this.#routedInDialog;
  }

  routes(): readonly string[] {
    const s = this.state;
    this.#routedInDialog = this.#inDialog();
    if (this.#routedInDialog)
      return [s.routeSet[0] ? addressUri(s.routeSet[0]) : s.remoteTarget || this.settings.requestUri];
    if (s.preloadedRoutes[0]) return [addressUri(s.preloadedRoutes[0])];
    if (this.outboundProxy !== '') return [this.outboundProxy];
    return this.host.outboundProxies.length > 0 ? this.host.outboundProxies : [this.settings.requestUri];
  }

  #subscribe(send: Send): Draft {
    const s = this.state;
    const { watcherUri, event } = this.identity;
    const opening = send.request === 'initial' || send.request === 'fetch';
    const target = opening ? this.settings.requestUri : s.remoteTarget || this.settings.requestUri;
    const { uri, routes } = routed(target, opening ? s.preloadedRoutes : s.routeSet);
    const headers: [string, string][] = [
      ['Event', event.name],
      ['Expires', String(send.expires)],
    ];
    const accept = event.accept ?? event.contentType;
    if (accept) headers.push(['Accept', accept]);
    for (const [name, value] of this.extraHeaders) headers.push([name, value]);
    return {
      method: 'SUBSCRIBE',
      uri,
      callId: s.callId,
      cseq: s.cseq,
      from: { uri: watcherUri, tag: s.localTag },
      to: opening ? { uri: this.settings.toUri } : { uri: this.settings.toUri, tag: s.remoteTag },
      routes,
      contact: s.contact,
      headers,
      binding: s.binding || undefined,
    };
  }

  row(): PuaRow | null {
    if (this.state.phase === 'ended') return null;
    const row = this.blankRow();
    row.outbound_proxy = this.outboundProxy || null;
    writeColumns(row, this.state, this.settings, this.extraHeaders, this.host.wallClock());
    return row;
  }

  show(): PuaRecord {
    const { callId, remoteTag, localTag, cseq, routeSet, contact, remoteTarget, status } = this.state;
    const view = this.blankView();
    view.callId = callId;
    view.toTag = remoteTag;
    view.fromTag = localTag;
    view.cseq = cseq;
    view.extraHeaders = this.extraHeaders;
    view.routeSet = routeSet;
    view.contact = contact;
    view.remoteContact = remoteTarget;
    view.outboundProxy = this.outboundProxy;
    view.subscriptionState = status;
    return view;
  }
}

/** RFC 3261 12.2.1.1: a first route without `lr` is a strict router, it takes the place of the Request-URI. */
function routed(target: string, routes: readonly string[]): { uri: string; routes: readonly string[] } {
  const first = routes[0] === undefined ? '' : addressUri(routes[0]);
  if (first === '' || /;lr(?=[;=>?]|$)/i.test(first)) return { uri: target, routes };
  return { uri: first, routes: [...routes.slice(1), `<${target}>`] };
}
