import { applyWatcherInfo, type Watcher, type WatcherInfo, type WatcherTables } from '@pua/documents';
import fc from 'fast-check';

const RESOURCE = 'sip:professor@example.net';

const watcher = (id: string, status: Watcher['status'] = 'active'): Watcher => ({
  id,
  uri: `sip:${id}@example.com`,
  status,
  event: status === 'terminated' ? 'timeout' : 'subscribe',
});
const info = (
  version: number,
  state: WatcherInfo['state'],
  watchers: readonly Watcher[],
  resource = RESOURCE,
): WatcherInfo => ({ version, state, lists: [{ resource, package: 'presence', watchers }] });

const idsOf = (tables: WatcherTables, resource = RESOURCE) => [...(tables.lists.get(resource)?.watchers.keys() ?? [])];

/** Tables and outcomes after some documents. */
function afterAll(...documents: readonly WatcherInfo[]) {
  let tables: WatcherTables | undefined;
  const outcomes = documents.map((document) => {
    const result = applyWatcherInfo(tables, document);
    tables = result.tables;
    return result.outcome;
  });
  return { tables: tables!, outcomes };
}

test('the first version is taken as it is, whatever it is', () => {
  const { tables, outcomes } = afterAll(info(17, 'full', [watcher('a'), watcher('b', 'pending')]));
  expect(outcomes).toEqual(['applied']);
  expect(tables).toEqual({
    version: 17,
    lists: new Map([
      [
        RESOURCE,
        {
          package: 'presence',
          watchers: new Map([
            ['a', watcher('a')],
            ['b', watcher('b', 'pending')],
          ]),
        },
      ],
    ]),
  });
});

test('a first document that is partial leaves the rest unknown', () => {
  const { tables, outcomes } = afterAll(info(3, 'partial', [watcher('a')]));
  expect(outcomes).toEqual(['gap']);
  expect(idsOf(tables)).toEqual(['a']);
});

test('a partial document changes, adds and ends watchers, and leaves the others', () => {
  const { tables, outcomes } = afterAll(
    info(0, 'full', [watcher('a', 'pending'), watcher('b'), watcher('c')]),
    info(1, 'partial', [watcher('a'), watcher('c', 'terminated'), watcher('d')]),
  );
  expect(outcomes).toEqual(['applied', 'applied']);
  expect(idsOf(tables)).toEqual(['a', 'b', 'd']);
  expect(tables.lists.get(RESOURCE)!.watchers.get('a')).toEqual(watcher('a'));
});

test('a full document replaces everything, lists it does not name included', () => {
  const other = 'sip:other@example.net';
  const { tables } = afterAll(
    info(0, 'full', [watcher('a')], other),
    info(1, 'partial', [watcher('b')]),
    info(2, 'full', [watcher('c')]),
  );
  expect([...tables.lists.keys()]).toEqual([RESOURCE]);
  expect(idsOf(tables)).toEqual(['c']);
});

test('a list that a partial document does not name stays', () => {
  const other = 'sip:other@example.net';
  const { tables } = afterAll(info(0, 'full', [watcher('a')], other), info(1, 'partial', [watcher('b')]));
  expect([idsOf(tables, other), idsOf(tables)]).toEqual([['a'], ['b']]);
});

test('after a gap the document is taken all the same, and the next one is in order', () => {
  const { tables, outcomes } = afterAll(
    info(0, 'full', [watcher('a')]),
    info(2, 'partial', [watcher('b')]),
    info(3, 'partial', [watcher('c')]),
    info(5, 'full', [watcher('d')]),
  );
  expect(outcomes).toEqual(['applied', 'gap', 'applied', 'gap']);
  expect(tables.version).toBe(5);
  expect(idsOf(tables)).toEqual(['d']);
});

test('what is not newer is discarded, full ones too', () => {
  const before = afterAll(info(4, 'full', [watcher('a')])).tables;
  for (const late of [info(4, 'partial', [watcher('b')]), info(4, 'full', []), info(3, 'full', [watcher('c')])]) {
    expect(applyWatcherInfo(before, late)).toEqual({ tables: before, outcome: 'discarded' });
  }
});

/** What a notifier has seen happen: one watcher per step, and whether it tells the full state. */
const step = fc.record({
  id: fc.constantFrom('a', 'b', 'c', 'd'),
  status: fc.constantFrom('pending' as const, 'active' as const, 'waiting' as const, 'terminated' as const),
  full: fc.boolean(),
  delivered: fc.oneof({ weight: 4, arbitrary: fc.constant(true) }, { weight: 1, arbitrary: fc.constant(false) }),
  again: fc.nat({ max: 3 }),
});

test('while nothing is lost since a full document, the tables are what the notifier has', () => {
  let compared = 0;
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 20 }), fc.nat({ max: 1000 }), (steps, first) => {
      const truth = new Map<string, Watcher>();
      const sent: WatcherInfo[] = [];
      let tables: WatcherTables | undefined;
      let complete = false;
      steps.forEach(({ id, status, full, delivered, again }, i) => {
        const now = watcher(id, status);
        if (status === 'terminated') truth.delete(id);
        else truth.set(id, now);
        const document = full ? info(first + i, 'full', [...truth.values()]) : info(first + i, 'partial', [now]);
        sent.push(document);
        if (!delivered) return;
        const before = tables && structuredClone(tables);
        const previous = tables;
        const { tables: after, outcome } = applyWatcherInfo(tables, document);
        // Nothing that was handed out before has changed.
        expect(previous).toEqual(before);
        complete = full || (complete && outcome === 'applied');
        if (complete) {
          compared++;
          expect(after.lists.get(RESOURCE)!.watchers).toEqual(truth);
        }
        // An old document that comes again changes nothing.
        const late = sent[Math.max(0, i - again)]!;
        expect(applyWatcherInfo(after, late)).toEqual({ tables: after, outcome: 'discarded' });
        tables = after;
      });
    }),
    { seed: 12, numRuns: 500 },
  );
  expect(compared).toBeGreaterThan(1_000);
});
