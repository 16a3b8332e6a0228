/** What publications and subscriptions have in common as records of a Pua: identity, mailbox, place in the schedule. */
import type { Cause, PuaRecord, Reply } from './api.js';
import type { RegisteredEvent } from './events.js';
import { Handle } from './handle.js';
import type { Lifecycle } from './lifecycle.js';
import type { Context, RecordEvent, SharedEffect } from './machine.js';
import type { Answer } from './policy/answer.js';
import type { Hop, SipPort } from './ports/sip.js';
import type { PuaRow, RowSource } from './ports/store.js';
import type { Scheduled } from './schedule.js';
import type { Draft, Job } from './sending/job.js';
import type { SubscriptionRecord } from './subscription/record.js';
import { toWall, type WallClock } from './walltime.js';

export interface Identity {
  readonly key: string;
  readonly presUri: string;
  /** Empty for a publication. */
  readonly watcherUri: string;
  readonly id: string;
  readonly event: RegisteredEvent;
  readonly source: number;
}

/** What a record uses of the Pua it belongs to. */
export interface Host {
  readonly sip: SipPort;
  readonly outboundProxies: readonly string[];
  readonly onePublishPerUri: boolean;
  context(): Context;
  wallClock(): WallClock;
  ask(record: AnyRecord): void;
  schedule(record: AnyRecord): void;
  persist(record: AnyRecord): void;
  /** A subscription has opened a dialog, or dropped the one it had. */
  readonly indexed: (record: SubscriptionRecord, callId: string, before: string) => void;
  /** For the figures: records by kind and state. */
  moved(kind: AnyRecord['kind'], from: string, to: string): void;
  /** The record has ended: no timer, no memory, no row. */
  gone(record: AnyRecord): void;
  report(record: AnyRecord, cause: Cause, reply: Reply): void;
  emit(record: AnyRecord, event: RecordEvent): void;
}

/** A record of either kind, as the shell sees it. */
export interface AnyRecord extends Scheduled, Job, RowSource {
  readonly kind: 'publication' | 'subscription';
  readonly identity: Identity;
  readonly phase: string;
  readonly cbParam: unknown;
  show(): PuaRecord;
  enlist(): void;
  end(): void;
  abandon(): void;
  /** Its deadline has come. */
  fire(): void;
}

/** On its way to be handed out: one kind of record fills in what the other one does not have. */
export type Blank<T> = { -readonly [K in keyof T]: T[K] };

const NO_HEADERS: PuaRecord['extraHeaders'] = [];
const NO_ROUTES: PuaRecord['routeSet'] = [];

/**
 * The mailbox: one turn at a time. What comes in during a turn (a callback that publishes again) is dealt with after
 * it; only then does the record ask to send.
 */
export abstract class RecordBase<I extends { readonly kind: string }> implements AnyRecord {
  abstract readonly kind: 'publication' | 'subscription';
  scheduleIndex = -1;
  priority = 0;
  cbParam: unknown = undefined;
  /** A turn wants a slot ... */
  #wantsSlot = false;
  /** ... and it stands in the sender's queues, or its request is on the wire. */
  #asked = false;
  #turning = false;
  #counted = 'absent';
  #inbox: I[] | undefined;

  constructor(
    readonly host: Host,
    readonly identity: Identity,
    readonly gateKey: string,
  ) {}

  get key(): string {
    return this.identity.key;
  }

  get phase(): string {
    return this.state.phase;
  }

  get deadline(): number {
    return this.state.deadline;
  }

  get until(): number {
    const { expiresAt } = this.state;
    return expiresAt === 0 ? Number.POSITIVE_INFINITY : expiresAt;
  }

  /** Name of the hop that answered last with a 2xx. */
  protected acceptedBy = '';

  get heldAt(): string {
    return '';
  }

  redraft(draft: Draft, _hop: Hop): Draft {
    return draft;
  }

  /** Do routes() lead elsewhere than when it asked for the slot? */
  protected rerouted(): boolean {
    return false;
  }

  abstract readonly state: Readonly<Lifecycle>;
  abstract routes(): readonly string[];
  abstract show(): PuaRecord;
  abstract row(): PuaRow | null;
  /** One step of the machine and its effects. */
  protected abstract turn(input: I): void;
  /** The record's slot: steps the machine and returns what it sends. */
  protected abstract useSlot(hop: Hop): Draft | null;
  protected abstract answerInput(answer: Answer): I;
  protected abstract timerInput(): I;
  protected abstract endInput(): I;

