/** One publication per AOR: a tuple per binding, one entity-tag per user, `closed` when the last binding has gone. */
import type { Binding, PuaRecord } from '@pua/core';
import { readPidf, type Tuple } from '@pua/documents';
import type { Farewells } from './farewells.js';
import { AGGREGATE_ID, identityOf, tupleId } from './identity.js';
import { closedDocument, lifetime, openTuple, writeDocument } from './mapping.js';
import { endsThen, isEnding } from './outbox.js';
import type { Publisher, PublisherOptions } from './publisher.js';

interface Live {
  readonly tuple: Tuple;
  /** Milliseconds since 1970; 0: permanent. */
  readonly expiresAt: number;
  /** Known from the document of the last run only. */
  readonly isRemembered: boolean;
}

/** Live bindings of a presentity by tuple id. */
type Roster = Map<string, Live>;

export class Aggregate implements Publisher {
  readonly #o: PublisherOptions;
  readonly #farewells: Farewells;
  readonly #rosters = new Map<string, Roster>();

  constructor(options: PublisherOptions, farewells: Farewells) {
    this.#o = options;
    this.#farewells = farewells;
  }

  idOf(): string {
    return AGGREGATE_ID;
  }

  appear(presUri: string, binding: Binding): void {
    this.refresh(presUri, binding);
  }

  refresh(presUri: string, binding: Binding, previous: Binding = binding): void {
    const roster = this.#roster(presUri);
    roster.delete(tupleIdOf(previous));
    this.#enter(roster, binding);
    this.#update(presUri, roster);
    this.#o.outbox.endInherited(presUri, binding.callId);
  }

  vanish(presUri: string, binding: Binding): void {
    const roster = this.#roster(presUri);
    const id = tupleIdOf(binding);
    if (roster.delete(id)) this.#update(presUri, roster, id);
    this.#o.outbox.endInherited(presUri, binding.callId);
  }

  reconcile(presUri: string, bindings: readonly Binding[], isPublished: (binding: Binding) => boolean): void {
    const record = this.#o.outbox.find(presUri, AGGREGATE_ID);
    const roster: Roster = this.#rosters.get(presUri) ?? new Map();
    // Reading a document takes long, and few need it: those that an event had published against the rule.
    let before: Roster | undefined;
    for (const binding of bindings) {
      if (!isPublished(binding)) {
        before ??= remembered(record);
        if (!before.has(tupleIdOf(binding))) continue;
      }
      this.#enter(roster, binding);
    }
    for (const [id, { isRemembered }] of roster) if (isRemembered) roster.delete(id);
    if (roster.size > 0 || record) this.#update(presUri, roster, undefined, record);
  }

  #enter(roster: Roster, binding: Binding): void {
    const id = tupleIdOf(binding);
    const tuple = openTuple(id, binding, this.#o.documents);
    roster.set(id, { tuple, expiresAt: binding.expiresAt, isRemembered: false });
  }

  /**
   * Publishes what is live now, or takes leave.
   * @param left id of the tuple that has just gone
   * @param found the record at the start: what is as it should be is left alone
   */
  #update(presUri: string, roster: Roster, left?: string, found?: PuaRecord): void {
    const { outbox, documents, clock, grace } = this.#o;
    const now = clock.wall();
    // A source need not tell everything: what is over is over.
    for (const [id, { expiresAt }] of roster) if (expiresAt !== 0 && expiresAt <= now) roster.delete(id);
    if (roster.size === 0) {
      this.#rosters.delete(presUri);
      this.#farewells.say(presUri, AGGREGATE_ID, closedDocument(presUri, left, now, documents));
      return;
    }
    this.#rosters.set(presUri, roster);
    this.#farewells.retract(presUri, AGGREGATE_ID);
    const live = [...roster.values()];
    const body = writeDocument(presUri, live.map(({ tuple }) => tuple).sort(byId), documents);
    const ends = live.map(({ expiresAt }) => expiresAt);
    const expires = lifetime(ends.includes(0) ? 0 : Math.max(...ends), now, grace);
    const isKnown = (found ?? outbox.find(presUri, AGGREGATE_ID))?.body === body;
    if (isKnown && found && !isEnding(found) && endsThen(found, expires, now)) return;
    if (!isKnown || !outbox.publish(presUri, AGGREGATE_ID, expires))
      outbox.publish(presUri, AGGREGATE_ID, expires, body);
  }

  #roster(presUri: string): Roster {
    return this.#rosters.get(presUri) ?? remembered(this.#o.outbox.find(presUri, AGGREGATE_ID));
  }
}

/** After a restart: what the document says that was published last. */
function remembered(record: PuaRecord | undefined): Roster {
  const roster: Roster = new Map();
  if (typeof record?.body !== 'string') return roster;
  for (const tuple of readPidf(record.body).tuples ?? []) {
    if (tuple.basic !== 'open' || tuple.id === undefined) continue;
    roster.set(tuple.id, { tuple, expiresAt: record.desiredExpires * 1000, isRemembered: true });
  }
  return roster;
}

const tupleIdOf = (binding: Binding): string => tupleId(identityOf(binding));

const byId = (a: Tuple, b: Tuple): number => (a.id! < b.id! ? -1 : 1);
