/** start, use, stop: what is opened is closed, who waits is told. */
import type { PuaModule, PuaResult } from '@pua/core';
import { settled } from '../support/clock';
import { establish, listen, make, notify, outcome, publication, start, subscription } from '../support/pua';
import { FakeSip } from '../support/sip';
import { FakeStore } from '../support/store';

const state = expect.objectContaining({ code: 'PUA_ERR_STATE' });

function recording(log: string[], name: string, failing: Partial<Record<'start' | 'stop', Error>> = {}): PuaModule {
  const step = (what: 'start' | 'stop') => async () => {
    log.push(`${name} ${what}`);
    if (failing[what]) throw failing[what];
  };
  return { name, setup: () => void log.push(`${name} setup`), start: step('start'), stop: step('stop') };
}

describe('start', () => {
  test('store, SIP, modules, in this order; stop takes the modules back in reverse', async () => {
    const log: string[] = [];
    const store = new FakeStore();
    const { pua, sip } = make({ store });
    pua.use(recording(log, 'a')).use(recording(log, 'b'));
    await pua.start();
    await pua.stop();
    expect(log).toEqual(['a setup', 'b setup', 'a start', 'b start', 'b stop', 'a stop']);
    expect([store.calls, sip.stops, sip.clock.pending]).toEqual([['open', 'close'], 1, 0]);
  });

  test('use() only before start(), start() only once', async () => {
    const { pua } = await start();
    expect(() => pua.use(recording([], 'late'))).toThrow(state);
    await expect(pua.start()).rejects.toEqual(state);
    await pua.stop();
    await expect(pua.start()).rejects.toEqual(state);
  });

  test.each(['sendPublish', 'sendSubscribe'] as const)('%s() only while it runs', async (call) => {
    const info = { ...publication, ...subscription, sourceFlag: 'RPC_PUBLISH' } as never;
    const { pua } = make();
    expect(() => pua[call](info)).toThrow(state);
    await pua.start();
    await pua.stop();
    expect(() => pua[call](info)).toThrow(state);
  });

  test('the store does not open: nothing else was touched', async () => {
    const store = new FakeStore();
    store.openError = new Error('held');
    const { pua, sip } = make({ store });
    await expect(pua.start()).rejects.toThrow('held');
    expect([store.calls, sip.stops]).toEqual([['open'], 0]);
  });

  test('SIP does not start: the store is closed', async () => {
    const store = new FakeStore();
    const sip = new FakeSip();
    sip.startError = new Error('port in use');
    const { pua } = make({ store, sip });
    await expect(pua.start()).rejects.toThrow('port in use');
    expect(store.calls).toEqual(['open', 'close']);
    expect(sip.clock.pending).toBe(0);
  });

  test('a module does not start: those that had are stopped, and everything is closed', async () => {
    const log: string[] = [];
    const store = new FakeStore();
    const { pua, sip } = make({ store });
    pua
      .use(recording(log, 'a'))
      .use(recording(log, 'b', { start: new Error('no port') }))
      .use(recording(log, 'c'));
    await expect(pua.start()).rejects.toThrow('no port');
    expect(log.slice(3)).toEqual(['a start', 'b start', 'a stop']);
    expect([store.calls, sip.stops, sip.clock.pending]).toEqual([['open', 'close'], 1, 0]);
  });

  test('rows that cannot be read are told and left alone, the others are restored', async () => {
    const store = new FakeStore();
    const first = await start({ store });
    first.pua.sendPublish(publication);
    first.sip.last.reply(200, [
      ['SIP-ETag', 'e'],
      ['Expires', '3600'],
    ]);
    await first.pua.stop();
    const [row] = store.rows.values();
    store.rows.set('x', { ...row!, record_key: 'x', event: 512, event_name: 'unheard-of' });
    const faults = listen('pua:fault');
    const second = await start({ store });
    expect([...second.pua.list()].map(({ key, etag }) => [key, etag])).toEqual([[row!.record_key, 'e']]);
    expect(faults.messages).toEqual([
      expect.objectContaining({ type: 'fault', where: 'row x of the table', error: expect.any(Error) }),
    ]);
    expect(store.rows.size).toBe(2);
    await second.pua.stop();
  });
});

describe('requests that come while records are being read', () => {
  test('a NOTIFY waits, and is delivered once its dialog is there and modules may act', async () => {
    const store = new FakeStore();
    const first = await start({ store });
    const dialog = establish(first);
    await first.pua.stop();

    const sip = new FakeSip();
    const second = make({ store, sip });
    const heard: unknown[] = [];
    second.pua.onNotify('presence', ({ record }) => {
      heard.push(record.key);
      second.pua.sendPublish(publication);
    });
    const load = store.load.bind(store);
    const received: ReturnType<typeof notify>[] = [];
    store.load = async (size, onPage) => {
      received.push(notify(second, dialog));
      await load(size, onPage);
    };
    await second.pua.start();
    await settled();
    expect(heard).toEqual([dialog.handle.key]);
    expect(received[0]).toEqual({ replies: [{ status: 200, headers: [] }], passed: false });
    expect(sip.sent.map(({ request }) => request.method)).toContain('PUBLISH');
    await second.pua.stop();
  });

  test('beyond ten thousand they are sent away', async () => {
    const store = new FakeStore();
    const { pua, sip } = make({ store });
    const received: { replies: unknown[] }[] = [];
    store.load = async () => {
      for (let i = 0; i <= 10_000; i++) received.push(sip.receive('OPTIONS', []));
    };
    await pua.start();
    expect(received.filter(({ replies }) => replies.length > 0).map(({ replies }) => replies)).toEqual([
      [{ status: 503, headers: [['Retry-After', '5']] }],
    ]);
    await pua.stop();
  });
});

