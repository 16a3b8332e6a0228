/** Which dialogs of a call an event is about (RFC 4235 section 3.7.1: several dialogs from one INVITE). */
import type { DialogEventKind, DialogSnapshot } from '@pua/core';
import { Call } from '../dist/call.js';
import { tell } from '../dist/forks.js';
import { event, ringing } from './support/source';

/** A call after these events, as `id-part/tag/branch state` of each fork; `first` is the id of the half-dialog. */
function story(...events: [DialogEventKind, Partial<DialogSnapshot>?][]) {
  const call = new Call('d0', false);
  const stale = events.map(([kind, dialog]) => tell(call, event(kind, dialog)).stale);
  const forks = call.forks.map(
    ({ part, tag, branch, state, reason }) =>
      `${part === '' ? 'first' : 'fork'} ${tag ?? '-'} ${branch ?? '-'} ${state}${reason?.event ? ` ${reason.event}` : ''}`,
  );
  return { call, forks, stale, ended: call.ended };
}

const tagged = (tag: string, more: Partial<DialogSnapshot> = {}) => ({ callee: ringing(tag), ...more });
const on = (branch: string, tag?: string) => (tag === undefined ? { branch } : { branch, callee: ringing(tag) });

describe('tags', () => {
  test('the first tag keeps the id of the half-dialog', () => {
    expect(story(['created'], ['early', tagged('t1')]).forks).toEqual(['first t1 - early']);
  });

  test('each further tag is a dialog with an id of its own', () => {
    const { forks, call } = story(
      ['created'],
      ['early', tagged('t1')],
      ['early', tagged('t2')],
      ['early', tagged('t3')],
    );
    expect(forks).toEqual(['first t1 - early', 'fork t2 - early', 'fork t3 - early']);
    expect(new Set(call.forks.map(({ part }) => part)).size).toBe(3);
  });

  test('a provisional answer without tag is of the half-dialog', () => {
    expect(story(['created'], ['early', { state: 'proceeding' }]).forks).toEqual(['first - - proceeding']);
  });

  test('an event without tag is about the dialog that was told of last', () => {
    const { forks } = story(['early', tagged('t1')], ['early', tagged('t2')], ['confirmed']);
    expect(forks).toEqual(['first t1 - terminated cancelled', 'fork t2 - confirmed']);
  });

  test('the answer decides: the others have lost', () => {
    const { forks, ended } = story(
      ['created'],
      ['early', tagged('t1')],
      ['early', tagged('t2')],
      ['confirmed', tagged('t2')],
    );
    expect(forks).toEqual(['first t1 - terminated cancelled', 'fork t2 - confirmed']);
    expect(ended).toBe(false);
  });

  test('an answer of somebody who never rang', () => {
    const { forks } = story(['early', tagged('t1')], ['confirmed', tagged('t2')]);
    expect(forks).toEqual(['first t1 - terminated cancelled', 'fork t2 - confirmed']);
  });

  test('a loser that still rings is of the past, known or not', () => {
    const { forks, stale } = story(
      ['early', tagged('t1')],
      ['early', tagged('t2')],
      ['confirmed', tagged('t1')],
      ['early', tagged('t2')],
      ['early', tagged('t3')],
      ['early'],
    );
    expect(forks).toEqual(['first t1 - confirmed', 'fork t2 - terminated cancelled']);
    expect(stale).toEqual([false, false, false, true, true, true]);
  });

  test('a second answer opens a second dialog; each ends by itself', () => {
    const answered = [
      ['confirmed', tagged('t1')],
      ['confirmed', tagged('t2')],
    ] as [DialogEventKind, object][];
    expect(story(...answered).forks).toEqual(['first t1 - confirmed', 'fork t2 - confirmed']);
    const one = story(...answered, ['terminated', tagged('t1', { reason: { event: 'bye' } })]);
    expect(one.forks).toEqual(['first t1 - terminated bye', 'fork t2 - confirmed']);
    expect(one.ended).toBe(false);
    expect(story(...answered, ['terminated', tagged('t1')], ['terminated', tagged('t2')]).ended).toBe(true);
    expect(story(...answered, ['terminated']).ended).toBe(true);
  });

  test('one that has lost may say so as it likes: the answered one lives on', () => {
    const { forks, stale } = story(
      ['early', tagged('t1')],
      ['early', tagged('t2')],
      ['confirmed', tagged('t1')],
      ['terminated', tagged('t2')],
    );
    expect(forks).toEqual(['first t1 - confirmed', 'fork t2 - terminated cancelled']);
    expect(stale).toEqual([false, false, false, true]);
  });

  test('an empty tag or branch is none, and wipes out nothing', () => {
    const { forks, call } = story(
      ['early', tagged('t1')],
      ['early', { branch: '', callee: { uri: '', tag: '', contact: '' } }],
      ['confirmed', { branch: '', callee: { uri: '', tag: '' } }],
    );
    expect(forks).toEqual(['first t1 - confirmed']);
    expect(call.forks[0]!.parties.callee).toMatchObject(ringing('t1'));
  });

  test('who answers with ever new tags gets a hundred dialogs', () => {
    const many = Array.from({ length: 150 }, (_, i): [DialogEventKind, object] => ['early', tagged(`t${i}`)]);
    const { forks, stale } = story(...many, ['confirmed', tagged('t7')]);
    expect(forks).toHaveLength(100);
    expect(stale.filter((one) => one)).toHaveLength(50);
    expect(forks.filter((fork) => fork.endsWith('confirmed'))).toEqual(['fork t7 - confirmed']);
  });

  test('another peer in the place of the first keeps the id', () => {
    const { forks } = story(['confirmed', tagged('t1')], ['updated', tagged('t2')]);
    expect(forks).toEqual(['first t2 - confirmed']);
  });

  test('tags and contacts that an event leaves out stay known', () => {
    const { call } = story(['early', tagged('t1')], ['confirmed', { caller: { uri: 'sip:alice@example.com' } }]);
    const { caller, callee } = call.forks[0]!.parties;
    expect(caller).toMatchObject({ tag: 'a-tag', contact: 'sip:alice@192.0.2.1:5062' });
    expect(callee).toMatchObject({ tag: 't1', contact: 'sip:t1@192.0.2.2' });
  });
});

