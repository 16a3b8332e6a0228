import {
  applyRegInfo,
  type ContactChange,
  type RegInfo,
  type Registration,
  type RegistrationContact,
  type RegistrationTables,
} from '@pua/documents';
import fc from 'fast-check';

const AOR = 'sip:nina@fleet.example';

const contact = (id: string, event: RegistrationContact['event'] = 'registered'): RegistrationContact => ({
  id,
  uri: `sip:${id}@192.0.2.1`,
  state: ['registered', 'created', 'refreshed', 'shortened'].includes(event) ? 'active' : 'terminated',
  event,
});
const registration = (
  id: string,
  state: Registration['state'],
  ...contacts: readonly RegistrationContact[]
): Registration => ({ aor: AOR, id, state, contacts });
const info = (version: number, state: RegInfo['state'], ...registrations: readonly Registration[]): RegInfo => ({
  version,
  state,
  registrations,
});

/** Tables, outcomes and changes after some documents. */
function afterAll(...documents: readonly RegInfo[]) {
  let tables: RegistrationTables | undefined;
  const results = documents.map((document) => {
    const result = applyRegInfo(tables, document);
    tables = result.tables;
    return result;
  });
  return {
    tables: tables!,
    outcomes: results.map(({ outcome }) => outcome),
    changes: results.map((result) =>
      result.changes.map(({ change, registrationId, contact: { id } }) => `${change} ${registrationId}/${id}`),
    ),
    last: results.at(-1)!,
  };
}

const idsOf = (tables: RegistrationTables) =>
  [...tables.registrations].map(([id, { state, contacts }]) => `${id} ${state}: ${[...contacts.keys()].join(' ')}`);

test.each<[string, readonly RegInfo[], string, number]>([
  ['the first is full', [info(17, 'full')], 'applied', 17],
  ['the first is partial: the rest is unknown', [info(17, 'partial')], 'gap', 17],
  ['one higher, full', [info(4, 'full'), info(5, 'full')], 'applied', 5],
  ['one higher, partial', [info(4, 'full'), info(5, 'partial')], 'applied', 5],
  ['more than one higher, partial', [info(4, 'full'), info(6, 'partial')], 'gap', 6],
  ['more than one higher, even when it is full', [info(4, 'full'), info(6, 'full')], 'gap', 6],
  ['the next after a gap', [info(4, 'full'), info(6, 'partial'), info(7, 'partial')], 'applied', 7],
  ['equal, full', [info(4, 'full'), info(4, 'full', registration('r', 'init'))], 'discarded', 4],
  ['equal, partial', [info(4, 'full'), info(4, 'partial', registration('r', 'init'))], 'discarded', 4],
  ['lower, full', [info(4, 'full'), info(3, 'full', registration('r', 'init'))], 'discarded', 4],
  ['lower, partial', [info(4, 'full'), info(0, 'partial', registration('r', 'init'))], 'discarded', 4],
])('%s', (_what, documents, outcome, version) => {
  const { tables, outcomes, changes } = afterAll(...documents);
  expect(outcomes.at(-1)).toBe(outcome);
  expect(tables).toEqual({ version, registrations: new Map() });
  expect(changes.at(-1)).toEqual([]);
});

test('a partial document adds, changes and ends contacts, and leaves the others', () => {
  const { tables, changes } = afterAll(
    info(
      0,
      'full',
      registration('r', 'active', contact('a'), contact('b'), contact('c')),
      registration('s', 'active', contact('x')),
    ),
    info(1, 'partial', registration('r', 'active', contact('a', 'refreshed'), contact('c', 'expired'), contact('d'))),
  );
  expect(changes).toEqual([
    ['added r/a', 'added r/b', 'added r/c', 'added s/x'],
    ['updated r/a', 'ended r/c', 'added r/d'],
  ]);
  expect(idsOf(tables)).toEqual(['r active: a b d', 's active: x']);
  expect(tables.registrations.get('r')).toEqual({
    aor: AOR,
    state: 'active',
    contacts: new Map([
      ['a', contact('a', 'refreshed')],
      ['b', contact('b')],
      ['d', contact('d')],
    ]),
  });
});

test('a full document flushes every table; what it does not name is gone, with its AOR and as it was', () => {
  const { tables, changes, last } = afterAll(
    info(
      0,
      'full',
      registration('r', 'active', contact('a'), contact('b', 'created')),
      registration('s', 'active', contact('x')),
    ),
    info(1, 'full', registration('r', 'active', contact('c'), contact('a'))),
  );
  expect(changes[1]).toEqual(['added r/c', 'updated r/a', 'gone r/b', 'gone s/x']);
  expect(last.changes[2]).toEqual({
    change: 'gone',
    aor: AOR,
    registrationId: 'r',
    contact: contact('b', 'created'),
  });
  expect(idsOf(tables)).toEqual(['r active: c a']);
});

test('an end tells its event, also where nothing was known', () => {
  const { tables, last } = afterAll(info(0, 'full', registration('r', 'active', contact('a', 'probation'))));
  expect(last.changes).toEqual([
    { change: 'ended', aor: AOR, registrationId: 'r', contact: contact('a', 'probation') },
  ]);
  expect(idsOf(tables)).toEqual(['r active: ']);
});

test('an active contact of a document is what counts, whatever its expires says', () => {
  const { tables, changes } = afterAll(
    info(
      0,
      'full',
      registration('r', 'active', { ...contact('a'), expires: 0 }, { ...contact('b', 'unregistered'), expires: 222 }),
    ),
  );
  expect(changes).toEqual([['added r/a', 'ended r/b']]);
  expect(idsOf(tables)).toEqual(['r active: a']);
});

