/**
 * What drachtio-srf's own `dialogStateEmitter` tells, as dialog events. It knows one side of each leg, without its peer,
 * target or status, and says nothing when the caller gives up or the callee refuses.
 */
import type { EventEmitter } from 'node:events';
import {
  type Clock,
  type DialogEvent,
  type DialogEventKind,
  type DialogListener,
  type DialogParty,
  type DialogReason,
  type DialogSnapshot,
  type DialogSource,
  type DialogState,
  type PuaApi,
  PuaError,
  type PuaModule,
  Schedule,
  type Scheduled,
} from '@pua/core';
import { Listeners } from '@pua/sources';
import { systemClock } from '../runtime.js';

/** What `stateChange` carries: one object for each leg, changed in place. */
export interface DialogStateChange {
  readonly state: DialogState | 'rejected' | 'cancelled';
  readonly direction: 'initiator' | 'recipient';
  /** `user@host` */
  readonly aor: string;
  readonly callId: string;
  readonly localTag?: string;
  readonly remoteTag?: string;
  readonly id: string;
}

const KINDS: Readonly<Record<DialogStateChange['state'], DialogEventKind>> = {
  trying: 'created',
  proceeding: 'early',
  early: 'early',
  confirmed: 'confirmed',
  rejected: 'failed',
  cancelled: 'failed',
  terminated: 'terminated',
};
const REASONS: Readonly<Partial<Record<DialogStateChange['state'], DialogReason>>> = {
  rejected: { event: 'rejected' },
  cancelled: { event: 'cancelled' },
  terminated: { event: 'bye' },
};

/** Nobody says who is at the other end (RFC 3323 4.1.1.3). */
const UNKNOWN: DialogParty = { uri: 'sip:anonymous@anonymous.invalid' };
/** A leg that is not answered for so long is over without a word: proxies give up after 3 minutes (RFC 3261 16.6). */
const UNANSWERED_MS = 300_000;

class Leg implements Scheduled {
  scheduleIndex = -1;
  deadline: number;

  constructor(
    public dialog: DialogSnapshot,
    now: number,
  ) {
    this.deadline = now + UNANSWERED_MS;
  }
}

class StateEmitterSource implements DialogSource, PuaModule {
  readonly name = 'drachtio-dialog-states';
  readonly #emitter: EventEmitter;
  readonly #listeners = new Listeners<DialogEvent>('fromDialogStateEmitter');
  readonly #legs = new Map<string, Leg>();
  #clock: Clock = systemClock;
  #schedule: Schedule<Leg> | undefined;

  constructor(emitter: EventEmitter) {
    this.#emitter = emitter;
  }

  setup(pua: PuaApi): void {
    this.#clock = pua.clock;
    this.#schedule = new Schedule(pua.clock, (leg) => this.#forget(leg));
    this.#emitter.on('stateChange', this.#changed);
  }

  stop(): void {
    this.#emitter.off('stateChange', this.#changed);
    this.#schedule?.stop();
  }

  onEvent(listener: DialogListener): () => void {
    return this.#listeners.add(listener);
  }

  async *live(): AsyncGenerator<DialogSnapshot> {
    if (!this.#schedule) throw new PuaError('PUA_ERR_STATE', 'live(): pua.use(fromDialogStateEmitter(...)) it first');
    for (const { dialog } of this.#legs.values()) yield dialog;
  }

  /** drachtio-srf emits `undefined` for a party without user part. */
  readonly #changed = (change: DialogStateChange | undefined): void => {
    const kind = change && KINDS[change.state];
    if (!kind) return;
    const before = this.#legs.get(change.id);
    const dialog = snapshotOf(change, before?.dialog, this.#clock.wall());
    const leg = before ?? new Leg(dialog, this.#clock.now());
    leg.dialog = dialog;
    if (dialog.state === 'confirmed') leg.deadline = Number.POSITIVE_INFINITY;
    if (dialog.state === 'terminated') {
      this.#legs.delete(change.id);
      this.#schedule!.remove(leg);
    } else {
      this.#legs.set(change.id, leg);
      this.#schedule!.update(leg);
    }
    this.#listeners.tell({ kind, dialog });
  };

  #forget({ dialog }: Leg): void {
    this.#legs.delete(dialog.key);
    this.#listeners.tell({ kind: 'expired', dialog: { ...dialog, state: 'terminated', reason: { event: 'timeout' } } });
  }
}

function snapshotOf(change: DialogStateChange, before: DialogSnapshot | undefined, now: number): DialogSnapshot {
  const { id: key, callId, state, direction } = change;
  const reason = REASONS[state];
  const ours: DialogParty = {
    uri: `sip:${change.aor}`,
    callId,
    ...tagsOf(change, direction === 'initiator' ? before?.caller : before?.callee),
  };
  const answeredAt = before?.answeredAt ?? (state === 'confirmed' ? now : undefined);
  return {
    key,
    callId,
    caller: direction === 'initiator' ? ours : UNKNOWN,
    callee: direction === 'initiator' ? UNKNOWN : ours,
    publish: { caller: direction === 'initiator', callee: direction === 'recipient' },
    state: state === 'rejected' || state === 'cancelled' ? 'terminated' : state,
    startedAt: before?.startedAt ?? now,
    ...(answeredAt === undefined ? {} : { answeredAt }),
    ...(reason ? { reason } : {}),
  };
}

/**
 * "Local" is drachtio-srf. But what createUAS() puts there first is the caller's tag, without a `remoteTag`, and later its
 * own in the same place.
 */
function tagsOf(
  { direction, localTag, remoteTag }: DialogStateChange,
  before: DialogParty | undefined,
): Pick<DialogParty, 'tag' | 'peerTag'> {
  const first = direction === 'initiator' && remoteTag === undefined && before === undefined;
  const tag = remoteTag ?? (first ? localTag : before?.tag);
  const peerTag = first || localTag === tag ? undefined : localTag;
  return { ...(tag === undefined ? {} : { tag }), ...(peerTag === undefined ? {} : { peerTag }) };
}

/** A source of what `emitter` (option `dialogStateEmitter` of createB2BUA, createUAS, createUAC) tells. */
export function fromDialogStateEmitter(emitter: EventEmitter): DialogSource & PuaModule {
  return new StateEmitterSource(emitter);
}
