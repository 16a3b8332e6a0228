import { PuaError } from '@pua/core';
import { bench, heap, incoming } from './support';

describe('server transaction', () => {
  it('runs the handler once and repeats the answer for 64*T1', async () => {
    const { clock, engine, peer, requests } = await bench({ userAgent: 'pua' });
    const text = incoming('NOTIFY');
    peer.send(text);
    peer.send(text);
    expect(peer.seen).toEqual([]);
    expect(engine.stats()).toMatchObject({ unanswered: 1, serverTransactions: 1, dropped: { repeated: 1 } });
    requests[0]!.reply(200, [['X-Note', 'grüße']]);
    requests[0]!.reply(500);
    requests[0]!.pass();
    clock.advance(31_999);
    peer.send(text);
    expect(requests).toHaveLength(1);
    expect(peer.seen).toHaveLength(2);
    expect(peer.seen[1]!.text).toBe(peer.seen[0]!.text);
    expect(peer.seen[0]!.text).toMatch(/^SIP\/2\.0 200 OK\r\n/);
    expect(peer.seen[0]!.text).toContain('X-Note: grüße\r\nServer: pua\r\nContent-Length: 0\r\n\r\n');
    expect(engine.stats()).toMatchObject({ unanswered: 0, serverTransactions: 1, retransmitted: { responses: 1 } });
    clock.advance(1);
    expect(engine.stats().serverTransactions).toBe(0);
    expect(clock.pending).toBe(0);
    peer.send(text);
    expect(requests).toHaveLength(2);
  });

  it('tells requests apart by branch, sent-by and method, and old ones by all they have', async () => {
    const { peer, requests } = await bench();
    const via = 'SIP/2.0/UDP 10.0.0.2:5070;branch=z9hG4bKsame;rport';
    peer.send(incoming('NOTIFY', { Via: via }));
    peer.send(incoming('NOTIFY', { Via: via }));
    peer.send(incoming('MESSAGE', { Via: via }));
    peer.send(incoming('NOTIFY', { Via: via.replace('5070', '5071') }));
    expect(requests).toHaveLength(3);
    const old = 'SIP/2.0/UDP 10.0.0.2:5070';
    peer.send(incoming('NOTIFY', { Via: old }));
    peer.send(incoming('NOTIFY', { Via: old }));
    peer.send(incoming('NOTIFY', { Via: old, CSeq: '2 NOTIFY' }));
    peer.send(incoming('NOTIFY', { Via: `${old};branch=1` }));
    expect(requests).toHaveLength(6);
  });

  it('answers 100 when timer E of the peer reaches T2, and 500 after 10 s of silence', async () => {
    const { clock, engine, peer, requests } = await bench();
    const text = incoming('NOTIFY');
    peer.send(text);
    clock.advance(3499);
    expect(peer.seen).toEqual([]);
    clock.advance(1);
    expect(peer.last.text).toMatch(/^SIP\/2\.0 100 Trying\r\n/);
    expect(peer.last.text).not.toContain('To: <sip:alice@example.com>;tag');
    peer.send(text);
    expect(peer.seen).toHaveLength(2);
    clock.advance(6500);
    expect(peer.seen).toHaveLength(3);
    expect(peer.last.text).toMatch(/^SIP\/2\.0 500 /);
    requests[0]!.reply(200);
    expect(peer.seen).toHaveLength(3);
    expect(engine.stats().unanswered).toBe(0);
  });

  it('answers 500 when the handler throws, and stays sound', async () => {
    const warnings: string[] = [];
    const warn = jest.spyOn(process, 'emitWarning').mockImplementation((warning) => warnings.push(String(warning)));
    const { engine, peer } = await bench({}, () => {
      throw new Error('fault of the handler');
    });
    peer.send(incoming('NOTIFY'));
    warn.mockRestore();
    expect(peer.last.text).toMatch(/^SIP\/2\.0 500 /);
    expect(warnings.join()).toContain('fault of the handler');
    expect(engine.stats().unanswered).toBe(0);
  });

  it('refuses a bad reply before anything is sent, so that a good one can follow', async () => {
    const { peer, requests } = await bench();
    peer.send(incoming('NOTIFY'));
    const [request] = requests;
    expect(() => request!.reply(200, [['X', 'a\r\nB: c']])).toThrow(PuaError);
    expect(() => request!.reply(200, [], 'O\nK')).toThrow(PuaError);
    expect(() => request!.reply(180)).toThrow(PuaError);
    expect(() => request!.reply(200, [['Via', 'x']])).toThrow(PuaError);
    expect(peer.seen).toEqual([]);
    request!.reply(481, [], 'Never Heard Of It');
    expect(peer.last.text).toMatch(/^SIP\/2\.0 481 Never Heard Of It\r\n/);
  });

  it('tells the To tag of its answers before they are given', async () => {
    const { peer, requests } = await bench();
    peer.send(incoming('SUBSCRIBE'));
    peer.send(incoming('SUBSCRIBE', { To: '<sip:alice@example.com>;tag=known', 'Call-ID': 'other' }));
    const tags = requests.map(({ toTag }) => toTag);
    for (const request of requests) request.reply(200);
    const answered = peer.seen.map(({ text }) => /\r\nTo: .*;tag=(\S+)\r\n/.exec(text)![1]);
    expect(answered).toEqual(tags);
    expect(tags[1]).toBe('known');
  });

  it('shows the request', async () => {
    const { peer, requests } = await bench();
    peer.send(incoming('NOTIFY', { o: 'presence', c: 'application/pidf+xml' }, '<presence>ü</presence>'));
    const [request] = requests;
    expect(request!.method).toBe('NOTIFY');
    expect(request!.uri).toBe('sip:alice@10.0.0.1');
    expect(request!.headers.get('Event')).toBe('presence');
    expect(request!.source).toEqual({ transport: 'udp', host: '10.0.0.2', port: 5070 });
    expect(request!.body!.type).toBe('application/pidf+xml');
    expect(request!.body!.text()).toBe('<presence>ü</presence>');
    expect(request!.body!.bytes).toHaveLength(23);
  });

  it('echoes what must come back, with a To tag that is always the same', async () => {
    const { peer, clock } = await bench({}, (request) => request.reply(200));
    const text = incoming('NOTIFY', {
      Via: 'SIP/2.0/UDP 10.0.0.2:5070;branch=z9hG4bKa;rport, SIP/2.0/UDP 10.0.0.8;branch=z9hG4bKb',
      v: 'SIP/2.0/TCP far.example.com;branch=z9hG4bKc;rport',
      From: '"Bob; x" <sip:b\u00f6b@example.com> ; tag=theirs',
      'Record-Route': '<sip:proxy;lr>',
    });
    peer.send(text);
    const answer = peer.last.text;
    expect(answer).toContain(
      'Via: SIP/2.0/UDP 10.0.0.2:5070;branch=z9hG4bKa;rport=5070;received=10.0.0.2, SIP/2.0/UDP 10.0.0.8;branch=z9hG4bKb\r\n' +
        'Via: SIP/2.0/TCP far.example.com;branch=z9hG4bKc;rport\r\n' +
        'From: "Bob; x" <sip:böb@example.com> ; tag=theirs\r\nTo: <sip:alice@example.com>;tag=',
    );
    expect(answer).toContain('Call-ID: incoming-1\r\nCSeq: 1 NOTIFY\r\nRecord-Route: <sip:proxy;lr>\r\n');
    clock.advance(40_000);
    peer.send(text);
    expect(peer.last.text).toBe(answer);
    peer.send(incoming('NOTIFY', { To: '<sip:alice@example.com> ; TAG = mine' }));
    expect(peer.last.text).toContain('To: <sip:alice@example.com> ; TAG = mine\r\n');
  });

  it('forgets the oldest kept answers beyond their bound', async () => {
    const { peer, engine, requests, clock } = await bench({ maxKeptAnswers: 2 }, (request) => request.reply(200));
    const texts = [incoming('NOTIFY'), incoming('NOTIFY'), incoming('NOTIFY')];
    for (const text of texts) peer.send(text);
    expect(engine.stats().serverTransactions).toBe(2);
    peer.send(texts[2]!);
    peer.send(texts[1]!);
    expect(requests).toHaveLength(3);
    peer.send(texts[0]!);
    expect(requests).toHaveLength(4);
    clock.advance(32_000);
    expect(engine.stats().serverTransactions).toBe(0);
  });

  it('forgets them too when they are large, and keeps nothing else of a request', async () => {
    const { peer, engine, clock, requests } = await bench({}, (request) => request.reply(200));
    const Via = () => `${incoming('NOTIFY').split('\r\n')[1]!.slice(5)}, SIP/2.0/UDP ${'x'.repeat(60_000)}`;
    for (let i = 0; i < 2_500; i++) {
      peer.send(incoming('NOTIFY', { Via: Via() }));
      peer.seen.length = 0;
      requests.length = 0;
    }
    // 128 MiB of them.
    const large = engine.stats().serverTransactions;
    expect(large * 60_000).toBeLessThan(128 << 20);
    expect((large + 10) * 61_000).toBeGreaterThan(128 << 20);
    clock.advance(32_000);
    expect(engine.stats().serverTransactions).toBe(0);

    const body = 'x'.repeat(60_000);
    const before = heap();
    for (let i = 0; i < 1_000; i++) {
      peer.send(incoming('NOTIFY', {}, body));
      peer.seen.length = 0;
      requests.length = 0;
    }
    expect(engine.stats().serverTransactions).toBe(1_000);
    expect((heap() - before) / 1_000).toBeLessThan(5_000);
  });

  it('answers 503 with Retry-After in overload, without growth', async () => {
    const { peer, engine, requests } = await bench({ maxServerTransactions: 2 });
    for (let i = 0; i < 5; i++) peer.send(incoming('NOTIFY'));
    expect(requests).toHaveLength(2);
    expect(peer.seen).toHaveLength(3);
    for (const { text } of peer.seen) expect(text).toMatch(/^SIP\/2\.0 503 [\s\S]*Retry-After: \d+\r\n/);
    expect(engine.stats()).toMatchObject({ serverTransactions: 2, refused: { overload: 3 } });
    requests[0]!.reply(200);
    peer.send(incoming('NOTIFY'));
    expect(requests).toHaveLength(3);
  });
});

