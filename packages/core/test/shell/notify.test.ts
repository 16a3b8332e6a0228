/** What a NOTIFY is answered, and what its handlers get. */
import { PuaError } from '@pua/core';
import { settled } from '../support/clock';
import { ALICE, BOB, establish, listen, notify, start, subscription } from '../support/pua';
import { headerView } from '../support/sip';

const answered = (...statuses: number[]) => statuses.map((status) => expect.objectContaining({ status }));

describe('answers', () => {
  test.each([
    ['no Event', { Event: undefined }, 400],
    ['no CSeq', { CSeq: undefined }, 400],
    ['no number in CSeq', { CSeq: 'x NOTIFY' }, 400],
    ['CSeq beyond 2^31', { CSeq: '2147483648 NOTIFY' }, 400],
    ['an endless CSeq', { CSeq: `${'9'.repeat(400)} NOTIFY` }, 400],
    ['no From tag', { From: `<${ALICE}>` }, 400],
    ['no From', { From: undefined }, 400],
    ['a package we do not know', { Event: 'nope' }, 489],
    ['a package in other letters', { Event: 'Presence' }, 489],
    ['another fork', { From: `<${ALICE}>;tag=fork` }, 481],
    ['Subscription-State missing', { 'Subscription-State': undefined }, 200],
    ['all as it should be', {}, 200],
  ])('%s', async (_name, more, status) => {
    const running = await start();
    const dialog = establish(running);
    notify(running, dialog);
    expect(notify(running, dialog, { CSeq: '2 NOTIFY', ...more })).toEqual({
      replies: answered(status),
      passed: false,
    });
    expect(running.pua.stats().notifies[status]).toBe(status === 200 ? 2 : 1);
  });

  test.each([
    ['another Call-ID', { 'Call-ID': 'x' }],
    ['no Call-ID', { 'Call-ID': undefined }],
    ['another To tag', { To: `<${BOB}>;tag=x` }],
    ['no To tag', { To: `<${BOB}>` }],
    ['another package of ours', { Event: 'dialog' }],
    ['an id that the SUBSCRIBE did not have', { Event: 'presence;id=1' }],
  ])('%s: passed on, it may be somebody else’s', async (_name, more) => {
    const running = await start();
    const dialog = establish(running);
    expect(notify(running, dialog, more)).toEqual({ replies: [], passed: true });
    expect(running.pua.stats().notifies['481']).toBe(1);
  });

  test('489 names the packages, each once', async () => {
    const running = await start();
    running.pua.addEvent({ name: 'dialog', flag: 32 });
    const { replies } = notify(running, establish(running), { Event: 'nope' });
    expect(replies).toEqual([{ status: 489, headers: [['Allow-Events', 'presence, presence.winfo, dialog']] }]);
  });

  test('a body above the limit: 513, and the dialog does not notice', async () => {
    const running = await start({ maxNotifyBytes: 10 });
    const dialog = establish(running);
    expect(notify(running, dialog, {}, { type: 'a/b', text: 'x'.repeat(11) }).replies).toEqual(answered(513));
    expect(notify(running, dialog, {}, { type: 'a/b', text: 'x'.repeat(10) }).replies).toEqual(answered(200));
  });

  test('an old CSeq: 500, the last one once more: 500', async () => {
    const running = await start();
    const dialog = establish(running);
    const of = (cseq: number) => notify(running, dialog, { CSeq: `${cseq} NOTIFY` }).replies;
    expect([of(5), of(4), of(5), of(6)]).toEqual([answered(200), answered(500), answered(500), answered(200)]);
  });

  test('dialog;sla is of the package dialog, the event parameter need not come back', async () => {
    for (const Event of ['dialog', 'dialog;sla']) {
      const running = await start();
      const dialog = establish(running, { event: 'dialog;sla' });
      expect(notify(running, dialog, { Event }).replies).toEqual(answered(200));
    }
  });
});

