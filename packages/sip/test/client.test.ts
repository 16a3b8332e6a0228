import { PuaError } from '@pua/core';
import { bench, publish, sender, settled } from './support';

describe('client transaction', () => {
  it('retransmits by timer E and ends by timer F', async () => {
    const { clock, engine, peer } = await bench();
    const { outcomes, send } = sender(engine);
    send();
    clock.advance(31_999);
    expect(outcomes).toEqual([]);
    expect(peer.seen.map((s) => s.at)).toEqual([
      0, 500, 1500, 3500, 7500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500,
    ]);
    expect(new Set(peer.seen.map((s) => s.text)).size).toBe(1);
    clock.advance(1);
    expect(outcomes).toEqual([{ kind: 'timeout', cseq: 7 }]);
    expect(engine.stats()).toMatchObject({ clientTransactions: 0, retransmitted: { requests: 10, responses: 0 } });
    clock.advance(60_000);
    expect(peer.seen).toHaveLength(11);
    expect(clock.pending).toBe(0);
  });

  it('goes on at T2 after a provisional answer, without stopping', async () => {
    const { clock, engine, peer } = await bench();
    const { outcomes, send } = sender(engine);
    send();
    clock.advance(600);
    peer.answer('100 Trying');
    clock.advance(31_400);
    // The interval that runs is not cut short; T2 holds from the next one on.
    expect(peer.seen.map((s) => s.at)).toEqual([0, 500, 1500, 5500, 9500, 13_500, 17_500, 21_500, 25_500, 29_500]);
    expect(outcomes).toEqual([{ kind: 'timeout', cseq: 7 }]);
  });

  it('gives the final answer once, and drops what comes late', async () => {
    const { clock, engine, peer } = await bench();
    const { outcomes, send } = sender(engine);
    send();
    peer.answer('200 Fine', 'SIP-ETag: abc\r\nExpires: 1800\r\n');
    peer.answer('200 Fine');
    clock.advance(4000);
    peer.answer('500 No');
    expect(outcomes).toHaveLength(1);
    const [outcome] = outcomes;
    if (outcome?.kind !== 'response') throw new Error('no response');
    expect([outcome.status, outcome.reason, outcome.cseq, outcome.body]).toEqual([200, 'Fine', 7, undefined]);
    expect(outcome.headers.get('sip-etag')).toBe('abc');
    expect(peer.seen).toHaveLength(1);
    expect(engine.stats().dropped).toMatchObject({ late: 2, stray: 0 });
    expect(engine.stats().clientTransactions).toBe(0);
  });

  it('takes an answer only with its branch, sent-by and CSeq method', async () => {
    const { engine, peer } = await bench();
    const { outcomes, send } = sender(engine);
    send();
    const { text } = peer.last;
    const via = /Via: (.*)\r\n/.exec(text)![1]!;
    const answer = (changed: string, cseq = '7 PUBLISH') =>
      peer.send(
        `SIP/2.0 200 OK\r\nVia: ${changed}\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:a@b>;tag=2\r\nCall-ID: call-1\r\nCSeq: ${cseq}\r\n\r\n`,
      );
    answer(via.replace(/branch=[^;]+/, 'branch=z9hG4bKother'));
    answer(via.replace('10.0.0.1', '10.0.0.9'));
    answer(via.replace(':5060', ':5061'));
    answer(via, '7 SUBSCRIBE');
    answer(`${via}, SIP/2.0/UDP 10.0.0.7`);
    expect(outcomes).toEqual([]);
    expect(engine.stats().dropped).toMatchObject({ stray: 4, malformed: 1 });
    // Other spelling, other order, more parameters: still ours.
    answer(
      via
        .replace(':5060', '')
        .replace('SIP/2.0/UDP', 'sip / 2.0 / udp')
        .replace(/;(branch=[^;]+);rport/, ' ; rport=5060;received=10.0.0.1 ; $1 ;x'),
    );
    expect(outcomes).toHaveLength(1);
  });

  it('never calls done before request() has returned', async () => {
    const { engine, net } = await bench();
    let returned = false;
    const seen: boolean[] = [];
    const done = () => seen.push(returned);
    // Another engine answers at once, from within send().
    const { embeddedSip } = await import('@pua/sip');
    const other = embeddedSip({ listen: ['udp:10.0.0.3:5060'], bindDatagram: net.bind });
    await other.start((request) => request.reply(200));
    engine.request(publish({ hop: { transport: 'udp', host: '10.0.0.3', port: 5060 } }), done);
    engine.request(publish({ hop: { transport: 'tls', host: '10.0.0.3', port: 5061 } }), done);
    net.failure = new Error('ENETUNREACH');
    engine.request(publish(), done);
    engine.request(publish({ headers: [['X', 'x'.repeat(70_000)]] }), done);
    returned = true;
    await settled();
    expect(seen).toEqual([true, true, true, true]);
    await other.stop(0);
  });

  it('tells what could not be sent', async () => {
    const { engine, net, clock, peer } = await bench();
    const { outcomes, send } = sender(engine);
    send({ hop: { transport: 'tcp', host: '10.0.0.2', port: 5060 } });
    send({ hop: { transport: 'udp', host: 'fd00::2', port: 5060 } });
    send({ headers: [['X', 'x'.repeat(70_000)]] });
    await settled();
    expect(outcomes).toMatchObject([
      { kind: 'unreachable', sent: false, cause: { message: expect.stringContaining('tcp') } },
      { kind: 'unreachable', sent: false, cause: { message: expect.stringContaining('IPv6') } },
      { kind: 'tooLarge', limit: engine.maxMessageBytes },
    ]);
    net.failure = new Error('ENETUNREACH');
    send();
    await settled();
    expect(outcomes[3]).toMatchObject({ kind: 'unreachable', sent: false, cause: net.failure });
    net.failure = undefined;
    send();
    net.failure = new Error('ENETDOWN');
    clock.advance(500);
    await settled();
    expect(outcomes[4]).toMatchObject({ kind: 'unreachable', sent: true, cause: net.failure });
    expect(engine.stats().clientTransactions).toBe(0);
    expect(peer.seen).toHaveLength(1);
  });

  it('honours a shorter deadline and other timers', async () => {
    const { engine, clock, peer } = await bench({ t1: 50, t2: 200 });
    const { outcomes, send } = sender(engine);
    send({ timeoutMs: 400 });
    clock.advance(399);
    expect(outcomes).toEqual([]);
    clock.advance(1);
    expect(outcomes).toEqual([{ kind: 'timeout', cseq: 7 }]);
    expect(peer.seen.map((s) => s.at)).toEqual([0, 50, 150, 350]);
    send({ timeoutMs: 100_000 });
    clock.advance(99_999);
    expect(outcomes).toHaveLength(1);
    clock.advance(1);
    expect(outcomes).toHaveLength(2);
  });

  it('has branches with the magic cookie, a random part and no repetition', async () => {
    const { engine, peer } = await bench();
    const second = await bench();
    const a = sender(engine);
    for (let i = 0; i < 50; i++) a.send();
    sender(second.engine).send();
    const branches = [...peer.seen, ...second.peer.seen].map((s) => /branch=(z9hG4bK[^;\r]+)/.exec(s.text)![1]!);
    expect(new Set(branches).size).toBe(51);
    const prefix = (b: string) => b.slice(0, b.indexOf('.'));
    expect(prefix(branches[0]!)).toBe(prefix(branches[49]!));
    expect(prefix(branches[0]!)).not.toBe(prefix(branches[50]!));
    expect(prefix(branches[0]!).length).toBeGreaterThanOrEqual('z9hG4bK'.length + 14);
  });

  it('keeps its tables sound when done throws', async () => {
    const { engine, peer } = await bench();
    const thrown: unknown[] = [];
    const clean = jest.spyOn(globalThis, 'queueMicrotask').mockImplementation((run) => {
      try {
        run();
      } catch (error) {
        thrown.push((error as Error).message);
      }
    });
    engine.request(publish(), () => {
      throw new Error('fault of the caller');
    });
    peer.answer('200 OK');
    clean.mockRestore();
    expect(thrown).toEqual(['fault of the caller']);
    expect(engine.stats().clientTransactions).toBe(0);
  });
});

