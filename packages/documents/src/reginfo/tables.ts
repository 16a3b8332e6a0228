/** The registrations of a subscription, put together from its documents (RFC 3680 section 5.2). */
import { outcomeOf, type TableChange, type TableOutcome } from '../common/tables.js';
import type { RegInfo, RegistrationContact, RegistrationState } from './model.js';

/** Immutable: `applyRegInfo` gives new ones. */
export interface RegistrationTables {
  /** Version of the last document taken. */
  readonly version: number;
  /** By id of the registration; those that are terminated are left out. */
  readonly registrations: ReadonlyMap<string, RegistrationTable>;
}

export interface RegistrationTable {
  readonly aor: string;
  readonly state: RegistrationState;
  /** By id of the contact; those that are terminated are left out. */
  readonly contacts: ReadonlyMap<string, RegistrationContact>;
}

export interface ContactChange {
  readonly change: TableChange;
  readonly aor: string;
  readonly registrationId: string;
  /** As it is now; `gone`: as it was. */
  readonly contact: RegistrationContact;
}

export interface AppliedRegInfo {
  readonly tables: RegistrationTables;
  readonly outcome: TableOutcome;
  /** In the order of the document, what is gone last. */
  readonly changes: readonly ContactChange[];
}

/**
 * The tables after a document. The contacts of a registration that is not active are over, named or not.
 * @param tables those before it; undefined: it is the first of this subscription. A new subscription begins anew.
 */
export function applyRegInfo(tables: RegistrationTables | undefined, document: RegInfo): AppliedRegInfo {
  const outcome = outcomeOf(tables?.version, document);
  if (tables !== undefined && outcome === 'discarded') return { tables, outcome, changes: [] };
  const before = tables?.registrations ?? new Map<string, RegistrationTable>();
  const registrations = new Map(document.state === 'full' ? [] : before);
  const changes: ContactChange[] = [];
  const named = gathered(document);
  for (const [registrationId, { aor, state, contacts }] of named) {
    const rows = new Map(state === 'active' ? registrations.get(registrationId)?.contacts : []);
    for (const contact of contacts.values()) {
      const isActive = state === 'active' && contact.state === 'active';
      if (isActive) rows.set(contact.id, contact);
      else rows.delete(contact.id);
      const isKnown = before.get(registrationId)?.contacts.has(contact.id);
      changes.push({ change: !isActive ? 'ended' : isKnown ? 'updated' : 'added', aor, registrationId, contact });
    }
    if (state === 'terminated') registrations.delete(registrationId);
    else registrations.set(registrationId, { aor, state, contacts: rows });
  }
  for (const [registrationId, { aor, contacts }] of before) {
    for (const [id, contact] of contacts) {
      const isThere = registrations.get(registrationId)?.contacts.has(id);
      if (isThere || named.get(registrationId)?.contacts.has(id)) continue;
      changes.push({ change: 'gone', aor, registrationId, contact });
    }
  }
  return { tables: { version: document.version, registrations }, outcome, changes };
}

/**
 * The registrations of a document, each once. A server that puts the documents of several publishers together may repeat one,
 * against RFC 3680 section 5.1; then it is active as long as one of them says so.
 */
function gathered(document: RegInfo): Map<string, RegistrationTable> {
  const registrations = new Map<string, RegistrationTable>();
  for (const { id, aor, state, contacts = [] } of document.registrations) {
    const earlier = registrations.get(id);
    const rows = [...(earlier?.contacts.values() ?? []), ...contacts];
    registrations.set(id, {
      aor,
      state: earlier?.state === 'active' ? 'active' : state,
      contacts: new Map(rows.map((contact) => [contact.id, contact])),
    });
  }
  return registrations;
}
