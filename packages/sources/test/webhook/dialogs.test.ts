/** Calls by HTTP: what is told, in which order, and what is known already. */
import type { DialogEvent, DialogSnapshot } from '@pua/core';
import { type DialogWebhookOptions, dialogWebhook } from '@pua/sources';
import { benches, call, faultsOf, until } from './support';

const start = benches();
const PATH = '/events/dialogs';
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

async function listening(options: DialogWebhookOptions = {}) {
  const source = dialogWebhook(options);
  const events: DialogEvent[] = [];
  source.onEvent((event) => void events.push(event));
  const b = await start([source]);
  return {
    ...b,
    source,
    events,
    /** What was told since it was last asked. */
    told: () => events.splice(0).map(({ kind, dialog: { state } }) => `${kind} ${state}`),
    send: async (...given: object[]) => (await b.post(PATH, given)).json,
  };
}

const fork = (tag: string | undefined, more: Partial<DialogSnapshot> = {}) => ({
  callee: { uri: 'sip:reception@hotel.example', ...(tag === undefined ? {} : { tag }) },
  ...more,
});

async function livingKeys({ source }: { source: ReturnType<typeof dialogWebhook> }): Promise<string[]> {
  const found: string[] = [];
  for await (const { key, callee, state } of source.live!()) found.push(`${key} ${callee.tag ?? '-'} ${state}`);
  return found;
}