describe('stop', () => {
  test('who waits is told: on the wire, in the queue, behind an end', async () => {
    const { pua, sip } = await start({ ceiling: { inFlight: 1 } });
    const flying = pua.sendPublish(publication);
    const queued = pua.sendPublish({ ...publication, id: 'other', presUri: 'sip:other@example.com' });
    const newer = pua.sendPublish({ ...publication, body: 'newer' });
    await pua.stop();
    // Their rows are picked up by the next start.
    for (const waiting of [flying, queued, newer]) expect(await outcome(waiting)).toEqual({ outcome: 'stopped' });
    expect(sip.clock.pending).toBe(0);
  });

  test('twice: both wait for the one stop', async () => {
    const { pua, sip } = await start();
    let stopped = false;
    sip.stop = async () => {
      await settled();
      stopped = true;
    };
    void pua.stop();
    await pua.stop();
    expect(stopped).toBe(true);
    await pua.stop();
  });

  test('while it starts: once it has started', async () => {
    const log: string[] = [];
    const store = new FakeStore();
    const { pua } = make({ store });
    pua.use(recording(log, 'a'));
    const starting = pua.start();
    await pua.stop();
    await starting;
    expect([log, store.calls]).toEqual([
      ['a setup', 'a start', 'a stop'],
      ['open', 'close'],
    ]);
  });

  test('before start it is nothing', async () => {
    const { pua, sip } = make();
    await pua.stop();
    expect(sip.stops).toBe(0);
  });

  test('a module that fails to stop keeps nothing else open', async () => {
    const log: string[] = [];
    const store = new FakeStore();
    const { pua, sip } = make({ store });
    pua.use(recording(log, 'a')).use(recording(log, 'b', { stop: new Error('stuck') }));
    await pua.start();
    const faults = listen('pua:fault');
    await pua.stop();
    expect(log.slice(-2)).toEqual(['b stop', 'a stop']);
    expect([store.calls, sip.stops]).toEqual([['open', 'close'], 1]);
    expect(faults.messages).toEqual([expect.objectContaining({ where: 'stop() of module b' })]);
  });

  test('an engine that fails to stop does not keep the store open', async () => {
    const store = new FakeStore();
    const { pua, sip } = await start({ store });
    sip.stop = () => Promise.reject(new Error('stuck'));
    await expect(pua.stop()).rejects.toThrow('stuck');
    expect(store.calls).toEqual(['open', 'close']);
  });

  test('leave: the rows stay; unpublish: everything is taken back', async () => {
    for (const onStop of ['leave', 'unpublish'] as const) {
      const store = new FakeStore();
      const running = await start({ store, onStop });
      const { pua, sip } = running;
      pua.sendPublish(publication);
      sip.last.reply(200, [
        ['SIP-ETag', 'e'],
        ['Expires', '3600'],
      ]);
      establish(running, { id: 'x' });
      sip.onSent = (sent) =>
        sip.clock.after(1, () => {
          sent.reply(sent.request.method === 'PUBLISH' ? 200 : 481, []);
        });
      const results: PuaResult[] = [];
      const done = pua.stop().then(() => results.push({ outcome: 'stopped' }));
      for (let i = 0; i < 20 && results.length === 0; i++) {
        sip.clock.advance(100);
        await settled();
      }
      await done;
      expect(store.rows.size).toBe(onStop === 'leave' ? 2 : 0);
      expect(sip.sent.filter((sent) => sent.header('Expires') === '0')).toHaveLength(onStop === 'leave' ? 0 : 2);
    }
  });
});

describe('the sweep', () => {
  test('every update_period, not at all for 0', async () => {
    const { pua, sip } = await start({ updatePeriod: 10 });
    let swept = 0;
    pua.cleanup = () => ++swept;
    sip.clock.advance(35_000);
    expect(swept).toBe(3);
    await pua.stop();
    expect(sip.clock.pending).toBe(0);
    const quiet = await start({ updatePeriod: 0 });
    expect(quiet.sip.clock.pending).toBe(0);
  });

  test('a period of years sets no timer that long', async () => {
    const { pua, sip } = await start({ updatePeriod: 2 ** 31 - 1 });
    expect(sip.clock.longest).toBeLessThan(2 ** 31);
    await pua.stop();
  });

  test('finds nothing overdue where the schedule works', async () => {
    const running = await start();
    running.pua.sendPublish(publication);
    running.sip.last.reply(200, [
      ['SIP-ETag', 'e'],
      ['Expires', '3600'],
    ]);
    expect(running.pua.cleanup()).toBe(0);
  });

  test('called in the middle of a turn it disturbs nothing', async () => {
    const { pua, sip } = await start();
    pua.registerCallback('RPC_PUBLISH', () => void pua.cleanup());
    pua.sendPublish({ ...publication, expires: 3600 });
    sip.last.reply(200, [
      ['SIP-ETag', 'e'],
      ['Expires', '1'],
    ]);
    sip.clock.advance(3_000);
    expect([...pua.list()]).toHaveLength(1);
  });
});
