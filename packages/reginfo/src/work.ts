import type { Binding, RegistrationSource, Scheduled } from '@pua/core';
import type { Change } from './mapping.js';
import type { Place } from './sources.js';

const NEVER = Number.POSITIVE_INFINITY;

/** An AOR that has something to be told, or to be removed. Nothing is kept of the others. */
export class Work implements Scheduled, Place {
  scheduleIndex = -1;
  /** Since the last document. */
  changes: Change[] = [];
  /** What sources have told by themselves since then. */
  siblings = new Map<RegistrationSource, readonly Binding[]>();
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
  readonly aor: string;
  readonly table: string;

  constructor(
    readonly key: string,
    publication: Pick<Work, 'presUri' | 'id'>,
    place: Place,
  ) {
    ({ presUri: this.presUri, id: this.id } = publication);
    ({ aor: this.aor, table: this.table } = place);
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

  /** It could not be told: once more, at that time. Sources that can be asked are asked then. */
  putBack({ changes, siblings, reconcile }: ReturnType<Work['take']>, at: number): void {
    this.changes = [...changes, ...this.changes];
    for (const [source, told] of siblings) {
      if (!source.bindings && !this.siblings.has(source)) this.siblings.set(source, told);
    }
    this.reconcile ||= reconcile;
    this.tellAt = Math.min(this.tellAt, at);
  }
}
