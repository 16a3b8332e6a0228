/**
 * The transitions of a publication, all of them. A cell that is missing cannot happen and is an error of the shell;
 * tests walk the whole table, the docs' diagram is drawn from it.
 */
import type { Context, Transition } from '../machine.js';
import type { Publication, PublicationEffect, PublicationInput, PublicationPhase } from './state.js';
import * as on from './step.js';

type Kind = PublicationInput['kind'];
type Input<K extends Kind> = Extract<PublicationInput, { kind: K }>;
type Row = { readonly [K in Kind]?: Transition<Publication, Input<K>, PublicationEffect, PublicationPhase> };

/** Owner's requests while one of ours is on the wire: noted, the answer decides. */
const meanwhile = (phase: PublicationPhase) => ({
  publish: { does: on.wishMeanwhile, to: [phase] },
  unpublish: { does: on.endMeanwhile, to: [phase] },
});

export const PUBLICATION_TABLE: Readonly<Record<Exclude<PublicationPhase, 'ended'>, Row>> = {
  absent: {
    publish: { does: on.open, to: ['queued', 'ended'] },
    unpublish: { does: on.nothingToEnd, to: ['ended'] },
  },
  queued: {
    publish: { does: on.wish, to: ['queued'] },
    unpublish: { does: on.end, to: ['queued', 'ended'] },
    slot: {
      does: on.slot,
      to: ['publishing', 'modifying', 'refreshing', 'removing', 'parked', 'queued', 'ended'],
    },
    answer: { does: on.noRoute, to: ['waiting'] },
  },
  publishing: {
    ...meanwhile('publishing'),
    answer: { does: on.answer, to: ['published', 'queued', 'waiting', 'parked', 'ended'] },
  },
  modifying: {
    ...meanwhile('modifying'),
    answer: { does: on.answer, to: ['published', 'queued', 'waiting', 'parked', 'ended'] },
  },
  refreshing: {
    ...meanwhile('refreshing'),
    answer: { does: on.answer, to: ['published', 'queued', 'waiting', 'parked', 'ended'] },
  },
  removing: { ...meanwhile('removing'), answer: { does: on.removed, to: ['queued', 'waiting', 'ended'] } },
  published: {
    publish: { does: on.wish, to: ['queued', 'published'] },
    unpublish: { does: on.end, to: ['queued', 'published', 'ended'] },
    timer: { does: on.due, to: ['queued', 'ended'] },
  },
  waiting: {
    publish: { does: on.wish, to: ['waiting', 'queued'] },
    unpublish: { does: on.end, to: ['waiting', 'queued', 'ended'] },
    timer: { does: on.due, to: ['queued', 'waiting', 'ended'] },
  },
  parked: {
    publish: { does: on.wish, to: ['queued', 'waiting', 'parked'] },
    unpublish: { does: on.end, to: ['queued', 'waiting', 'parked', 'ended'] },
    timer: { does: on.due, to: ['ended'] },
  },
};

/** One step. `state` stays as it is; the new one comes back, effects are appended to `out`. */
export function stepPublication(
  state: Readonly<Publication>,
  input: PublicationInput,
  context: Context,
  out: PublicationEffect[],
): Publication {
  const row = state.phase === 'ended' ? undefined : PUBLICATION_TABLE[state.phase];
  const cell = row?.[input.kind] as
    | Transition<Publication, PublicationInput, PublicationEffect, PublicationPhase>
    | undefined;
  if (!cell) throw new Error(`publication: no transition for ${input.kind} in state ${state.phase}`);
  const next = state.copy();
  cell.does(next, input, context, out);
  return next;
}
