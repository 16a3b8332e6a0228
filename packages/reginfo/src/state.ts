/** What the tables of a subscription and its newest document say of each AOR. Pure. */
import type { ContactChange, RegInfo, RegistrationContact, RegistrationTables } from '@pua/documents';
import { isOver } from './contact.js';
import { sinkKey } from './ids.js';

/** Contacts by their keys in the sink. */
export interface AorState {
  /** All that are registered. */
  readonly wanted: Map<string, RegistrationContact>;
  /** Those of them that the document names. */
  readonly fresh: Set<string>;
  /** Those that it ends, and by which event. */
  readonly ended: Map<string, string>;
  /** What the keys of a registration begin with that has no contacts any more. */
  readonly over: string[];
}

export interface Told {
  /** What the keys of the subscription begin with. */
  readonly prefix: string;
  readonly tables: RegistrationTables;
  readonly document: RegInfo;
  readonly changes: readonly ContactChange[];
  /** Key of an AOR in the sink; undefined: its registration is none of ours to apply. */
  readonly keyOf: (registration: { readonly id: string; readonly aor: string }) => string | undefined;
}

/** What a contact has ended by that is just not there any more: nobody saw it. */
const UNSEEN = 'expired';

export function statesOf({ prefix, tables, document, changes, keyOf }: Told): Map<string, AorState> {
  const states = new Map<string, AorState>();
  const stateOf = (id: string, aor: string): AorState | undefined => {
    const key = keyOf({ id, aor });
    if (key === undefined) return undefined;
    const state = states.get(key) ?? { wanted: new Map(), fresh: new Set(), ended: new Map(), over: [] };
    states.set(key, state);
    return state;
  };
  for (const [id, { aor, contacts }] of tables.registrations) {
    const state = stateOf(id, aor);
    for (const contact of contacts.values()) {
      if (!isOver(contact)) state?.wanted.set(sinkKey(prefix, id, contact.id), contact);
    }
  }
  for (const { registrationId, aor, contact } of changes) {
    const state = stateOf(registrationId, aor);
    const key = sinkKey(prefix, registrationId, contact.id);
    if (state?.wanted.has(key)) state.fresh.add(key);
    else state?.ended.set(key, contact.state === 'terminated' ? contact.event : UNSEEN);
  }
  for (const { id, aor, state } of document.registrations) {
    if (state !== 'active') stateOf(id, aor)?.over.push(sinkKey(prefix, id));
  }
  return states;
}

/** What the tables say of all AORs together. */
export interface Whole {
  /** They hold all there is: what they do not name is over. */
  readonly complete: boolean;
  /** Keys of all contacts that are registered. A sink may write an AOR in another way than the document: it is still there. */
  readonly registered: ReadonlySet<string>;
}

/** Why a binding of ours in the sink is over; undefined: it is not. */
export function endOf(key: string, state: AorState, { complete, registered }: Whole): string | undefined {
  if (registered.has(key)) return undefined;
  const named = state.ended.get(key);
  if (named !== undefined) return named;
  return complete || state.over.some((registration) => key.startsWith(registration)) ? UNSEEN : undefined;
}
