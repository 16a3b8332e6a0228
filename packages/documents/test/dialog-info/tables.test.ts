import {
  applyDialogInfo,
  type Dialog,
  type DialogChange,
  type DialogInfo,
  type DialogParticipant,
  type DialogTables,
} from '@pua/documents';
import fc from 'fast-check';

const ENTITY = 'sip:alice@example.com';

const dialog = (id: string, state: Dialog['state'] = 'early', more: Partial<Dialog> = {}): Dialog => ({
  id,
  state,
  ...more,
});
const info = (version: number, state: DialogInfo['state'], ...dialogs: readonly Dialog[]): DialogInfo => ({
  version,
  state,
  entity: ENTITY,
  dialogs,
});

/** Tables, outcomes and changes after some documents. */
function afterAll(...documents: readonly DialogInfo[]) {
  let tables: DialogTables | undefined;
  const results = documents.map((document) => {
    const result = applyDialogInfo(tables, document);
    tables = result.tables;
    return result;
  });
  return {
    tables: tables!,
    outcomes: results.map(({ outcome }) => outcome),
    changes: results.map((result) => result.changes.map(({ change, dialog: { id } }) => `${change} ${id}`)),
    last: results.at(-1)!,
  };
}

test.each<[string, readonly DialogInfo[], string, number]>([
  ['the first is full', [info(17, 'full')], 'applied', 17],
  ['the first is partial: the rest is unknown', [info(17, 'partial')], 'gap', 17],
  ['one higher, full', [info(4, 'full'), info(5, 'full')], 'applied', 5],
  ['one higher, partial', [info(4, 'full'), info(5, 'partial')], 'applied', 5],
  ['more than one higher, partial: something is lost', [info(4, 'full'), info(6, 'partial')], 'gap', 6],
  ['more than one higher, full: it makes up for that', [info(4, 'full'), info(6, 'full')], 'applied', 6],
  ['the next after a gap', [info(4, 'full'), info(6, 'partial'), info(7, 'partial')], 'applied', 7],
  ['equal, full', [info(4, 'full'), info(4, 'full', dialog('a'))], 'discarded', 4],
  ['equal, partial', [info(4, 'full'), info(4, 'partial', dialog('a'))], 'discarded', 4],
  ['lower, full', [info(4, 'full'), info(3, 'full', dialog('a'))], 'discarded', 4],
  ['lower, partial', [info(4, 'full'), info(0, 'partial', dialog('a'))], 'discarded', 4],
])('%s', (_what, documents, outcome, version) => {
  const { tables, outcomes, changes } = afterAll(...documents);
  expect(outcomes.at(-1)).toBe(outcome);
  expect(tables).toEqual({ version, entity: ENTITY, dialogs: new Map() });
  expect(changes.at(-1)).toEqual([]);
});

test('a partial document adds, changes and ends dialogs, and leaves the others', () => {
  const { tables, changes } = afterAll(
    info(0, 'full', dialog('a'), dialog('b'), dialog('c')),
    info(1, 'partial', dialog('a', 'confirmed'), dialog('c', 'terminated'), dialog('d')),
  );
  expect(changes).toEqual([
    ['added a', 'added b', 'added c'],
    ['updated a', 'ended c', 'added d'],
  ]);
  expect([...tables.dialogs.values()]).toEqual([dialog('a', 'confirmed'), dialog('b'), dialog('d')]);
});

test('a full document replaces everything; what it does not name is gone', () => {
  const { tables, changes, last } = afterAll(
    info(0, 'full', dialog('a'), dialog('b', 'confirmed')),
    info(1, 'full', dialog('c'), dialog('a', 'confirmed')),
  );
  expect(changes[1]).toEqual(['added c', 'updated a', 'gone b']);
  expect(last.changes[2]!.dialog).toEqual(dialog('b', 'confirmed'));
  expect([...tables.dialogs.keys()]).toEqual(['c', 'a']);
});

test('an end is told of even where nothing was known, and each time', () => {
  const over = dialog('a', 'terminated', { event: 'cancelled' });
  const { tables, changes } = afterAll(info(0, 'full', over), info(1, 'full', over), info(2, 'partial', over));
  expect(changes).toEqual([['ended a'], ['ended a'], ['ended a']]);
  expect(tables.dialogs.size).toBe(0);
});

