/** The two machines without a shell: tests say what comes in and read what goes out. */
import type { Reply } from '../../dist/api.js';
import type { Answer, ResponseAnswer } from '../../dist/policy/answer.js';
import { DEFAULT_POLICY, type Policy } from '../../dist/policy/policy.js';
import {
  Publication,
  type PublicationEffect,
  type PublicationInput,
  type PublishInput,
} from '../../dist/publication/state.js';
import { stepPublication } from '../../dist/publication/table.js';
import {
  type NotifyInput,
  type SubscribeInput,
  Subscription,
  type SubscriptionEffect,
  type SubscriptionInput,
} from '../../dist/subscription/state.js';
import { stepSubscription } from '../../dist/subscription/table.js';

export function responseAnswer(status: number, more: Partial<ResponseAnswer> = {}): ResponseAnswer {
  return {
    kind: 'response',
    status,
    reason: `reason ${status}`,
    etag: '',
    expires: undefined,
    minExpires: undefined,
    retryAfter: undefined,
    barredUntil: 0,
    cseq: 1,
    toTag: '',
    contact: '',
    recordRoute: [],
    binding: '',
    ...more,
  };
}

export const silence = (sent = true, barredUntil = 0, cseq = 0): Answer => ({
  kind: 'unreachable',
  cause: 'no answer',
  sent,
  barredUntil,
  cseq,
});

type Effect = { readonly kind: string };

abstract class Driver<S extends { phase: string; deadline: number }, I, E extends Effect> {
  now = 10_000;
  /** What chance says; 0 makes every delay the shortest. */
  chance = 0;
  policy: Policy = DEFAULT_POLICY;
  /** Effects of the last input. */
  out: E[] = [];
  /** Results by the name of the request that waited for it. */
  readonly results: Record<string, unknown> = {};
  readonly events: string[] = [];
  readonly reports: { cause: string; reply: Reply }[] = [];
  /** Names of the results that were told twice. */
  readonly told: string[] = [];

  constructor(public state: S) {}

  protected abstract step(input: I, out: E[]): S;

  get phase(): string {
    return this.state.phase;
  }

  /** Milliseconds until the timer fires. */
  get wait(): number {
    return this.state.deadline - this.now;
  }

  input(input: I): this {
    this.out = [];
    this.state = this.step(input, this.out);
    for (const effect of this.out as unknown as (PublicationEffect | SubscriptionEffect)[]) {
      if (effect.kind === 'settle') {
        const { name } = effect.op as { name: string };
        if (name in this.results) this.told.push(name);
        else this.results[name] = effect.result;
      } else if (effect.kind === 'emit') this.events.push(effect.event);
      else if (effect.kind === 'report') this.reports.push(effect);
    }
    return this;
  }

  /** Lets time pass; the timer does not fire by itself. */
  after(ms: number): this {
    this.now += ms;
    return this;
  }

  /** Time passes until the timer fires. */
  timer(): this {
    if (this.state.deadline === Number.POSITIVE_INFINITY) throw new Error(`no timer in ${this.phase}`);
    this.now = Math.max(this.now, this.state.deadline);
    return this.input({ kind: 'timer' } as I);
  }

  protected get context() {
    return { now: this.now, random: () => this.chance, policy: this.policy };
  }
}

export class PublicationDriver extends Driver<Publication, PublicationInput, PublicationEffect> {
  constructor(state = new Publication()) {
    super(state);
  }

  protected step(input: PublicationInput, out: PublicationEffect[]): Publication {
    return stepPublication(this.state, input, this.context, out);
  }

  publish(name: string, more: Partial<PublishInput> = {}): this {
    return this.input({
      kind: 'publish',
      op: { name },
      body: name,
      contentType: 'text/plain',
      expires: -1,
      publishExpires: 0,
      insert: false,
      etag: '',
      extraHeaders: null,
      outboundProxy: '',
      onLost: 'republish',
      version: 0,
      tupleId: null,
      ...more,
    });
  }

  unpublish(name: string, etag = ''): this {
    return this.input({ kind: 'unpublish', op: { name }, etag });
  }

  /** Takes the slot it asked for and returns the request. */
  send() {
    if (this.phase !== 'queued') throw new Error(`it does not wait for a slot but is ${this.phase}`);
    this.input({ kind: 'slot' });
    const send = this.out.find((effect) => effect.kind === 'send');
    return send && { request: send.request, expires: send.expires, etag: send.etag, body: send.body };
  }

  answer(status: number | Answer, more: Partial<ResponseAnswer> = {}): this {
    return this.input({ kind: 'answer', answer: typeof status === 'number' ? responseAnswer(status, more) : status });
  }

  /** A publication the server holds under the entity-tag `e1`. */
  static published(more: Partial<PublishInput> = {}, expires = 3600): PublicationDriver {
    const p = new PublicationDriver();
    p.publish('first', more).send();
    return p.answer(200, { etag: 'e1', expires });
  }
}

export class SubscriptionDriver extends Driver<Subscription, SubscriptionInput, SubscriptionEffect> {
  #dialogs = 0;

  constructor(state = new Subscription()) {
    super(state);
  }

  protected step(input: SubscriptionInput, out: SubscriptionEffect[]): Subscription {
    return stepSubscription(this.state, input, this.context, out);
  }

  subscribe(name: string, more: Partial<SubscribeInput> = {}): this {
    return this.input({
      kind: 'subscribe',
      op: { name },
      expires: -1,
      insert: false,
      fetch: false,
      ownContact: '',
      preloadedRoutes: [],
      ...more,
    });
  }

  unsubscribe(name: string): this {
    return this.input({ kind: 'unsubscribe', op: { name } });
  }

  send() {
    if (this.phase !== 'queued') throw new Error(`it does not wait for a slot but is ${this.phase}`);
    const n = this.#dialogs + 1;
    this.input({ kind: 'slot', contact: 'sip:us@10.0.0.1', callId: `call${n}`, localTag: `local${n}` });
    if (this.state.callId === `call${n}`) this.#dialogs = n;
    const send = this.out.find((effect) => effect.kind === 'send');
    return send && { request: send.request, expires: send.expires, callId: this.state.callId, cseq: this.state.cseq };
  }

  /** The CSeq answered is the one that was sent, unless it is given. */
  answer(status: number | Answer, more: Partial<ResponseAnswer> = {}): this {
    const { cseq } = this.state;
    const answer =
      typeof status !== 'number'
        ? status
        : responseAnswer(status, { cseq, toTag: 'remote', contact: 'sip:notifier@10.0.0.9', ...more });
    return this.input({ kind: 'answer', answer });
  }

  #notified = 0;

  /** Returns the status it is answered with. */
  notify(
    state: 'active' | 'pending' | 'terminated',
    more: Partial<NotifyInput> & { reason?: string; retryAfter?: number } = {},
  ): number | undefined {
    const { reason = '', retryAfter, ...rest } = more;
    this.input({
      kind: 'notify',
      fromTag: 'remote',
      cseq: ++this.#notified,
      contact: '',
      recordRoute: [],
      state,
      termination: { reason, retryAfter },
      expires: undefined,
      ...rest,
    });
    return this.out.find((effect) => effect.kind === 'notified')?.status;
  }

  /** A dialog that a NOTIFY has established. */
  static established(more: Partial<SubscribeInput> = {}, expires = 3600): SubscriptionDriver {
    const s = new SubscriptionDriver();
    s.subscribe('first', more).send();
    s.answer(200, { expires }).notify('active');
    return s;
  }
}
