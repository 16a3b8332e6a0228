/** Calls that an application joins with createB2BUA(), as dialog events. */
import { trackB2bua } from '@pua/drachtio';
import type Srf from 'drachtio-srf';
import { until } from '../support';
import { ALICE, apiWith, BOB, Scene, SDP } from './support';

let s: Scene;
afterEach(() => s.close());

async function answered() {
  const call = s.call();
  await call.reaches('ringing');
  (await s.callee.nextCall()).pickUp();
  await call.reaches('answered');
  await s.until('confirmed');
  return call;
}

const suite = (open: () => Promise<Scene>): void => {
  beforeEach(async () => {
    s = await open();
  });

  test('an answered call: created, early, confirmed, terminated by the side that says BYE', async () => {
    const call = await answered();
    const theirs = s.callee.calls[0]!;
    expect(s.story).toEqual(['created', 'early', 'confirmed']);
    const [created, early, confirmed] = s.events.map(({ dialog }) => dialog);
    const key = `${call.callId};${call.localTag}`;
    const caller = {
      uri: ALICE,
      display: 'Alice "A" <&>',
      tag: call.localTag,
      callId: call.callId,
      contact: s.caller.contact,
    };
    expect(created).toEqual({
      key,
      callId: call.callId,
      requestUri: BOB,
      startedAt: expect.any(Number),
      caller,
      callee: { uri: BOB },
      state: 'trying',
    });
    const callee = {
      uri: BOB,
      callId: theirs.callId,
      tag: theirs.localTag,
      peerTag: s.made[0]!.uac.sip.localTag,
      contact: s.callee.contact,
    };
    expect(callee.callId).not.toBe(call.callId);
    expect(early).toEqual({ ...created, callee, state: 'early' });
    const peerTag = [...call.remoteTags][0];
    expect(confirmed).toEqual({
      ...early,
      caller: { ...caller, peerTag },
      state: 'confirmed',
      answeredAt: expect.any(Number),
    });
    expect(await s.living()).toEqual([[key, 'confirmed', theirs.localTag]]);

    await call.hangUp();
    await s.until('terminated');
    expect(s.last).toEqual({
      kind: 'terminated',
      method: 'BYE',
      dialog: { ...confirmed, state: 'terminated', reason: { event: 'bye', by: 'caller' } },
    });
    await until('the callee is told', () => theirs.state === 'ended');
    expect(s.story).toHaveLength(4);
    expect(await s.living()).toEqual([]);
  });

  test('BYE of the callee', async () => {
    const call = await answered();
    await s.callee.calls[0]!.hangUp();
    await s.until('terminated');
    expect(s.last.dialog.reason).toEqual({ event: 'bye', by: 'callee' });
    await until('the caller is told', () => call.state === 'ended');
    expect(s.story).toHaveLength(4);
  });

  test('the application hangs up: by neither side', async () => {
    const call = await answered();
    const { uas, uac } = s.made[0]!;
    uac.destroy();
    uas.destroy();
    expect(s.last).toMatchObject({ kind: 'terminated', dialog: { state: 'terminated', reason: { event: 'bye' } } });
    expect(s.last.dialog.reason).not.toHaveProperty('by');
    await until('both are told', () => call.state === 'ended' && s.callee.calls[0]!.state === 'ended');
    expect(s.story).toHaveLength(4);
  });

  test('... also with a BYE by request()', async () => {
    const call = await answered();
    await s.made[0]!.uas.request({ method: 'BYE' } as never);
    expect(s.last.dialog.reason).toEqual({ event: 'bye' });
    s.made[0]!.uac.destroy();
    await until('both are told', () => call.state === 'ended' && s.callee.calls[0]!.state === 'ended');
  });

  test('a rejected call', async () => {
    s.callee.onCall = (call) => call.reject(486);
    const call = s.call();
    await call.reaches('ended');
    await s.until('failed');
    expect(call.reason).toBe(486);
    expect(s.story).toEqual(['created', 'failed']);
    expect(s.last.dialog).toMatchObject({ state: 'terminated', reason: { event: 'rejected', code: 486 } });
    expect(s.failures).toEqual([expect.objectContaining({ status: 486 })]);
    expect(await s.living()).toEqual([]);
  });

  test('a cancelled call ends with the CANCEL, and once', async () => {
    const call = s.call();
    await call.reaches('ringing');
    call.cancel();
    await call.reaches('ended');
    await until('createB2BUA() was rejected', () => s.failures.length === 1);
    expect(s.story).toEqual(['created', 'early', 'failed']);
    expect(s.last.dialog.reason).toEqual({ event: 'cancelled', code: 487, by: 'caller' });
    expect(s.callee.calls[0]!.reason).toBe('cancelled');
  });

  test('the application gives up by itself: cancelled by nobody', async () => {
    s.handler = (req, res) => {
      const cbRequest = (_: Error | null, sent: Srf.SrfRequest) =>
        void setImmediate(() => sent.cancel(() => undefined));
      s.calls.createB2BUA(req, res, s.target, { ...s.options }, { cbRequest }).catch((error) => s.failures.push(error));
    };
    await s.call().reaches('ended');
    await s.until('failed');
    expect(s.last.dialog.reason).toEqual({ event: 'cancelled', code: 487 });
  });

  test('forked: one early dialog for each To tag, also with SDP; the winner is confirmed', async () => {
    s.toPeer();
    const call = s.call();
    const invite = await s.peer.requests.take();
    s.answer(invite, 100, 'none');
    s.answer(invite, 180, 'one');
    s.answer(invite, 183, 'two', SDP);
    s.answer(invite, 180, 'one');
    await until('three provisionals', () => s.events.length === 4);
    const tags = () => s.events.map(({ kind, dialog }) => `${kind} ${dialog.state} ${dialog.callee.tag}`);
    expect(tags()).toEqual(['created trying undefined', 'early early one', 'early early two', 'early early one']);
    expect(s.last.dialog.callee.contact).toBe(`sip:one@127.0.0.1:${s.peer.hop.port}`);
    expect(new Set(s.events.map(({ dialog }) => dialog.key)).size).toBe(1);
    const { key } = s.last.dialog;
    expect(await s.living()).toEqual([
      [key, 'early', 'one'],
      [key, 'early', 'two'],
    ]);
    s.answer(invite, 200, 'two', SDP);
    await s.until('confirmed');
    expect(s.last.dialog.callee).toMatchObject({ tag: 'two', contact: `sip:two@127.0.0.1:${s.peer.hop.port}` });
    expect(await s.living()).toEqual([[key, 'confirmed', 'two']]);
    await call.hangUp();
  });

  test('a provisional answer without tag is proceeding, and tells nothing after one with a tag', async () => {
    s.toPeer();
    s.call();
    const invite = await s.peer.requests.take();
    const untagged = { headers: [`To: ${invite.headers.get('To')}`] };
    s.peer.answer(invite, 183, untagged);
    await s.until('early');
    expect(s.last.dialog.state).toBe('proceeding');
    expect(s.last.dialog.callee).not.toHaveProperty('tag');
    s.answer(invite, 180, 'one');
    s.peer.answer(invite, 181, untagged);
    s.answer(invite, 200, 'one');
    await s.until('confirmed');
    expect(s.events.map(({ dialog }) => dialog.state)).toEqual(['trying', 'proceeding', 'early', 'confirmed']);
  });

  test('a caller without an offer: confirmed once both dialogs are there', async () => {
    s.options = {};
    s.toPeer();
    const call = s.call();
    const invite = await s.peer.requests.take();
    s.answer(invite, 200, 'theirs', SDP);
    await s.until('confirmed');
    expect(s.last.dialog).toMatchObject({ callee: { tag: 'theirs' }, caller: { tag: call.localTag } });
    await call.hangUp();
    expect(s.story).toEqual(['created', 'confirmed', 'terminated']);
  });

  test('calling oneself: two legs with tags and Call-IDs of their own', async () => {
    s.target = s.caller.contact;
    const call = s.caller.call(ALICE);
    await call.reaches('ringing');
    s.caller.calls[0]!.pickUp();
    await s.until('confirmed');
    const { caller, callee } = s.last.dialog;
    expect([caller.uri, callee.uri]).toEqual([ALICE, ALICE]);
    expect(caller.callId).not.toBe(callee.callId);
    expect(caller.tag).not.toBe(callee.tag);
    await call.hangUp();
    await s.until('terminated');
    expect(s.last.dialog.reason).toEqual({ event: 'bye', by: 'caller' });
  });

  test('a request in the dialog is an update; a further INVITE moves the target of its side', async () => {
    const call = await answered();
    await call.ask('INFO');
    expect(s.last).toMatchObject({ kind: 'updated', method: 'INFO', dialog: { state: 'confirmed' } });
    await s.callee.calls[0]!.ask('UPDATE', [['Contact', '<sip:bob@192.0.2.7>']]);
    expect(s.last).toMatchObject({
      kind: 'updated',
      method: 'UPDATE',
      dialog: { caller: { contact: s.caller.contact }, callee: { contact: 'sip:bob@192.0.2.7' } },
    });
    await call.ask('INVITE', [['Contact', '<sip:alice@192.0.2.8>']]);
    expect(s.last).toMatchObject({ method: 'INVITE', dialog: { caller: { contact: 'sip:alice@192.0.2.8' } } });
    expect(s.story).toEqual(['created', 'early', 'confirmed', 'updated', 'updated', 'updated']);
  });

  test('what the application knows better, and what the phones want kept private', async () => {
    s.info = {
      caller: { uri: 'sip:1001@pbx.example', display: 'Reception' },
      callee: { uri: 'sip:2002@pbx.example' },
      publish: { caller: false },
      publishUris: { callee: ['sip:team@pbx.example'] },
      mask: { caller: 'sip:hidden@pbx.example' },
      vars: { line: '4' },
    };
    s.toPeer();
    s.call([['Privacy', 'id; user']]);
    const invite = await s.peer.requests.take();
    s.peer.answer(invite, 180, { headers: ['Privacy: id'] });
    await s.until('early');
    const { caller, callee, ...dialog } = s.last.dialog;
    expect(caller).toMatchObject({ uri: 'sip:1001@pbx.example', display: 'Reception' });
    expect(callee).toMatchObject({ uri: 'sip:2002@pbx.example', tag: 'peer' });
    expect(dialog).toMatchObject({
      publish: { caller: false },
      publishUris: { callee: ['sip:team@pbx.example'] },
      mask: { caller: 'sip:hidden@pbx.example' },
      vars: { line: '4' },
      privacy: { caller: ['id', 'user'], callee: ['id'] },
      requestUri: BOB,
    });
  });

  test('a second attempt for the same INVITE is a call of its own', async () => {
    s.handler = async (req, res) => {
      s.toPeer();
      const first = s.calls.createB2BUA(req, res, s.target, { ...s.options, passFailure: false });
      await first.catch((error) => s.failures.push(error));
      s.target = s.callee.contact;
      s.bridge(req, res);
    };
    const call = s.call();
    const invite = await s.peer.requests.take();
    s.answer(invite, 503, 'full');
    await call.reaches('ringing');
    s.callee.calls[0]!.pickUp();
    await s.until('confirmed');
    const key = `${call.callId};${call.localTag}`;
    expect(s.events.map(({ kind, dialog }) => `${kind} ${dialog.key}`)).toEqual([
      `created ${key}`,
      `failed ${key}`,
      `created ${key};2`,
      `early ${key};2`,
      `confirmed ${key};2`,
    ]);
  });

  test('dialogs that were made otherwise', async () => {
    s.handler = async (req, res) => {
      const uac = await s.srf.createUAC(s.target, { localSdp: SDP, headers: { To: `<${BOB}>` } });
      const uas = await s.srf.createUAS(req, res, { localSdp: SDP });
      s.calls.track({ uas, uac }, { vars: { way: 'own' } });
    };
    s.callee.onCall = (call) => call.pickUp();
    const call = s.call();
    await s.until('confirmed');
    expect(s.story).toEqual(['created', 'confirmed']);
    expect(s.last.dialog).toMatchObject({
      callId: call.callId,
      caller: { uri: ALICE, tag: call.localTag, contact: s.caller.contact },
      callee: { uri: BOB, tag: s.callee.calls[0]!.localTag, callId: s.callee.calls[0]!.callId },
      publish: { caller: true, callee: true },
      vars: { way: 'own' },
    });
    await s.callee.calls[0]!.hangUp();
    expect(s.last.dialog.reason).toEqual({ event: 'bye', by: 'callee' });
  });

  test('one leg alone: the other side has no document', async () => {
    s.handler = async (req, res) => s.calls.track({ uas: await s.srf.createUAS(req, res, { localSdp: SDP }) });
    const call = s.call();
    await s.until('confirmed');
    const peerTag = [...call.remoteTags][0];
    expect(s.last.dialog).toMatchObject({
      caller: { uri: ALICE, tag: call.localTag, peerTag },
      callee: { uri: BOB, tag: peerTag },
      publish: { caller: true, callee: false },
    });
    await call.hangUp();
    expect(s.last.kind).toBe('terminated');

    s.callee.onCall = (one) => one.pickUp();
    s.calls.track({ uac: await s.srf.createUAC(s.target, { localSdp: SDP }) });
    expect(s.last.dialog).toMatchObject({
      state: 'confirmed',
      callee: { tag: s.callee.calls[0]!.localTag, contact: s.callee.contact },
      publish: { caller: false, callee: true },
    });
    await s.callee.calls[0]!.hangUp();
    expect(s.last.dialog.reason).toEqual({ event: 'bye', by: 'callee' });
    expect(() => s.calls.track({})).toThrow(expect.objectContaining({ code: 'PUA_ERR_ARGUMENT' }));
  });
};