  /** Carries out an effect that both machines have. */
  protected apply(effect: SharedEffect): void {
    switch (effect.kind) {
      case 'queue':
        this.priority = effect.deadline;
        this.#wantsSlot = true;
        break;
      case 'persist':
        this.host.persist(this);
        break;
      case 'settle':
        if (effect.op instanceof Handle) effect.op.settle(effect.result);
        break;
      case 'report':
        this.host.report(this, effect.cause, effect.reply);
        break;
      case 'emit':
        this.host.emit(this, effect.event);
        break;
    }
  }

  receive(input: I): void {
    if (this.#turning) {
      this.#inbox ??= [];
      this.#inbox.push(input);
      return;
    }
    this.#turning = true;
    try {
      this.turn(input);
      while (this.#inbox) {
        const inbox = this.#inbox;
        this.#inbox = undefined;
        for (const next of inbox) this.turn(next);
      }
    } finally {
      this.#turning = false;
    }
    this.#settleDown();
  }

  /** Takes it back at the server: un-publish, unsubscribe. */
  end(): void {
    this.receive(this.endInput());
  }

  /** The process goes: nobody is left waiting. */
  abandon(): void {
    const { op, flightOp, next } = this.state;
    for (const waiting of [op, flightOp, next?.op])
      if (waiting instanceof Handle) waiting.settle({ outcome: 'stopped' });
  }

  fire(): void {
    // Swept in the middle of its turn: the turn sets its deadline anew.
    if (this.#turning) return;
    this.receive(this.timerInput());
  }

  draft(hop: Hop): Draft | null {
    // It asks again when a handler in the midst of its own turn has moved the queue, or when its way is another by now.
    if (this.#turning || this.rerouted()) this.#wantsSlot = true;
    else if (this.phase === 'queued') {
      const draft = this.useSlot(hop);
      if (draft) return draft;
    }
    this.#asked = false;
    if (!this.#turning) this.#settleDown();
    return null;
  }

  answered(answer: Answer, hop: string): void {
    if (answer.kind === 'response' && answer.status < 300) this.acceptedBy = hop;
    this.#asked = false;
    if (this.phase === 'ended') this.#settleDown();
    else this.receive(this.answerInput(answer));
  }

  /** Also called once for a restored record. */
  enlist(): void {
    this.#settleDown();
  }

  /**
   * What every record shows; its own kind fills in the rest. Made in one piece, as are rows: an object of so many
   * properties that is put together by spreading costs a hundred times as much.
   */
  protected blankView(): Blank<PuaRecord> {
    const s = this.state;
    const { key, presUri, watcherUri, id, event, source } = this.identity;
    const clock = this.host.wallClock();
    return {
      key,
      kind: this.kind,
      state: s.phase,
      id,
      presUri,
      watcherUri,
      event: event.name,
      sourceFlag: source,
      expires: s.expiresAt === 0 ? 0 : toWall(s.expiresAt, clock),
      desiredExpires: toWall(s.desiredUntil, clock),
      nextAt: s.deadline === Number.POSITIVE_INFINITY ? 0 : (clock.wall + s.deadline - clock.now) / 1000,
      failures: s.failures,
      cbParam: this.cbParam,
      etag: '',
      tupleId: '',
      body: null,
      contentType: '',
      callId: '',
      toTag: '',
      fromTag: '',
      cseq: 0,
      version: 0,
      extraHeaders: NO_HEADERS,
      routeSet: NO_ROUTES,
      contact: '',
      remoteContact: '',
      outboundProxy: '',
      subscriptionState: '',
    };
  }

  /** A row with what identifies the record; its own kind fills in the rest. */
  protected blankRow(): Blank<PuaRow> {
    const { key, presUri, watcherUri, id, event, source } = this.identity;
    return {
      pres_uri: presUri,
      pres_id: id,
      event: event.flag,
      expires: 0,
      desired_expires: 0,
      flag: source,
      etag: '',
      tuple_id: null,
      watcher_uri: watcherUri,
      call_id: '',
      to_tag: '',
      from_tag: '',
      cseq: 0,
      record_route: null,
      contact: '',
      remote_contact: '',
      version: 0,
      extra_headers: '',
      record_key: key,
      event_name: event.name,
      document: null,
      content_type: null,
      outbound_proxy: null,
      remote_cseq: 0,
      subscription_state: '',
      min_expires: 0,
      asked_expires: 0,
      pending: 0,
      not_before: 0,
      more: null,
    };
  }

  #settleDown(): void {
    const phase = this.phase;
    if (phase !== this.#counted) {
      this.host.moved(this.kind, this.#counted, phase);
      this.#counted = phase;
    }
    if (phase === 'ended') {
      this.host.gone(this);
      return;
    }
    this.host.schedule(this);
    if (this.#wantsSlot && !this.#asked && this.phase === 'queued') {
      this.#wantsSlot = false;
      this.#asked = true;
      this.host.ask(this);
    }
  }
}
