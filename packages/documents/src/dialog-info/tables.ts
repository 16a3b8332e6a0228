/** The dialogs of a subscription, put together from its documents (RFC 4235 section 4.3). */
import { field } from '../common/read.js';
import { outcomeOf, type TableChange, type TableOutcome } from '../common/tables.js';
import type { Dialog, DialogInfo, DialogParticipant } from './model.js';

/** Immutable: `applyDialogInfo` gives new ones. */
export interface DialogTables {
  /** Version of the last document taken. */
  readonly version: number;
  readonly entity: string;
  /** By id; those that are terminated are left out. */
  readonly dialogs: ReadonlyMap<string, Dialog>;
}

export interface DialogChange {
  readonly change: TableChange;
  /** As it is now; `gone`: as it was. */
  readonly dialog: Dialog;
}

export interface AppliedDialogInfo {
  readonly tables: DialogTables;
  readonly outcome: TableOutcome;
  /** In the order of the document, what is gone last. */
  readonly changes: readonly DialogChange[];
}

/**
 * The tables after a document. A full one that comes after a gap makes up for it.
 * @param tables those before it; undefined: it is the first of this subscription. A new subscription begins anew.
 */
export function applyDialogInfo(tables: DialogTables | undefined, document: DialogInfo): AppliedDialogInfo {
  const { version, state, entity } = document;
  const order = outcomeOf(tables?.version, document);
  if (tables !== undefined && order === 'discarded') return { tables, outcome: order, changes: [] };
  const before = tables?.dialogs ?? new Map<string, Dialog>();
  const dialogs = new Map(state === 'full' ? [] : before);
  const changes: DialogChange[] = [];
  for (const named of document.dialogs) {
    const dialog = merged(dialogs.get(named.id), named);
    if (dialog.state === 'terminated') {
      dialogs.delete(dialog.id);
      changes.push({ change: 'ended', dialog });
    } else {
      dialogs.set(dialog.id, dialog);
      changes.push({ change: before.has(dialog.id) ? 'updated' : 'added', dialog });
    }
  }
  const named = new Set(document.dialogs.map(({ id }) => id));
  for (const [id, dialog] of before) {
    if (!dialogs.has(id) && !named.has(id)) changes.push({ change: 'gone', dialog });
  }
  return { tables: { version, entity, dialogs }, outcome: state === 'full' ? 'applied' : order, changes };
}

/** A row is replaced, but for what need not be told again (RFC 4235 section 4.1.6). */
function merged(known: Dialog | undefined, named: Dialog): Dialog {
  if (known === undefined) return named;
  return {
    ...named,
    ...field('local', mergedSide(known.local, named.local)),
    ...field('remote', mergedSide(known.remote, named.remote)),
  };
}

function mergedSide(
  known: DialogParticipant | undefined,
  named: DialogParticipant | undefined,
): DialogParticipant | undefined {
  if (known === undefined) return named;
  return {
    ...field('identity', known.identity),
    ...field('target', known.target),
    ...field('sessionDescription', known.sessionDescription),
    ...named,
  };
}