describe('where an answer goes', () => {
  it('names no zone of this host', async () => {
    const { net } = await bench({ listen: ['udp:[fe80::1]:5060'] }, (request) => request.reply(200));
    const peer = net.peer('fe80::2%eth0', 5070);
    peer.send(incoming('NOTIFY', { Via: 'SIP/2.0/UDP [fe80::2]:5070;branch=z9hG4bKz;rport' }));
    expect(peer.last.text).toContain('UDP [fe80::2]:5070;branch=z9hG4bKz;rport=5070;received=fe80::2\r\n');
  });

  it.each([
    // [what, Via, host and port the answer is seen at, expected Via]
    [
      'rport',
      'SIP/2.0/UDP 192.168.1.5:9;branch=z9hG4bK1;rport',
      '10.0.0.2',
      5070,
      ';branch=z9hG4bK1;rport=5070;received=10.0.0.2',
    ],
    [
      'no rport',
      'SIP/2.0/UDP 192.168.1.5:5099;branch=z9hG4bK2',
      '10.0.0.2',
      5099,
      ';branch=z9hG4bK2;received=10.0.0.2',
    ],
    [
      'no rport, no port',
      'SIP/2.0/UDP pc.example.com;branch=z9hG4bK3',
      '10.0.0.2',
      5060,
      ';branch=z9hG4bK3;received=10.0.0.2',
    ],
    ['same host', 'SIP/2.0/UDP 10.0.0.2:5071;branch=z9hG4bK4', '10.0.0.2', 5071, 'UDP 10.0.0.2:5071;branch=z9hG4bK4'],
    [
      'a lie',
      'SIP/2.0/UDP 10.0.0.2:5071;received=10.9.9.9;rport=7;branch=z9hG4bK5',
      '10.0.0.2',
      5070,
      ';branch=z9hG4bK5;received=10.0.0.2;rport=5070',
    ],
    [
      'maddr, which would send it to somebody else',
      'SIP/2.0/UDP 10.0.0.2:5071;maddr=10.0.0.77;branch=z9hG4bK6',
      '10.0.0.2',
      5071,
      ';maddr=10.0.0.77;branch=z9hG4bK6',
    ],
    [
      'spaces',
      'SIP / 2.0 / UDP  10.0.0.9 : 5071 ; branch = z9hG4bK8 ;\r\n rport',
      '10.0.0.2',
      5070,
      'rport=5070;received=10.0.0.2',
    ],
  ])('%s', async (_what, Via, host, port, expected) => {
    const { net, peer } = await bench({}, (request) => request.reply(200));
    const target = host === peer.host && port === peer.port ? peer : net.peer(host, port);
    peer.send(incoming('NOTIFY', { Via }));
    expect(target.seen).toHaveLength(1);
    const line = /\r\nVia: (.*)\r\n/.exec(target.seen[0]!.text)![1];
    expect(line!.endsWith(expected) || line!.includes(expected)).toBe(true);
  });
});

