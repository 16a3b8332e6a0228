/** What drachtio-srf's dialogStateEmitter tells, as dialog events. */
import { EventEmitter } from 'node:events';
import type { DialogEvent, DialogSource, PuaModule } from '@pua/core';
import { fromDialogStateEmitter } from '@pua/drachtio';
import { SimClock } from '@pua/testkit';
import { until } from '../support';
import { ALICE, apiWith, BOB, joined, Scene, SDP } from './support';

let emitter: EventEmitter;
let source: DialogSource & PuaModule;
let events: DialogEvent[];

function listen(clock?: SimClock): void {
  emitter = new EventEmitter();
  source = fromDialogStateEmitter(emitter);
  events = [];
  source.setup(apiWith(clock));
  source.onEvent((event) => void events.push(event));
}

async function living(): Promise<string[]> {
  const all: string[] = [];
  for await (const { key } of source.live!()) all.push(key);
  return all;
}

describe('of real calls', () => {
  let s: Scene;
  beforeEach(async () => {
    s = await Scene.open();
    listen();
    s.handler = (req, res) => {
      const options = { localSdpB: SDP, headers: { To: `<${BOB}>` }, dialogStateEmitter: emitter };
      s.srf.createB2BUA(req, res, s.target, options as never).then(joined, (error) => s.failures.push(error));
    };
  });
  afterEach(async () => {
    await source.stop!();
    await s.close();
  });

  test('each leg is a dialog with one side', async () => {
    const call = s.call();
    await call.reaches('ringing');
    s.callee.calls[0]!.pickUp();
    await call.reaches('answered');
    await until('both are confirmed', () => events.filter(({ kind }) => kind === 'confirmed').length === 2);
    const theirs = s.callee.calls[0]!;
    const [first] = events;
    const caller = events.findLast(({ dialog }) => dialog.key === first!.dialog.key)!.dialog;
    const callee = events.findLast(({ dialog }) => dialog.key !== first!.dialog.key)!.dialog;
    expect(caller).toMatchObject({
      callId: call.callId,
      caller: { uri: ALICE, tag: call.localTag, peerTag: [...call.remoteTags][0], callId: call.callId },
      callee: { uri: 'sip:anonymous@anonymous.invalid' },
      publish: { caller: true, callee: false },
      state: 'confirmed',
    });
    expect(callee).toMatchObject({
      callId: theirs.callId,
      caller: { uri: 'sip:anonymous@anonymous.invalid' },
      callee: { uri: BOB, tag: theirs.localTag, callId: theirs.callId },
      publish: { caller: false, callee: true },
      state: 'confirmed',
    });
    const of = (key: string) => events.flatMap(({ kind, dialog }) => (dialog.key === key ? [kind, dialog.state] : []));
    expect(of(caller.key)).toEqual(['created', 'trying', 'confirmed', 'confirmed']);
    // Its phone says 100 before 180.
    const rings = ['early', 'proceeding', 'early', 'early'];
    expect(of(callee.key)).toEqual(['created', 'trying', ...rings, 'confirmed', 'confirmed']);
    expect(await living()).toEqual([caller.key, callee.key]);
    await call.hangUp();
    await until('both have ended', () => events.filter(({ kind }) => kind === 'terminated').length === 2);
    expect(events.at(-1)!.dialog).toMatchObject({ state: 'terminated', reason: { event: 'bye' } });
    expect(await living()).toEqual([]);
  });

  test.each([
    [486, 'rejected'],
    [487, 'cancelled'],
  ])('a callee that says %s is %s', async (status, event) => {
    s.callee.onCall = (call) => call.reject(status);
    s.call();
    await until('the end', () => events.at(-1)?.kind === 'failed');
    expect(events.at(-1)!.dialog).toMatchObject({ state: 'terminated', reason: { event }, callee: { uri: BOB } });
  });

  test('a party without user part is left out', async () => {
    s.handler = (req, res) => {
      const options = { localSdpB: SDP, headers: { To: '<sip:example.com>' }, dialogStateEmitter: emitter };
      s.srf.createB2BUA(req, res, s.target, options as never).then(joined, (error) => s.failures.push(error));
    };
    await s.call().reaches('ringing');
    expect(events.map(({ kind }) => kind)).toEqual(['created']);
  });
});

describe('of a simulated time', () => {
  const leg = { id: 'a', direction: 'initiator', aor: 'alice@example.com', callId: 'c' };

  test('the objects are copied: they change in place', () => {
    listen(new SimClock());
    const change = { ...leg, state: 'trying', remoteTag: 'x' };
    emitter.emit('stateChange', change);
    Object.assign(change, { state: 'confirmed', localTag: 'y' });
    expect(events[0]!.dialog.state).toBe('trying');
    emitter.emit('stateChange', change);
    expect(events.map(({ dialog }) => [dialog.state, dialog.caller.tag, dialog.caller.peerTag])).toEqual([
      ['trying', 'x', undefined],
      ['confirmed', 'x', 'y'],
    ]);
  });

  test('what createUAS() alone tells: first the tag of the caller, then its own in the same place', () => {
    listen(new SimClock());
    emitter.emit('stateChange', { ...leg, state: 'trying', localTag: 'theirs' });
    emitter.emit('stateChange', { ...leg, state: 'confirmed', localTag: 'ours' });
    expect(events[1]!.dialog.caller).toMatchObject({ tag: 'theirs', peerTag: 'ours' });
  });

  test('proceeding is a state of its own', () => {
    listen(new SimClock());
    const recipient = { ...leg, direction: 'recipient', localTag: 'ours' };
    emitter.emit('stateChange', { ...recipient, state: 'proceeding' });
    expect(events[0]).toMatchObject({ kind: 'early', dialog: { state: 'proceeding', callee: { peerTag: 'ours' } } });
    expect(events[0]!.dialog.callee).not.toHaveProperty('tag');
  });

  test('a leg that nobody answers is over after 5 minutes, an answered one is not', async () => {
    const clock = new SimClock();
    listen(clock);
    emitter.emit('stateChange', { ...leg, state: 'trying' });
    emitter.emit('stateChange', { ...leg, id: 'b', state: 'confirmed' });
    clock.advance(299_000);
    expect(await living()).toEqual(['a', 'b']);
    clock.advance(2_000);
    expect(events.at(-1)).toMatchObject({
      kind: 'expired',
      dialog: { key: 'a', state: 'terminated', reason: { event: 'timeout' } },
    });
    clock.advance(10_000_000);
    expect(await living()).toEqual(['b']);
    emitter.emit('stateChange', { ...leg, id: 'b', state: 'terminated' });
    expect(await living()).toEqual([]);
  });

  test('what is no change is not one; after stop() nothing is heard', async () => {
    listen(new SimClock());
    emitter.emit('stateChange', undefined);
    emitter.emit('stateChange', { ...leg, state: 'what' });
    await source.stop!();
    emitter.emit('stateChange', { ...leg, state: 'trying' });
    expect(events).toEqual([]);
    expect(emitter.listenerCount('stateChange')).toBe(0);
  });

  test('live() of a source that nobody uses', async () => {
    source = fromDialogStateEmitter(new EventEmitter());
    await expect(living()).rejects.toMatchObject({
      code: 'PUA_ERR_STATE',
      message: expect.stringContaining('pua.use(fromDialogStateEmitter'),
    });
  });
});