describe('over the double of drachtio-server', () => {
  suite(() => Scene.open());

  test('two dozen calls at once that end in four ways leave nothing behind, and no state goes back', async () => {
    s.callee.onCall = (call) => {
      call.ring();
      const way = s.callee.calls.length % 4;
      if (way === 0) call.reject(603);
      else if (way < 3) call.pickUp();
    };
    const calls = Array.from({ length: 24 }, () => s.call());
    await until('half of them are answered', () => s.made.length === 12);
    for (const [index, theirs] of s.callee.calls.entries()) {
      if (theirs.state === 'answered' && index % 2 === 0) await theirs.hangUp();
    }
    for (const call of calls) {
      if (call.state === 'ringing' || call.state === 'calling') call.cancel();
      else if (call.state === 'answered') await call.hangUp();
    }
    const ends = () => s.events.filter(({ dialog }) => dialog.state === 'terminated');
    await until('all have ended', () => ends().length === 24);
    expect(await s.living()).toEqual([]);
    const rank = ['trying', 'proceeding', 'early', 'confirmed', 'terminated'];
    const reached = new Map<string, number>();
    for (const { dialog } of s.events) {
      const now = rank.indexOf(dialog.state);
      expect(now).toBeGreaterThanOrEqual(reached.get(dialog.key) ?? 0);
      reached.set(dialog.key, now);
    }
    expect(reached.size).toBe(24);
    const reasons = new Set(ends().map(({ dialog: { reason } }) => `${reason?.event} ${reason?.by ?? reason?.code}`));
    expect([...reasons].sort()).toEqual(['bye callee', 'bye caller', 'cancelled caller', 'rejected 603']);
  });

  test('a lost link ends all its calls, for nobody would hear of their end', async () => {
    await answered();
    s.callee.onCall = (call) => call.ring();
    const second = s.call();
    await second.reaches('ringing');
    expect(await s.living()).toHaveLength(2);
    const back = new Promise((resolve) => s.srf.once('connect', resolve));
    s.double!.cut();
    await until('both have ended', () => s.story.filter((kind) => kind === 'terminated').length === 2);
    expect(s.last.dialog.reason).toEqual({ event: 'error' });
    expect(await s.living()).toEqual([]);
    await back;
  });

  test('a listener that throws harms nobody', async () => {
    s.calls.onEvent(() => {
      throw new Error('no');
    });
    await (await answered()).hangUp();
    await s.until('terminated');
    expect(s.story).toEqual(['created', 'early', 'confirmed', 'terminated']);
  });

  test('live() of a source that nobody uses', async () => {
    const calls = trackB2bua(s.srf);
    const first = () => calls.live()[Symbol.asyncIterator]().next();
    await expect(first()).rejects.toMatchObject({
      code: 'PUA_ERR_STATE',
      message: expect.stringContaining('pua.use(trackB2bua'),
    });
    calls.setup(apiWith());
    expect(await first()).toEqual({ done: true, value: undefined });
  });
});

const url = process.env.DRACHTIO_URL;
if (url) describe('over a real drachtio-server', () => suite(() => Scene.open({ url })));