describe('answers of the engine itself', () => {
  it('OPTIONS, also with Max-Forwards 0', async () => {
    const { engine, peer, requests } = await bench({ allow: () => ['OPTIONS', 'NOTIFY', 'REGISTER'] });
    engine.allowEvents = () => ['presence', 'dialog;sla'];
    peer.send(incoming('OPTIONS', { 'Max-Forwards': '0' }));
    expect(peer.last.text).toMatch(/^SIP\/2\.0 200 OK\r\n/);
    expect(peer.last.text).toContain(
      'Allow: OPTIONS, NOTIFY, REGISTER\r\nAccept: */*\r\nAllow-Events: presence, dialog;sla\r\n',
    );
    expect(requests).toEqual([]);
    expect(engine.stats().serverTransactions).toBe(0);
  });

  it('INVITE gets 405, its ACK is absorbed, CANCEL finds nothing', async () => {
    const { engine, peer, requests } = await bench();
    const Via = 'SIP/2.0/UDP 10.0.0.2:5070;branch=z9hG4bKinvite;rport';
    peer.send(incoming('INVITE', { Via }));
    peer.send(incoming('INVITE', { Via }));
    expect(peer.seen).toHaveLength(2);
    expect(peer.seen[1]!.text).toBe(peer.seen[0]!.text);
    expect(peer.last.text).toMatch(/^SIP\/2\.0 405 [\s\S]*\r\nAllow: OPTIONS, NOTIFY\r\n/);
    const tag = /\r\nTo: .*;tag=(\S+)\r\n/.exec(peer.last.text)![1];
    peer.send(incoming('ACK', { Via, To: `<sip:alice@example.com>;tag=${tag}` }));
    expect(peer.seen).toHaveLength(2);
    peer.send(incoming('CANCEL', { Via }));
    expect(peer.last.text).toMatch(/^SIP\/2\.0 481 /);
    expect(requests).toEqual([]);
    expect(engine.stats()).toMatchObject({ serverTransactions: 0, dropped: { ack: 1 } });
  });

  it.each([
    ['NOTIFY', '<sip:a@b>', 481],
    ['NOTIFY', '<sip:a@b>;tag=x', 481],
    ['BYE', '<sip:a@b>;tag=x', 481],
    ['REGISTER', '<sip:a@b>', 405],
    ['SUBSCRIBE', '<sip:a@b>', 405],
    ['Unheard-Of', '<sip:a@b>', 405],
  ])('%s to %s that nobody wants: %i', async (method, To, status) => {
    const { peer, requests } = await bench({}, (request) => request.pass());
    peer.send(incoming(method, { To }));
    expect(requests).toHaveLength(1);
    expect(peer.last.message).toMatchObject({ kind: 'response', status });
    expect(/\r\nAllow: /.test(peer.last.text)).toBe(status === 405);
  });

  it.each([
    ['no Call-ID', { 'Call-ID': '' }, 'Missing Call-ID'],
    ['no From', { From: '' }, 'Missing From'],
    ['no To', { To: '' }, 'Missing To'],
    ['no CSeq', { CSeq: '' }, 'Missing CSeq'],
    ['a second Call-ID', { i: 'other' }, 'More Than One Call-ID'],
    ['another CSeq method', { CSeq: '1 PUBLISH' }, 'CSeq Method Differs'],
    ['a CSeq out of range', { CSeq: '4294967296 NOTIFY' }, 'Malformed CSeq'],
    ['a body shorter than it says', { 'Content-Length': '10' }, 'Malformed Content-Length'],
    ['a negative length', { 'Content-Length': '-1' }, 'Malformed Content-Length'],
    ['an unbalanced quote', { To: '"Alice <sip:alice@example.com>' }, 'Malformed To'],
    ['an empty tag', { From: '<sip:bob@example.com>;tag=' }, 'Malformed From'],
  ])('400 for a request with %s', async (_what, change, reason) => {
    const { engine, peer, requests } = await bench();
    peer.send(incoming('NOTIFY', change));
    expect(peer.last.text).toMatch(new RegExp(`^SIP/2\\.0 400 ${reason}\r\nVia: `));
    expect(requests).toEqual([]);
    expect(engine.stats()).toMatchObject({ serverTransactions: 0, refused: { malformed: 1 } });
  });

  it('505 for another version, nothing for what has no way back', async () => {
    const { engine, peer } = await bench();
    peer.send(incoming('NOTIFY').replace('SIP/2.0\r\n', 'SIP/7.0\r\n'));
    expect(peer.last.text).toMatch(/^SIP\/2\.0 505 /);
    peer.send(incoming('NOTIFY', { Via: '' }));
    peer.send(incoming('NOTIFY', { Via: 'SIP/2.0/UDP' }));
    peer.send(incoming('ACK', { CSeq: '' }));
    peer.send('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    peer.send('SIP/2.0 99 Low\r\n\r\n');
    expect(peer.seen).toHaveLength(1);
    expect(engine.stats().dropped.malformed).toBe(5);
    for (const quiet of ['', '\r\n\r\n', '\0\0\0\0', '\x00\x01\x00\x00STUN']) peer.send(quiet);
    expect(peer.seen).toHaveLength(1);
    expect(engine.stats().dropped.keepAlive).toBe(4);
  });
});
