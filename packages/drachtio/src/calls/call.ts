/** One call: what is known of it, and the snapshots that its events carry. */
import type { DialogParty, DialogReason, DialogSnapshot, DialogState } from '@pua/core';
import { partyOf } from '../party.js';
import type { RawMessage } from '../raw.js';
import type { CallInfo } from './info.js';

/** A leg of the B2BUA as its tags and targets go. */
type Leg = Pick<DialogParty, 'callId' | 'tag' | 'peerTag' | 'contact'>;
export type Side = 'caller' | 'callee';
type Privacy = NonNullable<DialogSnapshot['privacy']>;

export interface CallStart {
  readonly key: string;
  readonly invite: RawMessage;
  readonly info: CallInfo;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
}

export class Call {
  readonly key: string;
  /** Tells it no more. */
  over = false;
  readonly #constant: Omit<DialogSnapshot, 'caller' | 'callee' | 'state'>;
  #caller: DialogParty;
  /** As long as nobody has rung. */
  #callee: DialogParty;
  #state: DialogState = 'trying';
  /** Who rings, by tag. */
  readonly #ringing = new Map<string, DialogParty>();
  #answeredAt: number | undefined;
  #privacy: Privacy;

  constructor({ key, invite, info, startedAt }: CallStart) {
    const { caller, callee, privacy, ...given } = info;
    this.key = key;
    const callId = invite.get('Call-ID') ?? '';
    const requestUri = invite.startLine.split(' ')[1] ?? '';
    this.#constant = { key, callId, requestUri, startedAt, ...given };
    this.#caller = { ...partyOf(invite.get('From')), ...caller, callId, ...contactOf(invite) };
    const { uri, display } = partyOf(invite.get('To'));
    this.#callee = { uri, ...(display === undefined ? {} : { display }), ...callee };
    this.#privacy = { ...privacyOf('caller', invite), ...privacy };
  }

  /** A provisional answer. One without a To tag belongs to no dialog yet, and tells nothing once there is one. */
  rings(answer: RawMessage): DialogSnapshot | undefined {
    const leg = legOf(answer);
    if (leg.tag === undefined) {
      if (this.#state === 'early') return undefined;
      this.#state = 'proceeding';
      return this.snapshot();
    }
    this.#state = 'early';
    this.#privacy = { ...privacyOf('callee', answer), ...this.#privacy };
    const fork = { ...this.#callee, ...this.#ringing.get(leg.tag), ...leg };
    this.#ringing.set(leg.tag, fork);
    return this.snapshot(fork);
  }

  /** `answer`: 2xx of the callee, when it has a leg of its own; `tag`: ours in the caller's leg. */
  answered(at: number, tag: string | undefined, answer: RawMessage | undefined): DialogSnapshot {
    const leg = answer ? legOf(answer) : tag === undefined ? {} : { tag };
    this.#callee = { ...this.#callee, ...this.#ringing.get(leg.tag ?? ''), ...leg };
    if (tag !== undefined) this.#caller = { ...this.#caller, peerTag: tag };
    if (answer) this.#privacy = { ...privacyOf('callee', answer), ...this.#privacy };
    this.#ringing.clear();
    this.#state = 'confirmed';
    this.#answeredAt = at;
    return this.snapshot();
  }

  /** A request of that side in the dialog; an INVITE or UPDATE may bring a new remote target (RFC 3261 12.2). */
  updated(side: Side, method: string, request: RawMessage): DialogSnapshot {
    if (method === 'INVITE' || method === 'UPDATE') {
      if (side === 'caller') this.#caller = { ...this.#caller, ...contactOf(request) };
      else this.#callee = { ...this.#callee, ...contactOf(request) };
    }
    return this.snapshot();
  }

  ended(reason: DialogReason): DialogSnapshot {
    this.over = true;
    this.#state = 'terminated';
    return { ...this.snapshot(), reason };
  }

  /** Every dialog of it that lives: one for each that rings. */
  living(): readonly DialogSnapshot[] {
    if (this.#ringing.size === 0) return [this.snapshot()];
    return [...this.#ringing.values()].map((fork) => this.snapshot(fork));
  }

  snapshot(callee: DialogParty = this.#callee): DialogSnapshot {
    return {
      ...this.#constant,
      caller: this.#caller,
      callee,
      state: this.#state,
      ...(this.#privacy.caller || this.#privacy.callee ? { privacy: this.#privacy } : {}),
      ...(this.#answeredAt === undefined ? {} : { answeredAt: this.#answeredAt }),
    };
  }
}

/** The callee's leg, from an answer in it. */
function legOf(answer: RawMessage): Leg {
  const { tag } = partyOf(answer.get('To'));
  const { tag: peerTag } = partyOf(answer.get('From'));
  const callId = answer.get('Call-ID');
  return {
    ...(callId === undefined ? {} : { callId }),
    ...(tag === undefined ? {} : { tag }),
    ...(peerTag === undefined ? {} : { peerTag }),
    ...contactOf(answer),
  };
}

function contactOf(message: RawMessage): Pick<DialogParty, 'contact'> {
  const { uri } = partyOf(message.get('Contact'));
  return uri === '' ? {} : { contact: uri };
}

/** `Privacy: id;user` (RFC 3323 4.2). */
function privacyOf(side: Side, message: RawMessage): Privacy {
  const values = message.get('Privacy')?.split(/[;,]/) ?? [];
  const named = values.map((value) => value.trim().toLowerCase()).filter((value) => value !== '' && value !== 'none');
  return named.length === 0 ? {} : { [side]: named };
}
