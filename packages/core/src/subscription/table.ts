/**
 * The transitions of a subscription, all of them; see publication/table.ts. A NOTIFY may come in every state: before
 * the 2xx, after a time-out, while the subscription is being ended.
 */
import type { Context, Transition } from '../machine.js';
import * as notify from './notify.js';
import { endFork } from './parts.js';
import type { Subscription, SubscriptionEffect, SubscriptionInput, SubscriptionPhase } from './state.js';
import * as on from './step.js';

type Kind = SubscriptionInput['kind'];
type Input<K extends Kind> = Extract<SubscriptionInput, { kind: K }>;
type Row = { readonly [K in Kind]?: Transition<Subscription, Input<K>, SubscriptionEffect, SubscriptionPhase> };

const inFlight = (phase: SubscriptionPhase) => ({
  subscribe: { does: on.note, to: [phase] },
  unsubscribe: { does: on.endMeanwhile, to: [phase] },
  notify: { does: notify.inFlight, to: [phase] },
  unbound: { does: on.deafen, to: [phase] },
});

export const SUBSCRIPTION_TABLE: Readonly<Record<Exclude<SubscriptionPhase, 'ended'>, Row>> = {
  absent: {
    subscribe: { does: on.open, to: ['queued'] },
    unsubscribe: { does: on.nothingToEnd, to: ['ended'] },
  },
  queued: {
    subscribe: { does: on.wish, to: ['queued'] },
    unsubscribe: { does: on.end, to: ['queued', 'ended'] },
    notify: { does: notify.queued, to: ['queued', 'ended'] },
    unbound: { does: on.deafen, to: ['queued'] },
    slot: { does: on.slot, to: ['subscribing', 'refreshing', 'unsubscribing', 'queued', 'waiting', 'ended'] },
    answer: { does: on.noRoute, to: ['waiting', 'ended'] },
  },
  subscribing: {
    ...inFlight('subscribing'),
    answer: { does: on.opened, to: ['subscribed', 'closing', 'queued', 'waiting', 'parked', 'ended'] },
  },
  refreshing: {
    ...inFlight('refreshing'),
    answer: { does: on.refreshed, to: ['subscribed', 'queued', 'waiting', 'parked', 'ended'] },
  },
  unsubscribing: {
    ...inFlight('unsubscribing'),
    answer: { does: on.unsubscribed, to: ['closing', 'queued', 'waiting', 'ended'] },
  },
  subscribed: {
    subscribe: { does: on.wish, to: ['queued', 'waiting'] },
    unsubscribe: { does: on.end, to: ['queued', 'waiting', 'ended'] },
    notify: { does: notify.resting, to: ['subscribed', 'queued', 'waiting', 'ended'] },
    unbound: { does: on.replace, to: ['queued', 'waiting'] },
    timer: { does: on.due, to: ['subscribed', 'queued', 'waiting', 'ended'] },
  },
  closing: {
    subscribe: { does: on.note, to: ['closing'] },
    unsubscribe: { does: on.endMeanwhile, to: ['closing'] },
    notify: { does: notify.closing, to: ['closing', 'queued', 'waiting', 'ended'] },
    unbound: { does: on.closed, to: ['queued', 'waiting', 'ended'] },
    timer: { does: on.closed, to: ['queued', 'waiting', 'ended'] },
  },
  waiting: {
    subscribe: { does: on.wish, to: ['queued', 'waiting'] },
    unsubscribe: { does: on.end, to: ['queued', 'waiting', 'ended'] },
    notify: { does: notify.resting, to: ['subscribed', 'waiting', 'queued', 'ended'] },
    unbound: { does: on.deafen, to: ['waiting'] },
    timer: { does: on.due, to: ['queued', 'waiting', 'ended'] },
  },
  parked: {
    subscribe: { does: on.wish, to: ['queued', 'waiting'] },
    unsubscribe: { does: on.end, to: ['queued', 'ended'] },
    notify: { does: notify.resting, to: ['parked', 'subscribed', 'queued', 'waiting', 'ended'] },
    unbound: { does: on.deafen, to: ['parked'] },
    timer: { does: on.due, to: ['ended'] },
  },
};

/** One step. `state` stays as it is; the new one comes back, effects are appended to `out`. */
export function stepSubscription(
  state: Readonly<Subscription>,
  input: SubscriptionInput,
  context: Context,
  out: SubscriptionEffect[],
): Subscription {
  const row = state.phase === 'ended' ? undefined : SUBSCRIPTION_TABLE[state.phase];
  const cell = row?.[input.kind] as
    | Transition<Subscription, SubscriptionInput, SubscriptionEffect, SubscriptionPhase>
    | undefined;
  if (!cell) throw new Error(`subscription: no transition for ${input.kind} in state ${state.phase}`);
  const next = state.copy();
  cell.does(next, input, context, out);
  if (next.fork && next.callId === '') endFork(next, out);
  return next;
}
