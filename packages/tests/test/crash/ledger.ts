/** Holds what a killed process had said against the file it has left and against what the server holds. */
import type { PresenceServer } from '@pua/testkit';
import type { Line, RestoredRecord, Snapshot } from '../../dist/crash/protocol';
import { userOf, type Wire } from './wire';

type State = Snapshot | null;

interface Known {
  /** Of the change that brought it; 0: found in the table. */
  readonly number: number;
  readonly row: State;
}

const RAISE = 1000;
/** What a record does about the end of a lifetime is not judged so near to it. */
const END_MS = 1_000;

const raised = (row: Snapshot): Snapshot => (row.callId === '' ? row : { ...row, cseq: row.cseq + RAISE });
const userIn = (key: string) => /sip:([^@]+)@/.exec(key)![1]!;
const show = (row: State | undefined) => (row ? JSON.stringify(row) : 'ended');

/** By what the server knows it. A dialog whose first answer was not read can't be gone on with. */
const namesOf = ({ etag, callId, toTag }: Snapshot) => [
  ...(etag === '' ? [] : [etag]),
  ...(toTag === '' ? [] : [callId]),
];

function same(said: State, found: State): boolean {
  if (!said || !found) return said === found;
  // An entity-tag whose lifetime has passed is dropped without a word: the record publishes anew.
  const etag = said.etag === found.etag || found.etag === '';
  const { note, pending, callId, fromTag, toTag, cseq } = said;
  const dialog = callId === found.callId && fromTag === found.fromTag && toTag === found.toTag && cseq === found.cseq;
  return etag && dialog && note === found.note && pending === found.pending;
}

export class Ledger {
  readonly violations: string[] = [];
  readonly counts = { kills: 0, beforeStart: 0, marks: 0, durable: 0, unwritten: 0, restored: 0, orphans: 0 };
  #table: ReadonlyMap<string, Snapshot> = new Map();
  /** Entity-tags and Call-IDs of dialogs that were on the disk once, with the last end of their lifetime there, ms since 1970. */
  readonly #safe = new Map<string, number>();
  readonly #orphans = new WeakSet<object>();

  constructor(
    readonly server: PresenceServer,
    readonly wire: Wire,
  ) {}

  /** After a kill. `lines`: what the dead process had said; `table`: what is in its file. */
  killed(lines: readonly Line[], table: ReadonlyMap<string, Snapshot>): void {
    this.counts.kills++;
    const started = lines.find((line) => line.is === 'started');
    if (!started) this.counts.beforeStart++;
    const history = this.#history(lines, started !== undefined);
    let mark = 0;
    for (const line of lines) if (line.is === 'durable') mark = Math.max(mark, line.mark);
    for (const [key, states] of history) this.#compare(key, states, mark, table.get(key) ?? null);
    for (const key of table.keys()) if (!history.has(key)) this.#found(`${key}: a row that nobody spoke of`);

    for (const [key, row] of table) {
      if (row.etag === '') continue;
      const given = this.wire.etags.get(row.etag);
      if (given?.user !== userIn(key)) this.#found(`${key}: entity-tag ${row.etag} was given to ${given?.user}`);
    }
    this.#countOrphans(table);
    for (const row of table.values()) for (const name of namesOf(row)) this.#safe.set(name, row.expires * 1000);
    this.#table = table;
  }

  /** Everything each record was in this life, oldest first; what was restored is checked on the way. */
  #history(lines: readonly Line[], started: boolean): Map<string, Known[]> {
    const history = new Map<string, Known[]>();
    for (const [key, row] of this.#table) {
      // Killed before it said that it had started, it may have raised the CSeqs or not; before any change it had.
      history.set(
        key,
        started
          ? [{ number: 0, row: raised(row) }]
          : [
              { number: 0, row },
              { number: 1, row: raised(row) },
            ],
      );
    }
    for (const line of lines) {
      if (line.is === 'fault') this.#found(`fault: ${line.text}`);
      else if (line.is === 'durable') this.counts.marks++;
      else if (line.is === 'started') this.#restored(line.records, history);
      else if (line.is === 'change') {
        const states = history.get(line.key) ?? [{ number: 0, row: null }];
        states.push({ number: line.number, row: line.row });
        history.set(line.key, states);
      }
    }
    return history;
  }

  /** What the process has read is what was in the file, as far as it has not changed it already. */
  #restored(records: readonly RestoredRecord[], history: ReadonlyMap<string, readonly Known[]>): void {
    const read = new Map(records.map((record) => [record.key, record]));
    for (const [key, states] of history) {
      const row = states.at(-1)!.row;
      const record = read.get(key);
      read.delete(key);
      this.counts.restored++;
      if (!row && !record) continue;
      if (!row || !record || !same(row, { ...row, ...record })) {
        this.#found(`${key}: restored as ${JSON.stringify(record)}, the table had ${show(row)}`);
      }
    }
    for (const key of read.keys()) this.#found(`${key}: restored, but not in the table`);
  }

  /** The newest state that the row may be must not be older than the newest one that was said to be durable. */
  #compare(key: string, states: readonly Known[], mark: number, found: State): void {
    const durable = states.findLastIndex(({ number }) => number <= mark);
    const actual = states.findLastIndex(({ row }) => same(row, found));
    this.counts.durable += durable;
    if (actual < states.length - 1) this.counts.unwritten++;
    if (actual < 0) this.#found(`${key}: nobody wrote ${show(found)}; last said ${show(states.at(-1)!.row)}`);
    else if (actual < durable) {
      const { number, row } = states[durable]!;
      this.#found(`${key}: durable up to ${mark}, so change ${number}: ${show(row)}; found ${show(found)}`);
    }
  }

  /**
   * What the server holds and the file does not know is an orphan. A kill makes at most one of each record, because
   * a record has one request in flight and asks nothing new before it has read the answer. (Of one kill, many records
   * may have one: the invariant is one of records.) What was on the disk once is not given up before its lifetime
   * there has passed. (It may live longer at the server, when the kill before hit a refresh whose answer was lost.)
   */
  #countOrphans(table: ReadonlyMap<string, Snapshot>): void {
    const known = new Set<string>();
    for (const row of table.values()) for (const name of namesOf(row)) known.add(name);
    const made = new Map<string, number>();
    const holds = [
      ...this.server.publications.map((one) => ({
        one,
        record: `publication of ${userOf(one.presentity)}`,
        name: one.etag,
      })),
      ...this.server.subscriptions.map((one) => ({
        one,
        record: `subscription to ${userOf(one.presentity)}`,
        name: one.callId,
      })),
    ];
    for (const { one, record, name } of holds) {
      if (known.has(name) || this.#orphans.has(one)) continue;
      this.#orphans.add(one);
      this.counts.orphans++;
      const until = this.#safe.get(name);
      if (until !== undefined) {
        if (until - Date.now() > END_MS) this.#found(`${record}: ${name} was on the disk and is given up`);
        continue;
      }
      const number = (made.get(record) ?? 0) + 1;
      made.set(record, number);
      if (number > 1) this.#found(`${number} orphans of one kill: ${record}`);
    }
  }

  #found(violation: string): void {
    this.violations.push(`kill ${this.counts.kills}: ${violation}`);
  }
}
