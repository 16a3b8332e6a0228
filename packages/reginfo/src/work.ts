import type { Binding, RegistrationSource, Scheduled } from '@pua/core';
import type { Change } from './mapping.js';

const NEVER = Number.POSITIVE_INFINITY;

/** What sources have told by themselves of an AOR. */
export type Siblings = Map<RegistrationSource, readonly Binding[]>;

/** An AOR that has something to be told, or to be removed. Nothing is kept of the others. */
export class Work implements Scheduled {
  scheduleIndex = -1;
  /** Since the last document. */
  changes: Change[] = [];
  siblings: Siblings = new Map();
  /** To be told only if what is published is not the same. */
  reconcile = false;
  /** When the next document is made, and when the terminated one is removed; monotonic ms. */
  tellAt = NEVER;
  removeAt = NEVER;
  /** A document is being made. */
  busy = false;

  /** URI and id of the publication. */
  readonly presUri: string;
  readonly id: string;
  /** As the source has them. */
  readonly aor: string;
  readonly table: string;

  constructor(
    readonly key: string,
    publication: Pick<Work, 'presUri' | 'id'>,
    registration: Pick<Work, 'aor' | 'table'>,
  ) {
    ({ presUri: this.presUri, id: this.id } = publication);
    ({ aor: this.aor, table: this.table } = registration);
  }

  get deadline(): number {
    return this.busy ? NEVER : Math.min(this.tellAt, this.removeAt);
  }

  /** What is to be told now; what comes from here on is for the next document. */
  take(): Pick<Work, 'changes' | 'siblings' | 'reconcile'> {
    const { changes, siblings, reconcile } = this;
    Object.assign(this, { changes: [], siblings: new Map(), reconcile: false, tellAt: NEVER });
    return { changes, siblings, reconcile };
  }

  /** It could not be told: once more, at that time. */
  putBack({ changes, reconcile }: Pick<Work, 'changes' | 'reconcile'>, at: number): void {
    this.changes = [...changes, ...this.changes];
    this.reconcile ||= reconcile;
    this.tellAt = Math.min(this.tellAt, at);
  }
}
