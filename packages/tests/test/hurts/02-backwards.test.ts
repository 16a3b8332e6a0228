/**
 * Each dialog has one state that goes forward only, and what has ended stays so; whoever tells of it late, or twice, and
 * however long a PUBLISH is on its way.
 *
 *   183 -> worker A      486 -> worker B      B tells terminated      A tells early: dropped
 */
import type { DialogEvent } from '@pua/core';
import { Switchboard } from '../../dist/lamps/switchboard.js';
import { brokenDialoginfo, call, callOffice, courses, documents, harmlessParts, lamps, phone, setBack } from './office';

type State = typeof import('../../../dialoginfo/src/state.js');
type Forks = typeof import('../../../dialoginfo/src/forks.js');
type Sent = typeof import('../../../dialoginfo/src/publications.js');

const begunAnew = brokenDialoginfo<Forks>('forks.js', ({ tell }) => ({
  tell: (...[known, event]: Parameters<typeof tell>) => {
    if (known.ended) known.forks.length = 0;
    known.ended = false;
    return tell(known, event);
  },
}));

const takenBack = brokenDialoginfo<State>('state.js', ({ nextState }) => ({
  nextState: (...[now, kind, told]: Parameters<typeof nextState>) =>
    now === 'terminated' ? null : nextState(undefined, kind, told),
}));

function permutations<T>(items: readonly T[]): T[][] {
  if (items.length < 2) return [[...items]];
  return items.flatMap((item, i) =>
    permutations([...items.slice(0, i), ...items.slice(i + 1)]).map((rest) => [item, ...rest]),
  );
}

describe('2: state goes backwards (kamailio#3192, #2540, #3229, #1427, #1489; kazoo-configs-kamailio#32)', () => {
  harmlessParts(
    'workers tell of INVITE, 183, 180 and 486 in any order',
    async (parts) => {
      const { world, calls } = await callOffice(parts, {}, { faults: { delay: [5, 300] } });
      const events = [
        call('created'),
        call('early', { state: 'proceeding' }),
        call('early', { callee: phone('b') }),
        call('failed', { callee: phone('b'), reason: { event: 'rejected', code: 486 } }),
      ];
      for (const [number, order] of permutations(events).entries()) {
        for (const { dialog, ...event } of order) {
          calls.repeat({ ...event, dialog: { ...dialog, key: `${number}`, callId: `${number}@pbx.example.com` } });
          await world.advance(700);
        }
      }
      await world.advance(15_000);
      expect(setBack(world)).toEqual([]);
      expect(lamps(world)).toEqual({});
      // Not all of them were told of their end first.
      expect(courses(world).size).toBeGreaterThan(20);
      await world.stop();
    },
    { 'a call that is over began anew': begunAnew, 'a state could be taken back': takenBack },
  );

  harmlessParts(
    'another node tells the same once more, seconds later (DMQ)',
    async (parts) => {
      const [here, there] = [new Switchboard(), new Switchboard()];
      const options = { sources: [here, there] };
      const { world } = await callOffice(parts, options, { faults: { delay: [5, 300] } });
      const story: DialogEvent[] = [
        call('created'),
        call('early', { callee: phone('b') }),
        call('confirmed', { callee: phone('b') }),
        call('terminated', { callee: phone('b'), reason: { event: 'bye', by: 'caller' } }),
      ];
      for (const [i, event] of story.entries()) {
        here.tell(event);
        if (i > 1) there.repeat(story[i - 2]!);
        await world.advance(1_000);
      }
      for (const event of story.slice(2)) there.repeat(event);
      await world.advance(15_000);
      expect(setBack(world)).toEqual([]);
      // Each state once.
      expect([...courses(world).values()]).toEqual([
        ['trying', 'early', 'confirmed', 'terminated'],
        ['early', 'confirmed', 'terminated'],
      ]);
      expect(lamps(world)).toEqual({});
      await world.stop();
    },
    { 'a call that is over began anew': begunAnew, 'a state could be taken back': takenBack },
  );

  harmlessParts(
    'ringing, answer and hang-up inside one PUBLISH, on a network that delays and reorders',
    async (parts) => {
      const { world, calls } = await callOffice(parts, {}, { faults: { delay: [5, 800], loss: 0.1, duplicate: 0.1 } });
      for (let number = 0; number < 40; number++) {
        const own = { key: `${number}`, callId: `${number}@pbx.example.com`, callee: phone(`b${number}`) };
        for (const kind of ['created', 'early', 'confirmed', 'terminated'] as const) {
          calls.tell(call(kind, own));
          await world.advance((number % 8) * 20);
        }
      }
      await world.advance(60_000);
      expect(setBack(world)).toEqual([]);
      expect(lamps(world)).toEqual({});
      const last = [...courses(world).values()].map((states) => states.at(-1));
      expect(new Set(last)).toEqual(new Set(['terminated']));
      // What was overtaken while a PUBLISH was on its way need not be told.
      expect(documents(world).length).toBeLessThan(40 * 7);
      await world.stop();
    },
    {
      'each state had a publication of its own': brokenDialoginfo<Sent>('publications.js', ({ Publications }) => {
        let number = 0;
        return {
          Publications: class extends Publications {
            override idFor(dialogId: string): string {
              return `${super.idFor(dialogId)}.${number++}`;
            }
          },
        };
      }),
    },
  );
});
