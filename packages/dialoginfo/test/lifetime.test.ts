/** How long calls live, and that each ends. */

import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { channels } from '@pua/core';
import { ALICE, ringing } from './support/source';
import { inWorld } from './support/world';

const answered = { callee: ringing() };
const HOUR = 3_600_000;

test('without a word of the source: 12 hours, in PUBLISHes of 300 s', async () => {
  const w = await inWorld();
  w.source.say('confirmed', answered);
  await w.settle();
  expect(w.published.map(({ expires }) => expires)).toEqual([300, 300]);
  await w.advance(12 * HOUR - 60_000);
  expect(w.lamps()).toEqual({ alice: ['confirmed'], bob: ['confirmed'] });
  await w.advance(61_000);
  expect(w.lamps()).toEqual({});
  await w.advance(10_000);
  expect(w.module.stats()).toEqual({ calls: 0, publications: 0, dropped: 0 });
});

test('a crash of ours clears the lamps within publish_expires', async () => {
  const w = await inWorld({ dialoginfo: { publishExpires: 120 } });
  w.source.say('confirmed', answered);
  await w.advance(1_000_000);
  w.network.partition('10.0.0.1');
  await w.advance(121_000);
  expect(w.server.publications).toEqual([]);
});

test('the lifetime that the source tells', async () => {
  const w = await inWorld({ dialoginfo: { publishExpires: 100_000 } });
  w.source.say('confirmed', { ...answered, lifetime: 1800 });
  await w.settle();
  expect(w.published.map(({ expires }) => expires)).toEqual([1801, 1801]);
});

test('override_lifetime is for every state but the end', async () => {
  const w = await inWorld({ dialoginfo: { publishExpires: 100_000, overrideLifetime: 500 } });
  w.source.say('created', { lifetime: 60 });
  w.source.say('confirmed', { ...answered, lifetime: 9_000 });
  await w.advance(100);
  w.source.say('terminated', answered);
  await w.settle();
  expect(w.published.map(({ expires }) => expires)).toEqual([501, 501, 501, 11, 11]);
});

test('a change of it is followed, without another document: session timers (RFC 4028)', async () => {
  const w = await inWorld({ dialoginfo: { publishExpires: 100_000 } });
  w.source.say('confirmed', { ...answered, lifetime: 1800 });
  await w.settle();
  w.told();
  for (let minutes = 0; minutes < 120; minutes += 15) {
    await w.advance(900_000);
    w.source.say('updated', { ...answered, lifetime: 1800 }, { method: 'UPDATE' });
  }
  await w.advance(1_790_000);
  expect(w.lamps()).toEqual({ alice: ['confirmed'], bob: ['confirmed'] });
  expect(w.told().every((line) => line.includes('refreshed'))).toBe(true);
  await w.advance(20_000);
  expect(w.lamps()).toEqual({});
});

test('a shorter one, too', async () => {
  const w = await inWorld();
  w.source.say('confirmed', { ...answered, lifetime: 7_200 });
  w.source.say('updated', { ...answered, lifetime: 60 });
  await w.advance(61_000);
  expect(w.lamps()).toEqual({});
});

test('signs of life cost no PUBLISH until the lifetime runs out', async () => {
  const w = await inWorld({ dialoginfo: { publishExpires: 100_000, overrideLifetime: 600 } });
  w.source.say('confirmed', answered);
  await w.settle();
  for (let i = 0; i < 30; i++) {
    await w.advance(10_000);
    w.source.say('updated', answered);
  }
  expect(w.told()).toHaveLength(2);
  await w.advance(590_000);
  expect(w.lamps()).toEqual({ alice: ['confirmed'], bob: ['confirmed'] });
  expect(w.told()).toEqual(['alice refreshed 331', 'bob refreshed 331']);
});

test('a call that is heard of again after its lifetime is published again', async () => {
  const w = await inWorld();
  w.source.say('confirmed', { ...answered, lifetime: 60 });
  await w.advance(90_000);
  expect(w.lamps()).toEqual({});
  w.source.say('updated', { ...answered, lifetime: 60 });
  await w.settle();
  expect(w.lamps()).toEqual({ alice: ['confirmed'], bob: ['confirmed'] });
});

test('kamailio#3192: early that comes after the end is dropped and counted', async () => {
  const w = await inWorld();
  w.source.say('early', answered);
  w.source.say('failed', { ...answered, reason: { code: 486 } });
  await w.advance(20_000);
  w.source.say('early', answered);
  w.source.say('confirmed', answered);
  await w.advance(20_000);
  expect(w.lamps()).toEqual({});
  expect(w.module.stats().dropped).toBe(2);
});