test('identity, target and session description need not be told again; everything else is replaced', () => {
  const local: DialogParticipant = {
    identity: { uri: 'sip:alice@example.com', display: 'Alice' },
    target: { uri: 'sip:alice@pc33.example.com', params: [{ name: 'isfocus', value: 'true' }] },
    sessionDescription: { type: 'application/sdp', text: 'v=0' },
    cseq: 1,
  };
  const remote: DialogParticipant = { identity: { uri: 'sip:bob@example.org', display: 'Bob' } };
  const identity = { uri: 'sip:alice@example.net' };
  const target = { uri: 'sip:alice@pc34.example.com' };
  const { tables, last } = afterAll(
    info(0, 'full', dialog('a', 'early', { callId: 'x', duration: 1, local, remote })),
    info(1, 'partial', dialog('a', 'confirmed', { duration: 5, local: { target } })),
    info(2, 'partial', dialog('a', 'terminated', { local: { identity, cseq: 2 } })),
  );
  expect(last.changes).toEqual([
    {
      change: 'ended',
      dialog: dialog('a', 'terminated', {
        local: { identity, target, sessionDescription: local.sessionDescription!, cseq: 2 },
        remote,
      }),
    },
  ]);
  expect(tables.dialogs.size).toBe(0);
});

test('a full document tells everything anew', () => {
  const remote: DialogParticipant = { identity: { uri: 'sip:bob@example.org' } };
  const { tables } = afterAll(info(0, 'full', dialog('a', 'early', { remote })), info(1, 'full', dialog('a')));
  expect(tables.dialogs.get('a')).toEqual(dialog('a'));
});

/** What a notifier has seen happen: one dialog per step, and how it tells of it. */
const step = fc.record({
  id: fc.constantFrom('a', 'b', 'c', 'd'),
  state: fc.constantFrom('trying' as const, 'early' as const, 'confirmed' as const, 'terminated' as const),
  full: fc.boolean(),
  delivered: fc.oneof({ weight: 4, arbitrary: fc.constant(true) }, { weight: 1, arbitrary: fc.constant(false) }),
  again: fc.nat({ max: 3 }),
});

/** A consumer that knows nothing but the changes. */
function follow(rows: Map<string, Dialog>, changes: readonly DialogChange[]): void {
  for (const { change, dialog: row } of changes) {
    if (change !== 'ended') expect(rows.has(row.id)).toBe(change !== 'added');
    if (change === 'added' || change === 'updated') rows.set(row.id, row);
    else rows.delete(row.id);
  }
}

test('while nothing is lost since a full document the tables are what the notifier has, and the changes tell it all', () => {
  let compared = 0;
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 20 }), fc.nat({ max: 1000 }), (steps, first) => {
      const truth = new Map<string, Dialog>();
      const sent: DialogInfo[] = [];
      const followed = new Map<string, Dialog>();
      let tables: DialogTables | undefined;
      let complete = false;
      steps.forEach(({ id, state, full, delivered, again }, i) => {
        const now = dialog(id, state);
        if (state === 'terminated') truth.delete(id);
        else truth.set(id, now);
        const document = full ? info(first + i, 'full', ...truth.values()) : info(first + i, 'partial', now);
        sent.push(document);
        if (!delivered) return;
        const before = tables && structuredClone(tables);
        const previous = tables;
        const { tables: after, outcome, changes } = applyDialogInfo(tables, document);
        // Nothing that was handed out before has changed.
        expect(previous).toEqual(before);
        follow(followed, changes);
        expect(after.dialogs).toEqual(followed);
        complete = full || (complete && outcome === 'applied');
        if (complete) {
          compared++;
          expect(after.dialogs).toEqual(truth);
        }
        // An old document that comes again changes nothing.
        const late = sent[Math.max(0, i - again)]!;
        expect(applyDialogInfo(after, late)).toEqual({ tables: after, outcome: 'discarded', changes: [] });
        tables = after;
      });
    }),
    { seed: 25, numRuns: 500 },
  );
  expect(compared).toBeGreaterThan(1_000);
});