describe('what a request looks like', () => {
  it('has all its fields, in one piece', async () => {
    const { engine, peer } = await bench({ userAgent: 'pua/1' });
    sender(engine).send({
      routes: ['<sip:proxy.example.com;lr>', '<sip:second.example.com;lr>'],
      to: { uri: 'sip:alice@example.com', tag: 'remote' },
      contact: 'sip:x@10.0.0.1:5060',
      body: { type: 'text/plain', content: 'grüße' },
    });
    const branch = /branch=([^;]+)/.exec(peer.last.text)![1];
    expect(peer.last.text).toBe(
      `PUBLISH sip:alice@example.com SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.1:5060;branch=${branch};rport\r\n` +
        'Max-Forwards: 70\r\nRoute: <sip:proxy.example.com;lr>\r\nRoute: <sip:second.example.com;lr>\r\n' +
        'From: <sip:alice@example.com>;tag=ours\r\nTo: <sip:alice@example.com>;tag=remote\r\nCall-ID: call-1\r\n' +
        'CSeq: 7 PUBLISH\r\nContact: <sip:x@10.0.0.1:5060>\r\nEvent: presence\r\nExpires: 3600\r\nUser-Agent: pua/1\r\n' +
        'Content-Type: text/plain\r\nContent-Length: 7\r\n\r\ngrüße',
    );
  });

  it.each([
    ['ASCII text', 'plain', 'plain'],
    ['bytes', Uint8Array.of(0xe2, 0x82, 0xac), '€'],
    ['nothing', '', ''],
    ['beyond the BMP', 'a😀b', 'a😀b'],
  ])('carries a body of %s', async (_name, content, text) => {
    const { engine, peer } = await bench();
    sender(engine).send({ body: { type: 'text/plain', content }, headers: [['Subject', 'grüße €']] });
    const { message } = peer.last;
    if (message.kind !== 'request') throw new Error('no request');
    expect(message.body?.text() ?? '').toBe(text);
    expect(message.headers.get('Content-Length')).toBe(String(Buffer.byteLength(text)));
    expect(message.headers.get('s')).toBe('grüße €');
  });

  it.each([
    ['uri', { uri: 'sip:a@b\r\nX: y' }],
    ['uri', { uri: 'sip:a b@c' }],
    ['uri', { uri: '' }],
    ['from.uri', { from: { uri: 'sip:a>\n', tag: 'x' } }],
    ['from.tag', { from: { uri: 'sip:a@b', tag: 'x\r\nY: z' } }],
    ['from.tag', { from: { uri: 'sip:a@b', tag: '' } }],
    ['to.uri', { to: { uri: 'sip:a@b\0' } }],
    ['to.uri', { to: { uri: 'sip:a@b>;tag=evil' } }],
    ['to.tag', { to: { uri: 'sip:a@b', tag: 'x;y' } }],
    ['callId', { callId: 'a\nb' }],
    ['callId', { callId: '' }],
    ['contact', { contact: 'sip:a@b\r' }],
    ['route', { routes: ['<sip:a;lr>\r\nX: y'] }],
    ['header Subject', { headers: [['Subject', 'x\r\nY: z']] }],
    ['header Subject', { headers: [['Subject', 'x\ny']] }],
    ['header Subject', { headers: [['Subject', 'x\0']] }],
    ['header name', { headers: [['X: y\r\nZ', 'x']] }],
    ['header name', { headers: [['', 'x']] }],
    ['header', { headers: [['via', 'SIP/2.0/UDP evil']] }],
    ['header', { headers: [['l', '0']] }],
    ['body.type', { body: { type: 'text/plain\r\nX: y', content: '' } }],
    ['method', { method: 'PUB LISH' }],
    ['cseq', { cseq: -1 }],
    ['cseq', { cseq: 2 ** 31 }],
    ['cseq', { cseq: 1.5 }],
    ['timeoutMs', { timeoutMs: Number.NaN }],
    ['timeoutMs', { timeoutMs: Number.POSITIVE_INFINITY }],
    ['timeoutMs', { timeoutMs: 0 }],
  ] as const)('refuses a bad %s: %j', async (field, change) => {
    const { engine, peer } = await bench();
    const { outcomes, send } = sender(engine);
    const attempt = () => send(change as Parameters<typeof publish>[0]);
    expect(attempt).toThrow(PuaError);
    expect(attempt).toThrow(expect.objectContaining({ code: 'PUA_ERR_INVALID_MESSAGE' }));
    expect(attempt).toThrow(field);
    await settled();
    expect(outcomes).toEqual([]);
    expect(peer.seen).toEqual([]);
    expect(engine.stats()).toMatchObject({ clientTransactions: 0, sent: 0 });
  });
});
