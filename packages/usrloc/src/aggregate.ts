/** One publication per AOR: a tuple per binding, one entity-tag per user, `closed` when the last binding has gone. */
import { type Binding, type PuaRecord, Schedule, type Scheduled } from '@pua/core';
import { readPidf, type Tuple } from '@pua/documents';
import type { Farewells } from './farewells.js';
import { AGGREGATE_ID, tupleId } from './identity.js';
import { lifetime, openTuple, writeDocument } from './mapping.js';
import { isSettled } from './outbox.js';
import type { Found, Publisher, PublisherOptions } from './publisher.js';

interface Live {
  readonly tuple: Tuple;
  /** When it goes if nobody tells, the grace included: milliseconds since 1970; 0: permanent. */
  readonly until: number;
  /** Known from the document of the last run only. */
  readonly isRemembered: boolean;
}

/** Live bindings of a presentity by tuple id, due when the first of them runs out. */
class Roster implements Scheduled {
  readonly live = new Map<string, Live>();
  deadline = Number.POSITIVE_INFINITY;
  scheduleIndex = -1;

  constructor(readonly presUri: string) {}
}

export class Aggregate implements Publisher {
  readonly #o: PublisherOptions;
  readonly #farewells: Farewells;
  readonly #rosters = new Map<string, Roster>();
  readonly #schedule: Schedule<Roster>;

  constructor(options: PublisherOptions, farewells: Farewells) {
    this.#o = options;
    this.#farewells = farewells;
    this.#schedule = new Schedule(options.clock, (roster) => {
      options.attempt(roster.presUri, () => this.#due(roster));
    });
  }

  idOf(): string {
    return AGGREGATE_ID;
  }

  appear(presUri: string, binding: Binding): void {
    this.refresh(presUri, binding);
  }

  refresh(presUri: string, binding: Binding, previous: Binding = binding): void {
    const roster = this.#roster(presUri);
    roster.live.delete(tupleId(previous));
    this.#enter(roster, binding);
    this.#update(roster);
    this.#o.outbox.endInherited(presUri, binding.callId, AGGREGATE_ID);
  }

  vanish(presUri: string, binding: Binding): void {
    const roster = this.#roster(presUri);
    const id = tupleId(binding);
    if (roster.live.delete(id)) this.#update(roster, id);
    this.#o.outbox.endInherited(presUri, binding.callId, AGGREGATE_ID);
  }

  abandon(presUri: string, id: string, bindings: readonly Binding[]): void {
    if (bindings.length === 0 && !this.#rosters.has(presUri)) this.#farewells.say(presUri, id);
    else this.#o.outbox.end(presUri, id);
  }

  reconcile(presUri: string, { bindings, isCompared, isPublished, isWhole }: Found): void {
    const record = this.#find(presUri);
    const ours = bindings.filter(isCompared);
    const wanted = new Set(ours.filter(isPublished));
    // Reading a document takes long, and few need it.
    const isRead = !isWhole || wanted.size < bindings.length;
    const roster = this.#rosters.get(presUri) ?? this.#remember(presUri, isRead ? record : undefined);
    // What an event had published goes on, whatever the rule says.
    for (const one of ours) if (wanted.has(one) || roster.live.has(tupleId(one))) this.#enter(roster, one);
    if (isWhole) {
      const there = new Set(bindings.map(tupleId));
      for (const [id, { isRemembered }] of roster.live) if (isRemembered && !there.has(id)) roster.live.delete(id);
    }
    if (roster.live.size > 0 || record) this.#update(roster, undefined, record);
  }

  stop(): void {
    this.#schedule.stop();
    this.#farewells.stop();
  }

  #find(presUri: string): PuaRecord | undefined {
    return this.#o.outbox.find(presUri, AGGREGATE_ID);
  }

  #roster(presUri: string): Roster {
    return this.#rosters.get(presUri) ?? this.#remember(presUri, this.#find(presUri));
  }

  /** After a restart: what the document says that was published last. */
  #remember(presUri: string, record: PuaRecord | undefined): Roster {
    const roster = new Roster(presUri);
    if (typeof record?.body !== 'string') return roster;
    for (const tuple of readPidf(record.body).tuples ?? []) {
      if (tuple.basic !== 'open' || tuple.id === undefined) continue;
      roster.live.set(tuple.id, { tuple, until: record.desiredExpires * 1000, isRemembered: true });
    }
    return roster;
  }

  #enter(roster: Roster, binding: Binding): void {
    const { documents, grace } = this.#o;
    const { expiresAt } = binding;
    const id = tupleId(binding);
    const until = expiresAt === 0 ? 0 : expiresAt + grace * 1000;
    roster.live.set(id, { tuple: openTuple(id, binding, documents), until, isRemembered: false });
  }

  /** A source need not tell everything: what is over is over. */
  #due(roster: Roster): void {
    const left = this.#endOverdue(roster);
    // Wall time need not go as fast as that of the schedule.
    if (left === undefined) this.#plan(roster);
    else this.#update(roster, left);
  }

  /** Returns the id of the last tuple that has gone. */
  #endOverdue({ live }: Roster): string | undefined {
    const now = this.#o.clock.wall();
    let left: string | undefined;
    for (const [id, { until }] of live) {
      if (until === 0 || until > now) continue;
      live.delete(id);
      left = id;
    }
    return left;
  }

  #plan(roster: Roster): void {
    const { clock } = this.#o;
    const first = Math.min(...[...roster.live.values()].map(({ until }) => until || Number.POSITIVE_INFINITY));
    roster.deadline = clock.now() + first - clock.wall();
    this.#schedule.update(roster);
  }

  /**
   * Publishes what is live now, or takes leave.
   * @param left id of the tuple that has just gone
   * @param found the record at the start: what is as it should be is left alone
   */
  #update(roster: Roster, left?: string, found?: PuaRecord): void {
    const { outbox, documents, clock } = this.#o;
    const { presUri, live } = roster;
    const last = this.#endOverdue(roster) ?? left;
    if (live.size === 0) {
      this.#rosters.delete(presUri);
      this.#schedule.remove(roster);
      this.#farewells.say(presUri, AGGREGATE_ID, last);
      return;
    }
    this.#rosters.set(presUri, roster);
    this.#plan(roster);
    this.#farewells.retract(presUri, AGGREGATE_ID);
    const tuples = [...live.values()].map(({ tuple }) => tuple).sort(byId);
    const body = writeDocument(presUri, tuples, documents);
    const ends = [...live.values()].map(({ until }) => until);
    const now = clock.wall();
    const expires = lifetime(ends.includes(0) ? 0 : Math.max(...ends), now, 0);
    const isKnown = (found ?? this.#find(presUri))?.body === body;
    if (isKnown && found && isSettled(found, expires, now)) return;
    if (!isKnown || !outbox.publish(presUri, AGGREGATE_ID, expires))
      outbox.publish(presUri, AGGREGATE_ID, expires, body);
  }
}

const byId = (a: Tuple, b: Tuple): number => (a.id! < b.id! ? -1 : 1);