describe('events', () => {
  test('a whole event comes to the listeners as it was sent; the answer counts it', async () => {
    const b = await listening();
    const caller = {
      uri: 'sip:a@x',
      display: 'Zo\u00eb "Q" <x> & \u{1f600}',
      tag: '1',
      contact: 'sip:a@10.0.0.1:5066',
    };
    const event: DialogEvent = {
      kind: 'confirmed',
      method: 'INVITE',
      flags: 4,
      dialog: {
        key: 'k"<&>\u00fc',
        callId: 'a"b<c&d@h',
        branch: 'z9hG4bK1',
        caller: { ...caller, callId: 'l', peerTag: 'p' },
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

  test('a list is taken in order', async () => {
    const b = await listening();
    const answer = await b.send(call('trying'), call('early'), call('confirmed'), call('terminated'));
    expect(answer).toEqual({ accepted: 4, duplicates: 0, stale: 0 });
    expect(b.told()).toEqual(['created trying', 'early early', 'confirmed confirmed', 'terminated terminated']);
  });

  test('one wrong entry refuses the whole list: nothing is told, and nothing is known', async () => {
    const b = await listening();
    const { status, json } = await b.post(PATH, [call('trying'), call('early', { lifetime: 0 })]);
    expect(status).toBe(400);
    expect(json).toEqual({
      error: 'nothing was taken: [1].dialog.lifetime: must be 1 or more',
      problems: ['[1].dialog.lifetime: must be 1 or more'],
    });
    expect(b.events).toEqual([]);
    expect(await b.send(call('trying'))).toMatchObject({ accepted: 1 });
  });

  test('a listener that fails is told as a fault; the others and the answer go on', async () => {
    const source = dialogWebhook();
    const heard: string[] = [];
    source.onEvent(() => {
      throw new Error('at once');
    });
    source.onEvent(() => Promise.reject(new Error('later')));
    const takeBack = source.onEvent(() => void heard.push('taken back'));
    source.onEvent(() => void heard.push('fine'));
    takeBack();
    const b = await start([source]);
    const faults = await faultsOf(async () => {
      expect((await b.post(PATH, call('early'))).status).toBe(200);
    });
    expect(heard).toEqual(['fine']);
    expect(faults).toMatchObject([
      { where: 'a listener of the webhook for calls', error: { message: 'at once' } },
      { where: 'a listener of the webhook for calls', error: { message: 'later' } },
    ]);
  });

  test('nobody listens: 503 with the remedy instead of events that are lost', async () => {
    const b = await start([dialogWebhook()]);
    const { status, json } = await b.post(PATH, call('early'));
    expect([status, json.error]).toEqual([
      503,
      'nobody takes calls: give this source to a companion such as dialoginfo({ source })',
    ]);
  });

  test('the paths can be chosen', async () => {
    const b = await listening({ path: '/hooks/calls', puaJsonPath: '/hooks/kazoo' });
    expect((await b.post('/hooks/calls', call('early'))).status).toBe(200);
    expect((await b.post('/hooks/kazoo', [])).status).toBe(200);
    expect((await b.post(PATH, call('early'))).status).toBe(404);
  });
});

describe('order', () => {
  test('the next event of a call waits for the listeners, also in another request; other calls do not', async () => {
    const source = dialogWebhook();
    const log: string[] = [];
    const open: (() => void)[] = [];
    source.onEvent(async ({ dialog: { key, state } }) => {
      log.push(`+${key} ${state}`);
      if (key === 'slow') await new Promise<void>((resolve) => open.push(resolve));
      log.push(`-${key} ${state}`);
    });
    const b = await start([source]);
    const first = b.post(PATH, [call('early', { key: 'slow' }), call('early', { key: 'fast' })]);
    await until(() => log.length === 3, 'both calls');
    const second = b.post(PATH, [call('confirmed', { key: 'slow' }), call('confirmed', { key: 'fast' })]);
    await until(() => log.length === 5, 'the fast call');
    expect(log).toEqual(['+slow early', '+fast early', '-fast early', '+fast confirmed', '-fast confirmed']);
    open.shift()!();
    expect((await first).status).toBe(200);
    await until(() => open.length === 1, 'the slow call');
    open.shift()!();
    expect((await second).status).toBe(200);
    expect(log.slice(5)).toEqual(['-slow early', '+slow confirmed', '-slow confirmed']);
  });

  test('a stop answers those who wait: 503, to be sent again', async () => {
    const source = dialogWebhook();
    let called = false;
    source.onEvent(() => {
      called = true;
      return new Promise(() => {});
    });
    const b = await start([source]);
    const waiting = b.post(PATH, call('early'));
    await until(() => called, 'the event');
    await b.whileTimeRuns(b.pua.stop(0));
    const { status, json } = await waiting;
    expect([status, json.error]).toEqual([503, 'it is being stopped; send the request again after the next start']);
  });
});

describe('what is known already', () => {
  test('an id that came before: duplicate, whatever the event says', async () => {
    const b = await listening();
    await b.send({ ...call('early'), id: 'e1' });
    expect(await b.send({ ...call('confirmed'), id: 'e1' })).toEqual({ accepted: 0, duplicates: 1, stale: 0 });
    expect(await b.send({ ...call('early', { key: 'other' }), id: 'e1' })).toMatchObject({ accepted: 1 });
    expect(b.told()).toEqual(['early early', 'early early']);
  });

  test('an id is known for an hour', async () => {
    const b = await listening();
    await b.send({ ...call('early'), id: 'e1' });
    await b.clock.advanceAsync(HOUR - 1);
    expect(await b.send({ ...call('confirmed'), id: 'e1' })).toMatchObject({ duplicates: 1 });
    await b.clock.advanceAsync(1);
    expect(await b.send({ ...call('confirmed'), id: 'e1' })).toMatchObject({ accepted: 1 });
  });

  test('a sequence that is not higher: the same is a duplicate, a lower one stale', async () => {
    const b = await listening();
    const numbered = (sequence: number, ...given: Parameters<typeof call>) => ({ ...call(...given), sequence });
    await b.send(numbered(5, 'early'));
    expect(await b.send(numbered(5, 'confirmed'))).toMatchObject({ duplicates: 1 });
    expect(await b.send(numbered(4, 'confirmed'))).toMatchObject({ stale: 1 });
    expect(await b.send(numbered(0, 'confirmed', { key: 'other' }))).toMatchObject({ accepted: 1 });
    expect(await b.send(numbered(7, 'confirmed'))).toMatchObject({ accepted: 1 });
    expect(b.told()).toEqual(['early early', 'confirmed confirmed', 'confirmed confirmed']);
  });

  test('an end that comes again counts as it was numbered last', async () => {
    const b = await listening();
    await b.send({ ...call('terminated'), sequence: 5 }, { ...call('terminated'), sequence: 7 });
    expect(await b.send({ ...call('early', { callId: 'another' }), sequence: 6 })).toMatchObject({ stale: 1 });
    expect(await b.send({ ...call('early', { callId: 'another' }), sequence: 8 })).toMatchObject({ accepted: 1 });
  });

  test('the same snapshot again: a sign of life, no error', async () => {
    const b = await listening();
    await b.send(call('confirmed'));
    expect(await b.send(call('confirmed'))).toEqual({ accepted: 0, duplicates: 1, stale: 0 });
    expect(b.told()).toEqual(['confirmed confirmed', 'updated confirmed']);
  });

  test('a state that is behind: stale', async () => {
    const b = await listening();
    await b.send(call('confirmed'));
    expect(await b.send(call('early'), call('trying', fork(undefined)))).toMatchObject({ stale: 2 });
    expect(b.told()).toEqual(['confirmed confirmed']);
  });

  test('after the end: another end is a duplicate, everything else is stale', async () => {
    const b = await listening();
    await b.send(call('early'), call('terminated'));
    b.told();
    expect(await b.send(call('terminated'), { ...call('terminated'), kind: 'failed' })).toMatchObject({
      duplicates: 2,
    });
    expect(await b.send(call('early'), call('trying', fork('other')))).toMatchObject({ stale: 2 });
    expect(b.told()).toEqual([]);
  });

  test('an end of a call that is not known is told: it may have been published before a restart', async () => {
    const b = await listening();
    expect(await b.send(call('terminated'))).toMatchObject({ accepted: 1 });
  });

  test('the end is remembered for an hour', async () => {
    const b = await listening();
    await b.send(call('terminated'));
    await b.clock.advanceAsync(HOUR - 1);
    expect(await b.send(call('early'))).toMatchObject({ stale: 1 });
    await b.clock.advanceAsync(1);
    expect(await b.send(call('early'))).toMatchObject({ accepted: 1 });
  });

  test('a key that is used again for another call', async () => {
    const b = await listening();
    await b.send(call('early'), call('terminated'));
    expect(await b.send(call('trying', { callId: 'another' }))).toMatchObject({ accepted: 1 });
  });
});

describe('forks', () => {
  test('each has its own state; the half-dialog becomes the first of them', async () => {
    const b = await listening({ heartbeat: 60 });
    await b.clock.advanceAsync(MINUTE);
    await b.send(call('trying', fork(undefined)));
    expect(await livingKeys(b)).toEqual(['call-1 - trying']);
    await b.send(call('early', fork('a')), call('early', fork('b')));
    expect(await livingKeys(b)).toEqual(['call-1 a early', 'call-1 b early']);
    expect(await b.send(call('confirmed', fork('a')))).toMatchObject({ accepted: 1 });
    expect(await livingKeys(b)).toEqual(['call-1 a confirmed', 'call-1 b early']);
  });

  test('a branch that fails ends alone; after the last one another may be tried', async () => {
    const b = await listening({ heartbeat: 60 });
    await b.clock.advanceAsync(MINUTE);
    const failed = (branch: string) => ({ ...call('terminated', fork(undefined, { branch })), kind: 'failed' });
    await b.send(call('early', fork('a', { branch: '1' })), call('early', fork('b', { branch: '2' })), failed('1'));
    expect(await livingKeys(b)).toEqual(['call-1 b early']);
    expect(await b.send(failed('2'))).toMatchObject({ accepted: 1 });
    expect(await livingKeys(b)).toEqual([]);
    expect(await b.send(call('early', fork('c', { branch: '3' })))).toMatchObject({ accepted: 1 });
    expect(await livingKeys(b)).toEqual(['call-1 c early']);
  });

  test('a failure without branch is that of all that was not answered, whatever tag it names', async () => {
    const b = await listening({ heartbeat: 60 });
    await b.clock.advanceAsync(MINUTE);
    const failed = { ...call('terminated', fork('a')), kind: 'failed' };
    await b.send(call('early', fork('a')), call('early', fork('b')), call('confirmed', fork('c')), failed);
    expect(await livingKeys(b)).toEqual(['call-1 c confirmed']);
    await b.send(call('terminated', fork('c')), call('early', fork('a')));
    expect(await livingKeys(b)).toEqual([]);
  });

  test('of two answered dialogs the end that names a tag is that of one', async () => {
    const b = await listening({ heartbeat: 60 });
    await b.clock.advanceAsync(MINUTE);
    await b.send(call('confirmed', fork('a')), call('confirmed', fork('b')), call('terminated', fork('a')));
    expect(await livingKeys(b)).toEqual(['call-1 b confirmed']);
  });

  test('branches are forks, too', async () => {
    const b = await listening({ heartbeat: 60 });
    await b.clock.advanceAsync(MINUTE);
    await b.send(call('trying', fork(undefined)));
    await b.send(call('proceeding', fork(undefined, { branch: '1' })), call('early', fork('b', { branch: '2' })));
    await b.send(call('early', fork('a', { branch: '1' })));
    expect(await livingKeys(b)).toEqual(['call-1 b early', 'call-1 a early']);
  });

  test('the end of the call ends all of them', async () => {
    const b = await listening({ heartbeat: 60 });
    await b.clock.advanceAsync(MINUTE);
    await b.send(call('early', fork('a')), call('confirmed', fork('b')), call('terminated', fork('b')));
    expect(await livingKeys(b)).toEqual([]);
  });

  test('a failure that names no fork is that of the call', async () => {
    const b = await listening({ heartbeat: 60 });
    await b.clock.advanceAsync(MINUTE);
    await b.send(call('early', fork('a')), call('early', fork('b')));
    await b.send({ ...call('terminated', fork(undefined)), kind: 'failed' });
    expect(await livingKeys(b)).toEqual([]);
  });
});

describe('Idempotency-Key', () => {
  const key = { 'Idempotency-Key': 'k1' };

  test('the same request again is answered as before and does nothing', async () => {
    const b = await listening();
    const first = await b.post(PATH, call('early'), key);
    const again = await b.post(PATH, call('early'), key);
    expect([again.status, again.json, again.headers['idempotency-replayed']]).toEqual([200, first.json, 'true']);
    expect(first.json).toEqual({ accepted: 1, duplicates: 0, stale: 0 });
    expect(b.told()).toEqual(['early early']);
  });

  test('while the first one is in progress the second waits for it', async () => {
    const source = dialogWebhook();
    const open: (() => void)[] = [];
    source.onEvent(() => new Promise<void>((resolve) => open.push(resolve)));
    const b = await start([source]);
    const both = [b.post(PATH, call('early'), key), b.post(PATH, call('early'), key)];
    await until(() => open.length === 1, 'the event');
    open[0]!();
    for (const { status, json } of await Promise.all(both)) expect([status, json.accepted]).toEqual([200, 1]);
    expect(open).toHaveLength(1);
  });

  test('with another body: 422, since the event would be lost', async () => {
    const b = await listening();
    await b.post(PATH, call('early'), key);
    const { status, json } = await b.post(PATH, call('confirmed'), key);
    expect([status, json.error]).toEqual([
      422,
      'Idempotency-Key: came with another body before; every request needs a key of its own',
    ]);
  });

  test('what was refused is not remembered', async () => {
    const b = await listening();
    expect((await b.post(PATH, { ...call('early'), kind: 'confirmed' }, key)).status).toBe(400);
    expect((await b.post(PATH, call('early'), key)).json).toMatchObject({ accepted: 1 });
  });

  test('it is forgotten after an hour', async () => {
    const b = await listening();
    await b.post(PATH, call('early'), key);
    await b.clock.advanceAsync(HOUR);
    expect((await b.post(PATH, call('confirmed'), key)).json).toMatchObject({ accepted: 1 });
  });

  test('a malformed one: 400', async () => {
    const b = await listening();
    const { status, json } = await b.post(PATH, call('early'), { 'Idempotency-Key': 'x'.repeat(256) });
    expect([status, json.error]).toEqual([400, 'Idempotency-Key: must be 1 to 255 visible ASCII characters']);
  });
});

describe('the end that nobody tells', () => {
  test('without heartbeat the lifetime ends a call, 12 hours when it has none', async () => {
    const b = await listening();
    expect(b.source.live).toBeUndefined();
    await b.send(call('confirmed'), call('confirmed', { key: 'short', lifetime: 90 }));
    b.events.length = 0;
    await b.clock.advanceAsync(90_000 - 1);
    expect(b.events).toEqual([]);
    await b.clock.advanceAsync(1);
    expect(b.events.splice(0)).toEqual([
      {
        kind: 'expired',
        dialog: {
          ...call('confirmed').dialog,
          key: 'short',
          lifetime: 90,
          state: 'terminated',
          reason: { event: 'timeout' },
        },
      },
    ]);
    await b.clock.advanceAsync(12 * HOUR - 90_000 - 1);
    expect(b.events).toEqual([]);
    await b.clock.advanceAsync(1);
    expect(b.events).toMatchObject([{ kind: 'expired', dialog: { key: 'call-1', state: 'terminated' } }]);
  });

  test('the lifetime counts from the last snapshot', async () => {
    const b = await listening();
    await b.send(call('confirmed', { lifetime: 90 }));
    await b.clock.advanceAsync(80_000);
    await b.send(call('confirmed', { lifetime: 90 }));
    b.told();
    await b.clock.advanceAsync(89_000);
    expect(b.told()).toEqual([]);
    await b.clock.advanceAsync(1_000);
    expect(b.told()).toEqual(['expired terminated']);
  });

  test('with heartbeat a call of which nothing is heard is over: every fork of it is told, at once', async () => {
    const b = await listening({ heartbeat: 60 });
    await b.send(call('early', fork('a')), call('early', fork('b')), call('confirmed', { key: 'other' }));
    b.told();
    await b.clock.advanceAsync(MINUTE - 1);
    expect(b.events).toEqual([]);
    await b.clock.advanceAsync(1);
    const timeout = { event: 'timeout' };
    expect(b.events.every(({ kind, dialog }) => kind === 'expired' && dialog.state === 'terminated')).toBe(true);
    expect(b.events.map(({ dialog }) => dialog.reason)).toEqual([timeout, timeout, timeout]);
    expect(b.events.map(({ dialog }) => `${dialog.key} ${dialog.callee.tag}`).sort()).toEqual([
      'call-1 a',
      'call-1 b',
      'other as55e1',
    ]);
    expect(await livingKeys(b)).toEqual([]);
  });

  test('signs of life in short keep calls alive; keys that are not known come back', async () => {
    const b = await listening({ heartbeat: 60 });
    await b.send(call('confirmed'), call('confirmed', { key: 'silent' }), call('terminated', { key: 'over' }));
    b.told();
    await b.clock.advanceAsync(50_000);
    const { status, json } = await b.post(PATH, { alive: ['call-1', 'nobody', 'over'] });
    expect([status, json]).toEqual([200, { alive: 1, unknown: ['nobody', 'over'] }]);
    await b.clock.advanceAsync(50_000);
    expect(b.events.map(({ kind, dialog }) => `${kind} ${dialog.key}`)).toEqual(['expired silent']);
    expect(await livingKeys(b)).toEqual(['call-1 as55e1 confirmed']);
  });

  test('signs of life in short do not prolong the lifetime', async () => {
    const b = await listening({ heartbeat: 60 });
    await b.send(call('confirmed', { lifetime: 90 }));
    b.told();
    await b.clock.advanceAsync(50_000);
    await b.post(PATH, { alive: ['call-1'] });
    await b.clock.advanceAsync(39_999);
    expect(b.told()).toEqual([]);
    await b.clock.advanceAsync(1);
    expect(b.told()).toEqual(['expired terminated']);
  });

  test('one that was given up lives again when it is heard of', async () => {
    const b = await listening({ heartbeat: 60 });
    await b.send({ ...call('confirmed'), sequence: 3 });
    await b.clock.advanceAsync(MINUTE);
    expect((await b.post(PATH, { alive: ['call-1'] })).json).toEqual({ alive: 0, unknown: ['call-1'] });
    expect(await b.send({ ...call('early'), sequence: 2 })).toMatchObject({ stale: 1 });
    expect(await b.send({ ...call('confirmed'), sequence: 4 })).toMatchObject({ accepted: 1 });
    expect(await livingKeys(b)).toEqual(['call-1 as55e1 confirmed']);
  });

  test('signs of life where none are expected: 400 with the remedy', async () => {
    const b = await listening();
    const { status, json } = await b.post(PATH, { alive: ['call-1'] });
    expect([status, json.error]).toEqual([400, 'alive: no heartbeat is expected; set the heartbeat of this source']);
  });

  test.each([
    ['a text', { alive: 'call-1' }, /alive: must be a list/],
    ['a number in it', { alive: ['a', 7] }, /alive\[1\]: must be a text/],
    ['more beside it', { alive: [], dead: [] }, /unknown key "dead", did you mean "alive"\?/],
  ])('signs of life that are none: %s', async (_, body, message) => {
    const b = await listening({ heartbeat: 60 });
    const { status, json } = await b.post(PATH, body);
    expect(status).toBe(400);
    expect(json.error).toMatch(message);
  });

  test('live() before the start: PUA_ERR_STATE', async () => {
    await expect(livingKeys({ source: dialogWebhook({ heartbeat: 60 }) })).rejects.toMatchObject({
      code: 'PUA_ERR_STATE',
      message: 'live(): pua.use() the webhook first, and start it',
    });
  });

  test('live() after the start ends when every call has had the time to be heard of', async () => {
    const b = await listening({ heartbeat: 60 });
    let over = false;
    const living = livingKeys(b).finally(() => {
      over = true;
    });
    await b.clock.advanceAsync(30_000);
    await b.send(call('confirmed'));
    await b.clock.advanceAsync(29_999);
    expect(over).toBe(false);
    await b.clock.advanceAsync(1);
    expect(await living).toEqual(['call-1 as55e1 confirmed']);
  });

  test('a stop meanwhile: live() fails, so that nobody takes the calls for ended', async () => {
    const b = await listening({ heartbeat: 60 });
    const living = livingKeys(b);
    const failed = expect(living).rejects.toMatchObject({ code: 'PUA_ERR_STATE' });
    await b.stop();
    await failed;
    expect(b.clock.pending).toBe(0);
  });
});

test.each<[DialogWebhookOptions, string]>([
  [{ path: 'events' }, 'dialogWebhook path: must be a path such as /events/dialogs, not "events"'],
  [{ path: 7 as never }, 'dialogWebhook path (path): must be a text, not 7'],
  [
    { puaJsonPath: '/a b' },
    'dialogWebhook puaJsonPath (pua_json_path): must be a path such as /events/dialogs, not "/a b"',
  ],
  [{ heartbeat: -1 }, 'dialogWebhook heartbeat (heartbeat): must be 0 or more, not -1'],
  [{ heartbeat: 1.5 }, 'dialogWebhook heartbeat (heartbeat): must be a whole number, not 1.5'],
])('options that are none: %j', (options, message) => {
  expect(() => dialogWebhook(options)).toThrow(expect.objectContaining({ code: 'PUA_ERR_OPTION', message }));
});

test.each([0, null, undefined])('heartbeat %s: none', (heartbeat) => {
  expect(dialogWebhook({ heartbeat }).live).toBeUndefined();
});
