/** aggregate 1: one publication per presentity, with all its calls. */
import type { DialoginfoOptions } from '@pua/dialoginfo';
import { ALICE, FakeSource, ringing, snapshot } from './support/source';
import { inWorld } from './support/world';

const answered = { callee: ringing() };
const aggregate = (more: DialoginfoOptions = {}, source?: FakeSource) =>
  inWorld({ dialoginfo: { aggregate: 1, ...more }, ...(source ? { source } : {}) });

test('all calls of a presentity in one document', async () => {
  const w = await aggregate();
  w.source.say('confirmed', answered);
  await w.settle();
  w.source.say('early', { key: 'k2', caller: { uri: 'sip:carol@example.com' }, callee: { uri: ALICE, tag: 'x' } });
  await w.settle();
  expect(w.told()).toEqual([
    'alice initiator confirmed',
    'bob recipient confirmed',
    'carol initiator early',
    'alice initiator confirmed, recipient early',
  ]);
  expect(w.server.publications).toHaveLength(3);
  expect([...w.pua.list({ presUri: ALICE })].map(({ id }) => id)).toEqual(['DIALOG_PUBLISH.all']);
});

test('what ended is listed for a while, then taken out; with the last one the publication goes', async () => {
  const w = await aggregate();
  w.source.say('confirmed', answered);
  w.source.say('confirmed', { key: 'k2', ...answered });
  await w.advance(100);
  w.told();
  w.source.say('terminated', { ...answered, reason: { event: 'bye', by: 'caller' } });
  await w.settle();
  expect(w.published.map(({ expires }) => expires)).toEqual([300, 300]);
  expect(w.told()).toEqual([
    'alice initiator terminated local-bye, initiator confirmed',
    'bob recipient terminated remote-bye, recipient confirmed',
  ]);
  await w.advance(10_000);
  expect(w.told()).toEqual(['alice initiator confirmed', 'bob recipient confirmed']);
  w.source.say('expired', { key: 'k2', ...answered });
  await w.settle();
  expect(w.published.map(({ expires }) => expires)).toEqual([11, 11]);
  await w.advance(10_000);
  expect(w.told().slice(2)).toEqual(['alice removed', 'bob removed']);
});

test('calling oneself: both sides in one document', async () => {
  const w = await aggregate();
  w.source.say('confirmed', { caller: { uri: ALICE, tag: 'a' }, callee: { uri: ALICE, tag: 'b' } });
  await w.settle();
  expect(w.told()).toEqual(['alice initiator confirmed, recipient confirmed']);
});

test('forks, and the one that wins', async () => {
  const w = await aggregate();
  w.source.say('early', { callee: ringing('t1') });
  w.source.say('early', { callee: ringing('t2') });
  await w.advance(100);
  w.told();
  w.source.say('confirmed', { callee: ringing('t2') });
  await w.settle();
  expect(w.told()).toEqual([
    'alice initiator terminated cancelled, initiator confirmed',
    'bob recipient terminated cancelled, recipient confirmed',
  ]);
});

test('lifetimes: a call that lapses is taken out, the others stay', async () => {
  const w = await aggregate();
  w.source.say('confirmed', { ...answered, lifetime: 100 });
  w.source.say('confirmed', { key: 'k2', ...answered, lifetime: 1_000 });
  await w.advance(101_000);
  expect(w.lamps()).toEqual({ alice: ['confirmed'], bob: ['confirmed'] });
  await w.advance(900_000);
  expect(w.server.publications).toEqual([]);
});

test('a restart adopts what lives and ends what does not', async () => {
  const k1 = snapshot({ state: 'confirmed', ...answered });
  const k2 = { ...k1, key: 'k2' };
  const w = await aggregate({ heartbeatInterval: 10, heartbeatGrace: 10 }, new FakeSource([k1, k2]));
  await w.settle();
  await w.stopPua();
  w.told();
  w.source.calls!.delete('k1');
  await w.startPua();
  await w.advance(5_000);
  expect(w.told()).toEqual([]);
  await w.advance(6_000);
  expect(w.told()).toEqual([
    'alice initiator terminated timeout, initiator confirmed',
    'bob recipient terminated timeout, recipient confirmed',
  ]);
});

test.each([
  [0, 1],
  [1, 0],
])('a restart with aggregate %d that was %d: the dialogs move, no lamp is left', async (now, before) => {
  const calls = ['k1', 'k2'].map((key) => snapshot({ key, state: 'confirmed', ...answered }));
  const w = await inWorld({ source: new FakeSource(calls), dialoginfo: { aggregate: before } });
  await w.settle();
  await w.stopPua();
  await w.startPua({ aggregate: now });
  await w.advance(1_000);
  expect(w.server.publications).toHaveLength(now === 1 ? 2 : 4);
  expect(w.lamps()).toEqual({ alice: ['confirmed', 'confirmed'], bob: ['confirmed', 'confirmed'] });
  for (const key of ['k1', 'k2']) w.source.say('terminated', { key, ...answered });
  await w.advance(11_000);
  expect(w.server.publications).toEqual([]);
});
