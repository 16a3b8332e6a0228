/** Any sequence of REGISTERs and waiting: the table holds what RFC 3261 10.3 says, and its events tell just that. */
import type { Binding } from '@pua/core';
import { Bindings, type ContactUpdate } from '@pua/sources';
import { SimClock } from '@pua/testkit';
import * as fc from 'fast-check';

interface Known {
  readonly contact: string;
  readonly callId: string;
  readonly cseq: number;
  readonly until: number;
}

const MAX = 3;
const contact = fc.record({
  contact: fc.constantFrom('sip:a@h', 'sip:b@h', 'sip:c@h', 'sip:d@h'),
  expires: fc.constantFrom(0, 0, 10, 20, 30, Number.POSITIVE_INFINITY),
});
const register = fc.record({
  user: fc.constantFrom('alice', 'bob'),
  callId: fc.constantFrom('x', 'y'),
  cseq: fc.integer({ min: 1, max: 40 }),
  contacts: fc.oneof(
    { weight: 8, arbitrary: fc.array(contact, { maxLength: 4 }) },
    { weight: 1, arbitrary: fc.constant('*' as const) },
  ),
});
const step = fc.oneof({ weight: 5, arbitrary: register }, { weight: 1, arbitrary: fc.integer({ min: 1, max: 15 }) });

/** Written without looking at how it is done: a list per user, tried on a copy. */
function expected(
  before: readonly Known[],
  asked: { callId: string; cseq: number; contacts: readonly ContactUpdate[] | '*' },
  now: number,
) {
  const late = (known: Known) => known.callId === asked.callId && asked.cseq <= known.cseq;
  if (asked.contacts === '*') return before.some(late) ? undefined : [];
  const after = new Map(before.map((known) => [known.contact, known]));
  const added = asked.contacts.filter(({ contact: uri }) => !after.has(uri));
  for (const { contact: uri, expires } of asked.contacts) {
    const known = before.find((one) => one.contact === uri);
    if (known && late(known)) return undefined;
    if (expires === 0) after.delete(uri);
    else after.set(uri, { contact: uri, callId: asked.callId, cseq: asked.cseq, until: now + expires * 1000 });
  }
  return added.some(({ contact: uri }) => after.has(uri)) && after.size > MAX ? undefined : [...after.values()];
}

test('model and table agree', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
      const clock = new SimClock();
      const table = new Bindings({ clock, maxContacts: MAX });
      const told = new Map<string, Binding>();
      table.onEvent(({ kind, binding, previous, siblings }) => {
        const key = `${binding.aor} ${binding.bindingId}`;
        expect(told.has(key)).toBe(kind !== 'insert');
        if (kind === 'update') expect(previous).toBe(told.get(key));
        if (kind === 'insert' || kind === 'update') told.set(key, binding);
        else told.delete(key);
        expect(siblings!.some((one) => one.bindingId === binding.bindingId)).toBe(
          kind === 'insert' || kind === 'update',
        );
      });
      const model: Record<string, readonly Known[]> = { alice: [], bob: [] };
      for (const one of steps) {
        if (typeof one === 'number') clock.advance(one * 1000);
        for (const [user, known] of Object.entries(model))
          model[user] = known.filter(({ until }) => until > clock.now());
        if (typeof one !== 'number') {
          const { user, ...asked } = one;
          const after = expected(model[user]!, asked, clock.now());
          const result = table.register({ aor: `sip:${user}@example.com`, ...asked });
          expect('fault' in result).toBe(after === undefined);
          if (after) model[user] = after;
        }
        for (const [user, known] of Object.entries(model)) {
          const held = await table.bindings(`${user}@example.com`);
          expect(held.map((b) => [b.contact, b.callId, b.cseq]).sort()).toEqual(
            known.map((k) => [k.contact, k.callId, k.cseq]).sort(),
          );
          expect(held.map((b) => told.get(`${b.aor} ${b.bindingId}`))).toEqual(held);
        }
        expect(told.size).toBe(table.size);
      }
      clock.advance(60_000);
      const forever = Object.values(model)
        .flat()
        .filter(({ until }) => until === Number.POSITIVE_INFINITY);
      expect(table.size).toBe(forever.length);
      expect(clock.pending).toBe(0);
    }),
    { seed: 3261, numRuns: 200 },
  );
});