test('a finished call leaves nothing', async () => {
  const w = await inWorld();
  w.module.dialoginfoSet('k1');
  w.source.say('created');
  w.source.say('early', answered);
  w.source.say('early', { callee: ringing('t2') });
  w.source.say('confirmed', answered);
  await w.advance(1_000);
  w.source.say('terminated', answered);
  await w.advance(60_000);
  expect(w.module.stats()).toMatchObject({ calls: 0, publications: 0 });
  expect(w.module.dialoginfoMuteBranch('k1', '0')).toBe(-1);
  expect([...w.pua.list()]).toEqual([]);
  expect(w.rows.size).toBe(0);
  expect(w.clock.pending).toBe(0);
});

test('nor does one that nobody may see', async () => {
  const w = await inWorld({ dialoginfo: { localDomains: 'other.example' } });
  w.source.say('early', answered);
  w.source.say('failed');
  w.source.say('failed', { key: 'never heard of', branch: '3' });
  await w.advance(33_000);
  expect(w.module.stats().calls).toBe(0);
  expect(w.clock.pending).toBe(0);
});

test('terminated before anything was published: nothing is sent', async () => {
  const w = await inWorld();
  w.source.say('terminated', answered);
  w.source.say('early', answered);
  await w.advance(1_000);
  expect(w.told()).toEqual([]);
});

describe('fast calls', () => {
  test('early and confirmed within one round trip: the second waits for the entity-tag of the first', async () => {
    const w = await inWorld();
    w.network.setFaults({ delay: [200, 200] });
    w.source.say('early', answered);
    await w.advance(50);
    w.source.say('confirmed', answered);
    await w.advance(2_000);
    const bobs = w.published.filter(({ uri }) => uri !== ALICE);
    expect(bobs.map(({ initial, document }) => [initial, document!.dialogs[0]!.state])).toEqual([
      [true, 'early'],
      [false, 'confirmed'],
    ]);
    expect(w.server.publications).toHaveLength(2);
  });

  test('ringing, answer and hang-up within one: the end is told, what was overtaken is not', async () => {
    const w = await inWorld();
    w.network.setFaults({ delay: [200, 200] });
    for (const kind of ['created', 'early', 'confirmed'] as const)
      w.source.say(kind, kind === 'created' ? {} : answered);
    await w.advance(10);
    w.source.say('terminated', { ...answered, reason: { event: 'bye', by: 'callee' } });
    await w.advance(5_000);
    expect(w.told()).toEqual([
      // The first of each side goes out at once; of what comes meanwhile only the newest.
      'alice initiator trying',
      'bob recipient early',
      'alice initiator terminated remote-bye',
      'bob recipient terminated local-bye',
    ]);
    await w.advance(6_000);
    expect(w.server.publications).toEqual([]);
  });

  test('the end is told even when the first PUBLISH has no answer yet', async () => {
    const w = await inWorld();
    w.server.away();
    w.source.say('early', answered);
    await w.advance(3_000);
    w.source.say('failed', { ...answered, reason: { code: 486 } });
    await w.advance(1_000);
    w.server.back();
    await w.advance(4_000);
    expect(w.lamps()).toEqual({ alice: ['terminated'], bob: ['terminated'] });
    await w.advance(10_000);
    expect(w.server.publications).toEqual([]);
  });
});

describe('bad events', () => {
  test('an error on the way leaves no call behind, and no lamp on', async () => {
    let broken = false;
    const localDomains = () => {
      if (broken) throw new Error('of the application');
      return true;
    };
    const w = await inWorld({ dialoginfo: { localDomains } });
    w.source.say('early', answered);
    broken = true;
    w.source.say('early', { key: 'k2', lifetime: 30, ...answered });
    w.source.say('confirmed', answered);
    w.source.say('terminated', answered);
    await w.advance(60_000);
    expect(w.lamps()).toEqual({});
    expect(w.module.stats()).toMatchObject({ calls: 0, publications: 0 });
    expect(w.clock.pending).toBe(0);
  });

  test('are told on pua:fault and disturb nobody', async () => {
    const w = await inWorld();
    const faults: string[] = [];
    const listener = (message: unknown) => {
      const { where, error } = message as { where: string; error: Error };
      faults.push(`${where}: ${error.message}`);
    };
    subscribe(channels.fault.name as string, listener);
    w.source.emit({ kind: 'early', dialog: {} } as never);
    w.source.emit({ kind: 'early' } as never);
    w.source.say('early', { state: 'ringing' as never });
    w.source.say('early', { callId: 7 as never });
    w.source.say('early', { callee: {} as never });
    unsubscribe(channels.fault.name as string, listener);
    expect(faults).toEqual([
      'dialoginfo: event early: event of call undefined: key must be a text',
      'dialoginfo: event early: event of call undefined: key must be a text',
      'dialoginfo: event early: event of call "k1": state must be one of trying, proceeding, early, confirmed, terminated',
      'dialoginfo: event early: event of call "k1": callId must be a text',
      'dialoginfo: event early: event of call "k1": callee.uri must be a text',
    ]);
    w.source.say('early', answered);
    await w.settle();
    expect(w.told()).toHaveLength(2);
  });
});
