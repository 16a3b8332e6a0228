/** What the tables of a subscription have in common, whatever the documents are that they are put together from. */
import type { Versioned } from './model.js';

/** How a document was taken. `gap`: a refresh of the subscription should be sent, so that the notifier gives the full state. */
export type TableOutcome = 'applied' | 'gap' | 'discarded';

/**
 * What a document did to a row of a table:
 *
 *   added, updated | the document names it
 *   ended          | the document says that it is over; whether it was in the table or not
 *   gone           | it was in the table, and is no more without being named: the document is full, or what it belongs to is over
 */
export type TableChange = 'added' | 'updated' | 'ended' | 'gone';

/**
 * The way of a document by its version:
 *
 *   version              | the document is                           | outcome
 *   any, it is the first | taken                                     | applied; gap if partial: the rest is unknown
 *   one higher           | taken                                     | applied
 *   more than one higher | taken, although what came between is lost | gap
 *   not higher           | not taken (equal: our own choice)         | discarded
 */
export function outcomeOf(last: number | undefined, { version, state }: Versioned): TableOutcome {
  if (last === undefined) return state === 'partial' ? 'gap' : 'applied';
  if (version <= last) return 'discarded';
  return version > last + 1 ? 'gap' : 'applied';
}
