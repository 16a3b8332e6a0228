/**
 * A dialog is a branch of a call with its own tag; how one ends says nothing about the others.
 *
 *   INVITE -> bob, carol, dave      180 180 180 <-      200 <- carol      CANCEL -> bob, dave      487 487 <-
 */
import { brokenDialoginfo, call, callOffice, courses, harmlessParts, lamps, phone, setBack } from './office';

type Forks = typeof import('../../../dialoginfo/src/forks.js');
type Ids = typeof import('../../../dialoginfo/src/ids.js');

const GROUP = ['bob', 'carol', 'dave'].map((user, i) => ({
  branch: String(i),
  callee: phone(user, `sip:${user}@example.com`),
}));
const CANCELLED = { event: 'cancelled', code: 487 } as const;

const endedByAnyBranch = brokenDialoginfo<Forks>('forks.js', ({ tell }) => ({
  tell: (...[known, event]: Parameters<typeof tell>) => {
    if (event.kind !== 'failed') return tell(known, event);
    const { branch: _, callee, ...dialog } = event.dialog;
    return tell(known, { ...event, kind: 'terminated', dialog: { ...dialog, callee: { uri: callee.uri } } });
  },
}));

describe('9: forking (kamailio#2906, #4520; OpenSIPS#94, #3915)', () => {
  harmlessParts(
    'a group of three: the CANCELs of two branches do not concern the one that has answered',
    async (parts) => {
      const { world, calls } = await callOffice(parts, {}, { faults: { delay: [5, 100] } });
      calls.tell(call('created', { callee: { uri: 'sip:sales@example.com' } }));
      for (const branch of GROUP) calls.tell(call('early', branch));
      await world.advance(1_000);
      expect(lamps(world)).toMatchObject({ bob: ['early'], carol: ['early'], dave: ['early'] });
      calls.tell(call('confirmed', GROUP[1]));
      calls.tell(call('failed', { ...GROUP[0], reason: CANCELLED }));
      await world.advance(500);
      calls.tell(call('failed', { ...GROUP[2], reason: CANCELLED }));
      await world.advance(15_000);
      expect(lamps(world)).toEqual({ alice: ['confirmed'], carol: ['confirmed'] });
      calls.tell(call('terminated', { ...GROUP[1], reason: { event: 'bye', by: 'callee' } }));
      await world.advance(15_000);
      expect(lamps(world)).toEqual({});
      expect(setBack(world)).toEqual([]);
      await world.stop();
    },
    { 'the end of one branch were the end of the call': endedByAnyBranch },
  );

  harmlessParts(
    'one AOR, three phones, a source that knows no branches: the answered call outlives the 487s of the others',
    async (parts) => {
      const { world, calls } = await callOffice(parts);
      calls.tell(call('created'));
      for (const tag of ['desk', 'mobile', 'soft']) calls.tell(call('early', { callee: phone(tag) }));
      calls.tell(call('confirmed', { callee: phone('mobile') }));
      for (const tag of ['desk', 'soft']) calls.repeat(call('failed', { callee: phone(tag), reason: CANCELLED }));
      // And one of nobody in particular.
      calls.repeat(call('failed', { reason: CANCELLED }));
      await world.advance(15_000);
      expect(lamps(world)).toEqual({ alice: ['confirmed'], bob: ['confirmed'] });
      await world.stop();
    },
    { 'the end of one branch were the end of the call': endedByAnyBranch },
  );

  harmlessParts(
    'three 180s in the same instant: three dialogs, and all of them end',
    async (parts) => {
      const { world, calls } = await callOffice(parts, {}, { faults: { delay: [5, 100] } });
      calls.tell(call('created'));
      for (const tag of ['desk', 'mobile', 'soft']) calls.tell(call('early', { callee: phone(tag) }));
      await world.advance(1_000);
      expect(lamps(world)).toEqual({ alice: ['early', 'early', 'early'], bob: ['early', 'early', 'early'] });
      calls.tell(call('failed', { reason: { event: 'cancelled', code: 487, by: 'caller' } }));
      await world.advance(15_000);
      expect(lamps(world)).toEqual({});
      expect([...courses(world).keys()].filter((key) => key.startsWith('bob'))).toHaveLength(3);
      await world.stop();
    },
    {
      'branches had one id': brokenDialoginfo<Ids>('ids.js', () => ({ forkPart: () => '' })),
    },
  );

  for (const aggregate of [0, 1] as const) {
    harmlessParts(
      `the lamp of an AOR tells of all its calls, and only the last one puts it out (aggregate ${aggregate})`,
      async (parts) => {
        const { world, calls } = await callOffice(parts, { aggregate }, { faults: { delay: [5, 100] } });
        const second = { key: 'second', callId: 'second@pbx.example.com', callee: phone('c', 'sip:carol@example.com') };
        calls.tell(call('confirmed', { callee: phone('b') }));
        calls.tell(call('early', second));
        await world.advance(1_000);
        expect(lamps(world)).toEqual({ alice: ['confirmed', 'early'], bob: ['confirmed'], carol: ['early'] });
        calls.tell(call('failed', { ...second, reason: { event: 'rejected', code: 486 } }));
        await world.advance(15_000);
        expect(lamps(world)).toEqual({ alice: ['confirmed'], bob: ['confirmed'] });
        calls.tell(call('terminated', { callee: phone('b') }));
        await world.advance(15_000);
        expect(lamps(world)).toEqual({});
        await world.stop();
      },
      {
        'all calls had one name': brokenDialoginfo<Ids>('ids.js', () => ({ callName: () => `d${'0'.repeat(24)}` })),
      },
    );
  }
});
