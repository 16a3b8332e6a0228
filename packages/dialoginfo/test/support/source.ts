/** A source of calls that a test speaks for. */
import type {
  DialogEvent,
  DialogEventKind,
  DialogListener,
  DialogSnapshot,
  DialogSource,
  DialogState,
} from '@pua/core';

export const ALICE = 'sip:alice@example.com';
export const BOB = 'sip:bob@example.com';

/** A snapshot; the state goes with the kind unless it is given. */
export function snapshot(more: Partial<DialogSnapshot> = {}): DialogSnapshot {
  return {
    key: 'k1',
    callId: 'c1@call.example.com',
    caller: { uri: ALICE, tag: 'a-tag', contact: 'sip:alice@192.0.2.1:5062' },
    callee: { uri: BOB },
    state: 'trying',
    ...more,
  };
}

const STATES: Readonly<Record<DialogEventKind, DialogState>> = {
  created: 'trying',
  early: 'early',
  confirmed: 'confirmed',
  updated: 'confirmed',
  restored: 'confirmed',
  failed: 'terminated',
  terminated: 'terminated',
  expired: 'terminated',
};

export function event(
  kind: DialogEventKind,
  dialog: Partial<DialogSnapshot> = {},
  more: Partial<DialogEvent> = {},
): DialogEvent {
  return { kind, dialog: snapshot({ state: STATES[kind], ...dialog }), ...more };
}

/** Callee that has answered with a tag. */
export const ringing = (tag = 'b-tag') => ({ uri: BOB, tag, contact: `sip:${tag}@192.0.2.2` });

export class FakeSource implements DialogSource {
  readonly #listeners = new Set<DialogListener>();
  /** Calls that live; undefined: it can't tell. */
  calls: Map<string, DialogSnapshot> | undefined;
  /** What live() fails with. */
  broken: Error | undefined;
  asked = 0;
  declare live?: () => AsyncIterable<DialogSnapshot>;

  constructor(calls?: readonly DialogSnapshot[]) {
    if (!calls) return;
    this.calls = new Map(calls.map((one) => [one.key, one]));
    this.live = () => this.#live();
  }

  async *#live(): AsyncIterable<DialogSnapshot> {
    this.asked++;
    for (const one of [...this.calls!.values()]) yield one;
    if (this.broken) throw this.broken;
  }

  onEvent(listener: DialogListener): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  get listeners(): number {
    return this.#listeners.size;
  }

  emit(given: DialogEvent): void {
    for (const listener of this.#listeners) void listener(given);
  }

  /** Shorthand. */
  say(kind: DialogEventKind, dialog: Partial<DialogSnapshot> = {}, more: Partial<DialogEvent> = {}): void {
    this.emit(event(kind, dialog, more));
  }
}