describe('handlers', () => {
  test('get record, state, body and headers', async () => {
    const running = await start();
    const dialog = establish(running, { id: 'mine' });
    const heard: unknown[] = [];
    running.pua.onNotify('presence', ({ record, event, state, reason, expires, contentType, body, text, headers }) => {
      heard.push([record.id, record.subscriptionState, event, state, reason, expires, contentType, body.length]);
      heard.push([text(), headers.get('Contact')]);
    });
    notify(running, dialog, { 'Subscription-State': 'pending;expires=60' }, { type: 'a/b', text: 'böy' });
    expect(heard).toEqual([
      ['mine', 'pending', 'presence', 'pending', undefined, 60, 'a/b', 4],
      ['böy', '<sip:notifier@10.0.0.9>'],
    ]);
  });

  test('the subscription’s own comes first; a taken back one not at all', async () => {
    const running = await start();
    const heard: string[] = [];
    const dialog = establish(running, { onNotify: () => void heard.push('own') });
    const off = running.pua.onNotify('presence', () => void heard.push('first'));
    running.pua.onNotify('PRESENCE', () => void heard.push('second'));
    running.pua.onNotify('dialog;sla', () => void heard.push('never'));
    notify(running, dialog);
    off();
    notify(running, dialog, { CSeq: '2 NOTIFY' });
    expect(heard).toEqual(['own', 'first', 'second', 'own', 'second']);
  });

  test('one without a body', async () => {
    const running = await start();
    const heard: unknown[] = [];
    running.pua.onNotify('presence', (n) => void heard.push([n.contentType, n.body.length, n.text()]));
    notify(running, establish(running));
    expect(heard).toEqual([['', 0, '']]);
  });

  test.each([
    [
      'throws',
      () => {
        throw new Error('broken');
      },
    ],
    [
      'rejects',
      async () => {
        throw new Error('broken');
      },
    ],
  ])('one that %s: 500, told, the others are heard all the same', async (_name, handler) => {
    const running = await start();
    const faults = listen('pua:fault');
    const dialog = establish(running);
    const heard: string[] = [];
    running.pua.onNotify('presence', handler);
    running.pua.onNotify('presence', () => void heard.push('other'));
    const received = notify(running, dialog);
    await settled();
    expect([received.replies, heard]).toEqual([answered(500), ['other']]);
    expect(faults.messages).toEqual([
      expect.objectContaining({
        where: 'NOTIFY handler of presence',
        error: expect.objectContaining({ message: 'broken' }),
      }),
    ]);
  });

  test.each([
    ['PUA_ERR_MEDIA_TYPE', 415, [['Accept', 'application/pidf+xml, application/xpidf+xml']]],
    ['PUA_ERR_DOCUMENT', 400, undefined],
    ['PUA_ERR_STATE', 500, undefined],
  ] as const)('%s is answered %i', async (code, status, headers) => {
    for (const handler of [
      () => {
        throw new PuaError(code, 'not so');
      },
      () => Promise.reject(new PuaError(code, 'not so')),
    ]) {
      const running = await start();
      running.pua.onNotify('presence', handler);
      const received = notify(running, establish(running));
      await settled();
      expect(received.replies).toMatchObject([headers ? { status, headers } : { status }]);
    }
  });

  // An unhandled rejection would end the process.
  test('one rejects and the next one throws: both are told, nothing is left unhandled', async () => {
    const running = await start();
    const faults = listen('pua:fault');
    const unhandled: unknown[] = [];
    const note = (reason: unknown) => void unhandled.push(reason);
    process.on('unhandledRejection', note);
    running.pua.onNotify('presence', async () => {
      throw new Error('one');
    });
    running.pua.onNotify('presence', () => {
      throw new Error('two');
    });
    const received = notify(running, establish(running));
    await settled();
    await settled();
    process.off('unhandledRejection', note);
    expect([received.replies, unhandled]).toEqual([answered(500), []]);
    expect(faults.messages.map(({ error }) => (error as Error).message).sort()).toEqual(['one', 'two']);
  });

  test('the answer waits for the slowest', async () => {
    const running = await start();
    let finish = () => {};
    running.pua.onNotify('presence', () => new Promise<void>((done) => (finish = done)));
    running.pua.onNotify('presence', () => {});
    const received = notify(running, establish(running));
    await settled();
    expect(received.replies).toEqual([]);
    finish();
    await settled();
    expect(received.replies).toEqual(answered(200));
  });

  test('a refused NOTIFY is not delivered', async () => {
    const running = await start();
    const heard: unknown[] = [];
    running.pua.onNotify('presence', (n) => void heard.push(n));
    const dialog = establish(running);
    notify(running, dialog, { From: `<${ALICE}>;tag=x` });
    notify(running, dialog, { CSeq: '0 NOTIFY', From: `<${ALICE}>;tag=y` });
    expect(heard).toHaveLength(1);
  });

  test('a handler may unsubscribe: the request goes out after the turn', async () => {
    const running = await start();
    const { pua, sip } = running;
    const dialog = establish(running);
    pua.onNotify('presence', ({ record }) => {
      pua.sendSubscribe({
        presUri: ALICE,
        watcherUri: BOB,
        event: 'presence',
        sourceFlag: record.sourceFlag,
        expires: 0,
      });
    });
    expect(notify(running, dialog).replies).toEqual(answered(200));
    expect([sip.last.header('Expires'), sip.last.request.to.tag]).toEqual(['0', 'remote']);
    sip.last.reply(200);
    expect(notify(running, dialog, { CSeq: '2 NOTIFY', 'Subscription-State': 'terminated' }).replies).toEqual(
      answered(200),
    );
    expect([...pua.list()]).toEqual([]);
    expect(notify(running, dialog, { CSeq: '3 NOTIFY' }).passed).toBe(true);
  });

  test('an unknown event cannot be listened to', async () => {
    const { pua } = await start();
    expect(() => pua.onNotify('nope', () => {})).toThrow(expect.objectContaining({ code: 'PUA_ERR_EVENT_UNKNOWN' }));
  });
});

