/** What is remembered of a call: facts that all its dialogs share, and its forks. */
import type { DialogParty, DialogReason, DialogState, Scheduled } from '@pua/core';
import type { DialogIdentity } from '@pua/documents';
import type { Facts } from './facts.js';
import { formatId, type Side } from './ids.js';

export type BySide<T> = Record<Side, T>;

/** One dialog of the call, or the half-dialog before there is one (RFC 4235 section 3.7.1). */
export interface Fork {
  /** Part of its ids; empty for the first one. */
  readonly part: string;
  branch: string | undefined;
  /** Tag of the callee. Once known it stays. */
  tag: string | undefined;
  state: DialogState;
  /** The INVITE got a reply, if only 100. */
  answered: boolean;
  parties: BySide<DialogParty>;
  reason: DialogReason | undefined;
  /** Presentities that have its documents. */
  readonly listed: BySide<Set<string>>;
  before: Before;
  /** Since a restart no event has told of it. */
  unheard: boolean;
}

/** What the documents of the last run say; it goes on until the source says something else in so many words. */
export interface Before {
  /** Identity of a side in its own document ... */
  readonly own: Partial<BySide<DialogIdentity>>;
  /** ... and in that of the other side, where it is another one. */
  readonly shown: Partial<BySide<DialogIdentity>>;
  readonly presentities: Partial<BySide<readonly string[]>>;
}

export const NOTHING_BEFORE: Before = { own: {}, shown: {}, presentities: {} };

export function newFork(part: string, { branch, tag }: Pick<Fork, 'branch' | 'tag'>, first?: Fork): Fork {
  return {
    part,
    branch,
    tag,
    state: 'trying',
    answered: false,
    parties: { caller: { ...(first?.parties.caller ?? { uri: '' }) }, callee: { uri: '' } },
    reason: undefined,
    listed: { caller: new Set(), callee: new Set() },
    before: first?.before ?? NOTHING_BEFORE,
    unheard: first?.unheard ?? false,
  };
}

export class Call implements Scheduled {
  /** When it is forgotten, monotonic ms. */
  deadline = Number.POSITIVE_INFINITY;
  scheduleIndex = -1;
  readonly forks: Fork[] = [];
  /** The fork that an event without branch and tag is about. */
  current: Fork | undefined;
  /** Nothing new begins in it. */
  ended = false;
  /** It has ended since its source did not name it any more. */
  lost = false;
  /** Index of the source that told of it last; -1: it is known from records only. */
  source = -1;
  /** When it was last told of, monotonic ms. */
  heardAt = Number.NEGATIVE_INFINITY;
  /** Since when its source does not name it, monotonic ms. */
  missingSince: number | undefined;
  /** When it is over at the latest, monotonic ms ... */
  until = 0;
  /** ... and what its source said of that. */
  promised = 0;
  /** That of its source. Undefined until an event tells it, as are ... */
  key: string | undefined;
  /** ... the facts. */
  facts: Facts | undefined;
  /** What the documents of the last run say of it besides. */
  earlier: Pick<Facts, 'replaces' | 'referredBy'> = {};
  /** Sides that had no document in the last run, and whose Contact the other one was not told: they were suppressed. */
  silent: Partial<BySide<boolean>> = {};

  /** @param known from the records of the last run */
  constructor(
    readonly name: string,
    readonly known: boolean,
  ) {}

  live(): Fork[] {
    return this.forks.filter((fork) => fork.state !== 'terminated');
  }

  idOf(fork: Fork, side: Side): string {
    return formatId({ call: this.name, fork: fork.part, side });
  }
}
