/** What is kept of bindings and calls, and for how long. */
import type { Binding, BindingEventKind } from '@pua/core';
import { SimClock } from '@pua/testkit';
import { HeldBindings } from '../../dist/webhook/held-bindings.js';
import { HeldCalls } from '../../dist/webhook/held-calls.js';
import { call } from './support';

const rest = { id: undefined, sequence: undefined };

describe('bindings', () => {
  const entry = (kind: BindingEventKind, aor: string, more: Partial<Binding> = {}) => ({
    ...rest,
    event: { kind, binding: { aor, contact: 'sip:a@x', expiresAt: 60_000, ...more } },
  });
  const make = (tells = true) => {
    const clock = new SimClock({ wall: 0 });
    return { clock, held: new HeldBindings(clock, tells ? () => {} : undefined) };
  };

  test('those that live need place: refreshes and ends go on when there is none', () => {
    const { held } = make();
    held.judge(entry('insert', 'a'));
    expect(held.sizeWith([])).toBe(1);
    expect(held.sizeWith([entry('update', 'a'), entry('delete', 'a'), entry('delete', 'b')])).toBe(1);
    expect(held.sizeWith([entry('insert', 'b'), entry('insert', 'c')])).toBe(3);
  });

  test.each([true, false])('nothing is left in the end (it tells: %s)', (tells) => {
    const { clock, held } = make(tells);
    held.judge(entry('insert', 'deleted'));
    held.judge(entry('delete', 'deleted'));
    held.judge(entry('insert', 'expired'));
    expect(held.sizeWith([])).toBe(1);
    expect(held.aors).toBe(1);
    clock.advance(60_000 + 3_600_000);
    expect([held.sizeWith([]), held.aors, clock.pending]).toEqual([0, 0, 0]);
  });
});

describe('calls', () => {
  const entry = (...given: Parameters<typeof call>) => ({ ...rest, event: call(...given) });

  test('those that live need place: what is known and ends go on when there is none', () => {
    const held = new HeldCalls(new SimClock(), 60_000, () => {});
    held.judge(entry('early'));
    expect(held.sizeWith([entry('confirmed'), entry('terminated'), entry('terminated', { key: 'b' })])).toBe(1);
    expect(held.sizeWith([entry('early', { key: 'b' })])).toBe(2);
  });

  test('nothing is left in the end', () => {
    const clock = new SimClock();
    const held = new HeldCalls(clock, 60_000, () => {});
    held.judge(entry('early', { key: 'ended' }));
    held.judge(entry('terminated', { key: 'ended' }));
    held.judge(entry('early', { key: 'lost' }));
    expect(held.sizeWith([])).toBe(1);
    clock.advance(60_000);
    expect([held.sizeWith([]), clock.pending]).toEqual([0, 0]);
  });
});