describe('branches', () => {
  test('the first branch has the id of the half-dialog, each other one its own, whatever their tags are', () => {
    const { forks, call } = story(
      ['created'],
      ['early', on('0')],
      ['early', on('1')],
      ['early', on('1', 't1')],
      ['early', on('0', 't0')],
    );
    expect(forks).toEqual(['first t0 0 early', 'fork t1 1 early']);
    const again = story(['created'], ['early', on('0', 't0')], ['early', on('1', 't1')]);
    expect(again.call.forks[1]!.part).toBe(call.forks[1]!.part);
  });

  test('a branch that was forked again has a dialog per tag', () => {
    expect(story(['early', on('0', 't1')], ['early', on('0', 't2')]).forks).toEqual([
      'first t1 0 early',
      'fork t2 0 early',
    ]);
  });

  test('a failed branch ends alone', () => {
    const { forks, ended } = story(['created'], ['early', on('0')], ['early', on('1')], ['failed', on('0')]);
    expect(forks).toEqual(['first - 0 terminated', 'fork - 1 early']);
    expect(ended).toBe(false);
  });

  test('with all the dialogs it has become', () => {
    const { forks } = story(['early', on('0', 't1')], ['early', on('0', 't2')], ['failed', on('0')]);
    expect(forks).toEqual(['first t1 0 terminated', 'fork t2 0 terminated']);
  });

  test('but for the one whose tag is told', () => {
    const { forks } = story(['early', on('0', 't1')], ['early', on('0', 't2')], ['failed', on('0', 't2')]);
    expect(forks).toEqual(['first t1 0 early', 'fork t2 0 terminated']);
  });

  test('another one may follow it (serial forking)', () => {
    const { forks, stale } = story(['created'], ['failed', on('0')], ['early', on('1')], ['confirmed', on('1')]);
    expect(forks).toEqual(['first - - terminated', 'fork - 1 confirmed']);
    expect(stale).toEqual([false, false, false, false]);
  });

  test('its own late answers are of the past', () => {
    const { stale, forks } = story(['early', on('0')], ['failed', on('0')], ['early', on('0', 't1')], ['early']);
    expect(stale).toEqual([false, false, true, true]);
    expect(forks).toEqual(['first - 0 terminated']);
  });

  test('kamailio#2906: the branch that is cancelled after the answer does not end the call', () => {
    const branches = story(['early', on('0')], ['early', on('1')], ['confirmed', on('1')], ['failed', on('0')]);
    expect(branches.forks).toEqual(['first - 0 terminated cancelled', 'fork - 1 confirmed']);
    const unknown = story(['confirmed', tagged('t1')], ['failed'], ['failed', on('7')]);
    expect(unknown.forks).toEqual(['first t1 - confirmed']);
    expect(unknown.stale).toEqual([false, true, true]);
  });
});

describe('the end of a call', () => {
  test.each(['failed', 'terminated', 'expired'] as const)('%s without branch ends all that ring', (kind) => {
    const { forks, ended } = story(['early', tagged('t1')], ['early', tagged('t2')], [kind, tagged('t2')]);
    expect(forks.every((fork) => fork.includes('terminated'))).toBe(true);
    expect(ended).toBe(true);
  });

  test('the dialog timer knows no branches', () => {
    expect(story(['early', on('0')], ['early', on('1')], ['expired', on('1')]).ended).toBe(true);
  });

  test('nothing begins after it', () => {
    const { stale, forks } = story(['confirmed', tagged('t1')], ['terminated'], ['early', tagged('t2')], ['confirmed']);
    expect(stale).toEqual([false, false, true, true]);
    expect(forks).toHaveLength(1);
  });

  test('it may be the first that is heard of it', () => {
    const { stale, ended } = story(['terminated'], ['early', tagged('t1')]);
    expect([ended, ...stale]).toEqual([true, false, true]);
  });

  test('an end may be told by any event', () => {
    expect(story(['early'], ['updated', { state: 'terminated' }]).ended).toBe(true);
  });
});
