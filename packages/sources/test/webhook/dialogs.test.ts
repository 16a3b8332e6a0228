/** Calls by HTTP. */
import { channels, type DialogEvent, type DialogSnapshot, PuaError } from '@pua/core';
import { dialogWebhook } from '@pua/sources';
import { type Bench, benches, call, EXAMPLE_CALL } from './support';

const start = benches();
const PATH = '/events/dialogs';

async function listening(options: Parameters<typeof dialogWebhook>[0] = {}) {
  const source = dialogWebhook(options);
  const events: DialogEvent[] = [];
  source.onEvent((event) => void events.push(event));
  const b = await start([source]);
  return { ...b, source, events, told: () => events.splice(0).map(({ kind, dialog }) => `${kind} ${dialog.state}`) };
}

const all = async (calls: AsyncIterable<DialogSnapshot>): Promise<DialogSnapshot[]> => {
  const found: DialogSnapshot[] = [];
  for await (const one of calls) found.push(one);
  return found;
};

describe('events', () => {
  test('a whole event comes to the listeners as it was sent; the answer counts it', async () => {
    const b = await listening();
    const event: DialogEvent = {
      kind: 'confirmed',
      method: 'INVITE',
      flags: 4,
      dialog: {
        key: 'k"<&>\u00fc',
        callId: 'a"b<c&d@h',
        branch: 'z9hG4bK1',
        caller: {
          uri: 'sip:a@x',
          display: 'Zo\u00eb "Q" <x>',
          tag: '1',
          contact: 'sip:a@10.0.0.1:5066',
          callId: 'l',
          peerTag: 'p',
        },
        callee: { uri: 'sip:b@x' },
        requestUri: 'sip:b2@x',
        state: 'confirmed',
        reason: { event: 'replaced', code: 200, by: 'caller' },
        startedAt: Date.UTC(2026, 0, 1),
        answeredAt: Date.UTC(2026, 0, 2),
        lifetime: 1800,
        publish: { caller: true, callee: false },
        publishUris: { caller: ['sip:a1@x', 'sip:a2@x'] },
        mask: { callee: 'sip:hidden@x' },
        privacy: { caller: ['id', 'user'] },
        flags: 1,
        vars: { local: 'sip:l@x', list: ['1', '2'] },
        referredBy: { uri: 'sip:r@x' },
        replaces: { callId: 'c', localTag: 'l', remoteTag: 'r' },
      },
    };
    const { status, json } = await b.post(PATH, event);
    expect([status, json]).toEqual([200, { accepted: 1, duplicates: 0, stale: 0 }]);
    expect(b.events).toEqual([event]);
  });

  test('times may be dates', async () => {
    const b = await listening();
    await b.post(PATH, call('early', { startedAt: '2026-01-31T09:00:00+01:00' as never }));
    expect(b.events[0]!.dialog.startedAt).toBe(Date.UTC(2026, 0, 31, 8));
  });

  test('a list is taken in order', async () => {
    const b = await listening();
    const { json } = await b.post(PATH, [call('trying'), call('early'), call('confirmed'), call('terminated')]);
    expect(json).toEqual({ accepted: 4, duplicates: 0, stale: 0 });
    expect(b.told()).toEqual(['created trying', 'early early', 'confirmed confirmed', 'terminated terminated']);
  });

  test('one wrong entry refuses the whole list: nothing is told', async () => {
    const b = await listening();
    const wrong = call('early', { callee: { uri: '<sip:b@x>' } });
    const { status, json } = await b.post(PATH, [call('trying'), wrong]);
    expect([status, json]).toEqual([
      400,
      {
        error:
          'nothing was taken: [1].dialog.callee.uri: must be a URI such as sip:alice@example.com, without brackets and display name',
        problems: [
          '[1].dialog.callee.uri: must be a URI such as sip:alice@example.com, without brackets and display name',
        ],
      },
    ]);
    expect(b.events).toEqual([]);
    expect((await b.post(PATH, [call('trying')])).json).toMatchObject({ accepted: 1 });
  });

  test('a listener that fails: told as a fault, the others and the answer go on', async () => {
    const faults: unknown[] = [];
    const onFault = (fault: unknown) => void faults.push(fault);
    channels.fault.subscribe(onFault);
    const source = dialogWebhook();
    const heard: unknown[] = [];
    source.onEvent(() => {
      throw new Error('broken');
    });
    source.onEvent(() => Promise.reject(new Error('later')));
    const off = source.onEvent(() => void heard.push('taken back'));
    source.onEvent(() => void heard.push('fine'));
    off();
    const b = await start([source]);
    expect((await b.post(PATH, EXAMPLE_CALL)).status).toBe(200);
    expect(heard).toEqual(['fine']);
    expect(faults).toMatchObject([
      { where: 'a listener of the webhook for calls', error: { message: 'broken' } },
      { where: 'a listener of the webhook for calls', error: { message: 'later' } },
    ]);
    channels.fault.unsubscribe(onFault);
  });
});

describe('order', () => {
  test('of one call the next event waits for the listeners; other calls do not', async () => {
    const source = dialogWebhook();
    const log: string[] = [];
    const open: (() => void)[] = [];
    source.onEvent(async ({ dialog }) => {
      log.push(`+${dialog.key} ${dialog.state}`);
      if (dialog.key === 'slow') await new Promise<void>((resolve) => open.push(resolve));
      log.push(`-${dialog.key} ${dialog.state}`);
    });
    const b = await start([source]);
    const first = b.post(PATH, [call('early', { key: 'slow' }), call('early', { key: 'fast' })]);
    await seen(b, () => log.length === 3);
    const second = b.post(PATH, [call('confirmed', { key: 'slow' }), call('confirmed', { key: 'fast' })]);
    await seen(b, () => log.length === 5);
    expect(log).toEqual(['+slow early', '+fast early', '-fast early', '+fast confirmed', '-fast confirmed']);
    open.shift()!();
    expect((await first).status).toBe(200);
    await seen(b, () => open.length === 1);
    open.shift()!();
    expect((await second).status).toBe(200);
    expect(log.slice(5)).toEqual(['-slow early', '+slow confirmed', '-slow confirmed']);
  });
});

/** Turns of the event loop until it holds. */
async function seen(_: Bench, holds: () => boolean): Promise<void> {
  const deadline = performance.now() + 5000;
  while (!holds()) {
    if (performance.now() > deadline) throw new Error('not seen within 5 s');
    await new Promise((resolve) => setImmediate(resolve));
  }
}

test('live() before start', async () => {
  const source = dialogWebhook({ heartbeat: 60 });
  await expect(all(source.live!())).rejects.toBeInstanceOf(PuaError);
});
