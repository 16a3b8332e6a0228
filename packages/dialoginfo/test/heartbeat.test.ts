/** Calls whose end nobody told: a crash of the call server. */
import { settle } from '@pua/testkit';
import { FakeSource, ringing, snapshot } from './support/source';
import { inWorld } from './support/world';

const call = (key: string) => snapshot({ key, state: 'confirmed', callee: ringing() });
const options = { heartbeatInterval: 10, heartbeatGrace: 20 };

test('what its source no longer names ends after the grace', async () => {
  const source = new FakeSource([call('k1'), call('k2')]);
  const w = await inWorld({ source, dialoginfo: options });
  await w.settle();
  expect(w.lamps()).toEqual({ alice: ['confirmed', 'confirmed'], bob: ['confirmed', 'confirmed'] });
  w.told();
  source.calls!.delete('k1');
  await w.advance(29_000);
  expect(w.told()).toEqual([]);
  await w.advance(2_000);
  expect(w.told()).toEqual(['alice initiator terminated timeout', 'bob recipient terminated timeout']);
  await w.advance(100_000);
  expect(w.lamps()).toEqual({ alice: ['confirmed'], bob: ['confirmed'] });
});

test('each sign of life begins the grace anew', async () => {
  const source = new FakeSource([]);
  const w = await inWorld({ source, dialoginfo: options });
  source.say('confirmed', { callee: ringing() });
  for (let i = 0; i < 10; i++) {
    await w.advance(15_000);
    source.say('updated', { callee: ringing() });
  }
  expect(w.lamps()).toEqual({ alice: ['confirmed'], bob: ['confirmed'] });
  await w.advance(31_000);
  expect(w.lamps()).toEqual({ alice: ['terminated'], bob: ['terminated'] });
});

test('what it names again in time lives on', async () => {
  const source = new FakeSource([call('k1')]);
  const w = await inWorld({ source, dialoginfo: options });
  await w.settle();
  for (let i = 0; i < 5; i++) {
    source.calls!.delete('k1');
    await w.advance(20_000);
    source.calls!.set('k1', call('k1'));
    await w.advance(10_000);
  }
  expect(w.lamps()).toEqual({ alice: ['confirmed'], bob: ['confirmed'] });
});

test('a missed event is made good', async () => {
  const source = new FakeSource([call('k1')]);
  const w = await inWorld({ source, dialoginfo: options });
  await w.settle();
  source.calls!.set('k2', { ...call('k2'), state: 'early' });
  await w.advance(10_000);
  expect(w.lamps()).toEqual({ alice: ['confirmed', 'early'], bob: ['confirmed', 'early'] });
  source.calls!.set('k2', call('k2'));
  await w.advance(10_000);
  expect(w.lamps()).toEqual({ alice: ['confirmed', 'confirmed'], bob: ['confirmed', 'confirmed'] });
});

test('an answer that breaks off says nothing of those it does not name', async () => {
  const source = new FakeSource([call('k1'), call('k2')]);
  const w = await inWorld({ source, dialoginfo: options });
  await w.settle();
  source.calls!.clear();
  source.broken = new Error('database is away');
  await w.advance(200_000);
  expect(w.lamps()).toEqual({ alice: ['confirmed', 'confirmed'], bob: ['confirmed', 'confirmed'] });
  source.broken = undefined;
  await w.advance(31_000);
  expect(w.lamps()).toEqual({ alice: ['terminated', 'terminated'], bob: ['terminated', 'terminated'] });
});

test('a call that ended while the answer was on its way does not come back', async () => {
  const source = new FakeSource([call('k1')]);
  const w = await inWorld({ source, dialoginfo: options });
  await w.settle();
  source.say('terminated', { callee: ringing() });
  await w.advance(15_000);
  expect(w.lamps()).toEqual({});
});

test('nor does one that its source goes on naming, long after it has told its end', async () => {
  const source = new FakeSource([call('k1')]);
  const w = await inWorld({ source, dialoginfo: options });
  await w.settle();
  source.say('terminated', { callee: ringing() });
  await w.advance(600_000);
  expect(w.lamps()).toEqual({});
  source.calls!.clear();
  await w.advance(60_000);
  expect(w.module.stats().calls).toBe(0);
});

test('but one that was given up, and is named again, lives', async () => {
  const source = new FakeSource([call('k1')]);
  const w = await inWorld({ source, dialoginfo: options });
  await w.settle();
  source.calls!.clear();
  await w.advance(31_000);
  expect(w.lamps()).toEqual({ alice: ['terminated'], bob: ['terminated'] });
  source.calls!.set('k1', call('k1'));
  await w.advance(60_000);
  expect(w.lamps()).toEqual({ alice: ['confirmed'], bob: ['confirmed'] });
});

test('a long answer is taken bit by bit', async () => {
  const source = new FakeSource(Array.from({ length: 500 }, (_, i) => call(`k${i}`)));
  const w = await inWorld({ source, dialoginfo: { localDomains: 'elsewhere.test' } });
  await settle();
  expect(w.module.stats().calls).toBeLessThan(500);
  await w.settle();
  expect(w.module.stats().calls).toBe(500);
});

test('each source answers for its own calls', async () => {
  const mute = new FakeSource();
  const source = new FakeSource([call('k1')]);
  const w = await inWorld({ source, dialoginfo: { ...options, sources: [mute] } });
  mute.say('confirmed', { key: 'k2', callee: ringing() });
  await w.settle();
  source.calls!.clear();
  await w.advance(60_000);
  expect(w.lamps()).toEqual({ alice: ['confirmed'], bob: ['confirmed'] });
});

test('asks at the interval, and no more after the stop', async () => {
  const source = new FakeSource([]);
  const w = await inWorld({ source, dialoginfo: { heartbeatInterval: 7 } });
  await w.advance(35_000);
  expect(source.asked).toBe(6);
  await w.stopPua();
  await w.advance(35_000);
  expect(source.asked).toBe(6);
});

test('a bad call in the answer disturbs no other', async () => {
  const source = new FakeSource([call('k1')]);
  source.calls!.set('bad', {} as never);
  source.calls!.set('k2', call('k2'));
  const w = await inWorld({ source, dialoginfo: options });
  await w.advance(100_000);
  expect(w.lamps()).toEqual({ alice: ['confirmed', 'confirmed'], bob: ['confirmed', 'confirmed'] });
});

test('a source that is slow to answer keeps no other waiting; calls of records wait for both', async () => {
  const source = new FakeSource([call('k1'), call('k2')]);
  const w = await inWorld({ source, dialoginfo: options });
  await w.settle();
  await w.stopPua();
  source.calls!.delete('k1');
  let answer = () => {};
  const slow = new FakeSource([]);
  slow.live = async function* () {
    await new Promise<void>((resolve) => {
      answer = resolve;
    });
    yield* [];
  };
  await w.startPua({ sources: [slow] });
  source.calls!.delete('k2');
  await w.advance(35_000);
  // k2 was heard of by the first, which no longer names it; whose k1 was nobody knows.
  expect(w.lamps()).toEqual({ alice: ['confirmed', 'terminated'], bob: ['confirmed', 'terminated'] });
  slow.live = () => new FakeSource([]).live!();
  answer();
  await w.advance(41_000);
  expect(w.lamps()).toEqual({});
});