describe('a registration that is over', () => {
  const before = info(0, 'full', registration('r', 'active', contact('a'), contact('b')));

  test('ends all its contacts, also those that are not named', () => {
    const { tables, changes } = afterAll(
      before,
      info(1, 'partial', registration('r', 'terminated', contact('a', 'expired'))),
    );
    expect(changes[1]).toEqual(['ended r/a', 'gone r/b']);
    expect(idsOf(tables)).toEqual([]);
  });

  test('may be init or absent afterwards', () => {
    const over = info(1, 'full', registration('r', 'terminated'));
    expect(idsOf(afterAll(before, over, info(2, 'partial')).tables)).toEqual([]);
    expect(idsOf(afterAll(before, over, info(2, 'full', registration('r', 'init'))).tables)).toEqual(['r init: ']);
  });

  test('may go to init at once', () => {
    const { tables, changes } = afterAll(before, info(1, 'partial', registration('r', 'init')));
    expect(changes[1]).toEqual(['gone r/a', 'gone r/b']);
    expect(idsOf(tables)).toEqual(['r init: ']);
  });

  test('has no active contact, even if the document says so', () => {
    const { tables, changes } = afterAll(before, info(1, 'partial', registration('r', 'terminated', contact('a'))));
    expect(changes[1]).toEqual(['ended r/a', 'gone r/b']);
    expect(idsOf(tables)).toEqual([]);
  });

  test('comes back with contacts of its own', () => {
    const { tables, changes } = afterAll(
      before,
      info(1, 'partial', registration('r', 'terminated')),
      info(2, 'partial', registration('r', 'active', contact('c'))),
    );
    expect(changes[2]).toEqual(['added r/c']);
    expect(idsOf(tables)).toEqual(['r active: c']);
  });
});

test.each([
  ['the active one first', (a: Registration, b: Registration) => [a, b]],
  ['the active one last', (a: Registration, b: Registration) => [b, a]],
])('a registration that two publishers tell of is active while one of them says so: %s', (_what, order) => {
  const one = registration('r', 'active', contact('a'));
  const other = registration('r', 'terminated', contact('b', 'unregistered'));
  const { tables, changes } = afterAll(
    info(0, 'full', registration('r', 'active', contact('a'), contact('b'))),
    info(1, 'full', ...order(one, other)),
  );
  expect([...changes[1]!].sort()).toEqual(['ended r/b', 'updated r/a']);
  expect(idsOf(tables)).toEqual(['r active: a']);
});

/** What a notifier has seen happen: one contact per step, and how it tells of it. */
const step = fc.record({
  registrationId: fc.constantFrom('r', 's'),
  id: fc.constantFrom('a', 'b', 'c'),
  event: fc.constantFrom('registered' as const, 'refreshed' as const, 'expired' as const, 'deactivated' as const),
  full: fc.boolean(),
  delivered: fc.oneof({ weight: 4, arbitrary: fc.constant(true) }, { weight: 1, arbitrary: fc.constant(false) }),
  again: fc.nat({ max: 3 }),
});

type Rows = Map<string, RegistrationContact>;

/** A consumer that knows nothing but the changes. */
function follow(rows: Rows, changes: readonly ContactChange[]): void {
  for (const { change, registrationId, contact: row } of changes) {
    const key = `${registrationId}/${row.id}`;
    if (change !== 'ended') expect(rows.has(key)).toBe(change !== 'added');
    if (change === 'added' || change === 'updated') rows.set(key, row);
    else rows.delete(key);
  }
}

const rowsOf = ({ registrations }: RegistrationTables): Rows =>
  new Map([...registrations].flatMap(([id, { contacts }]) => [...contacts].map(([key, row]) => [`${id}/${key}`, row])));

test('while nothing is lost since a full document the tables are what the notifier has, and the changes tell it all', () => {
  let compared = 0;
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 20 }), fc.nat({ max: 1000 }), (steps, first) => {
      const truth: Rows = new Map();
      const sent: RegInfo[] = [];
      const followed: Rows = new Map();
      let tables: RegistrationTables | undefined;
      let complete = false;
      const stateOf = (id: string, ...contacts: readonly RegistrationContact[]) => {
        const isActive = [...truth.keys()].some((key) => key.startsWith(`${id}/`));
        return registration(id, isActive ? 'active' : 'terminated', ...contacts);
      };
      const all = (id: string) => [...truth].filter(([key]) => key.startsWith(`${id}/`)).map(([, row]) => row);
      steps.forEach(({ registrationId, id, event, full, delivered, again }, i) => {
        const now = contact(id, event);
        if (now.state === 'terminated') truth.delete(`${registrationId}/${id}`);
        else truth.set(`${registrationId}/${id}`, now);
        const document = full
          ? info(first + i, 'full', ...['r', 's'].map((each) => stateOf(each, ...all(each))))
          : info(first + i, 'partial', stateOf(registrationId, now));
        sent.push(document);
        if (!delivered) return;
        const before = tables && structuredClone(tables);
        const previous = tables;
        const { tables: after, outcome, changes } = applyRegInfo(tables, document);
        // Nothing that was handed out before has changed.
        expect(previous).toEqual(before);
        follow(followed, changes);
        expect(rowsOf(after)).toEqual(followed);
        complete = full || (complete && outcome === 'applied');
        if (complete) {
          compared++;
          expect(rowsOf(after)).toEqual(truth);
        }
        // An old document that comes again changes nothing.
        const late = sent[Math.max(0, i - again)]!;
        expect(applyRegInfo(after, late)).toEqual({ tables: after, outcome: 'discarded', changes: [] });
        tables = after;
      });
    }),
    { seed: 35, numRuns: 500 },
  );
  expect(compared).toBeGreaterThan(1_000);
});