describe('other methods', () => {
  test('go to their handler, else they are passed on', async () => {
    const { pua, sip } = await start();
    pua.handle('REGISTER', (request) => request.reply(200));
    expect(sip.receive('REGISTER', []).replies).toEqual(answered(200));
    expect(sip.receive('INVITE', []).passed).toBe(true);
  });

  test('one handler per method, and NOTIFY is ours', async () => {
    const { pua } = await start();
    pua.handle('register', () => {});
    for (const method of ['REGISTER', 'NOTIFY'])
      expect(() => pua.handle(method, () => {})).toThrow(expect.objectContaining({ code: 'PUA_ERR_ARGUMENT' }));
  });
});

test('without Subscription-State it counts as active, and is told of', async () => {
  const running = await start();
  const { messages } = listen('pua:subscription');
  const dialog = establish(running);
  notify(running, dialog, { 'Subscription-State': undefined });
  notify(running, dialog, { CSeq: '2 NOTIFY' });
  expect(messages.filter(({ type }) => type === 'without-state')).toHaveLength(1);
});

test('a binding goes with its dialog; when the engine has lost it, those dialogs are replaced', async () => {
  const running = await start();
  const { pua, sip } = running;
  const bound = (id: string, binding: string) => {
    const handle = pua.sendSubscribe({ ...subscription, id });
    const { request, done } = sip.last;
    const headers = headerView([
      ['Expires', '600'],
      ['To', `<${ALICE}>;tag=remote`],
    ]);
    done({ kind: 'response', status: 200, reason: 'OK', headers, cseq: 1, binding });
    return { handle, callId: request.callId };
  };
  const [one, other] = [bound('one', 'link 1'), bound('other', 'link 2')];
  sip.unbound('link 1');
  expect(sip.last.request).toMatchObject({ callId: one.callId, binding: 'link 1', to: { tag: 'remote' } });
  expect(sip.last.header('Expires')).toBe('0');
  sip.last.reply(200);
  expect(sip.last.request.callId).not.toBe(one.callId);
  expect(sip.last.request.binding).toBeUndefined();
  expect(pua.show(other.handle.key)).toMatchObject({ state: 'subscribed', callId: other.callId });
});
