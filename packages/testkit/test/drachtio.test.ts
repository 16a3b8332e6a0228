/** The double of drachtio-server, spoken to in its own protocol and by SIP; without drachtio-srf. */
import { DrachtioServer, WirePeer, type WireRequest } from '@pua/testkit';
import { type Command, FrameReader, frame } from '../dist/drachtio/frames.js';
import { ownContact, readDraft, stackAnswer } from '../dist/drachtio/message.js';
import { Application } from './drachtio-application';

let server: DrachtioServer;
let peer: WirePeer;
let application: Application;
beforeEach(async () => {
  server = await DrachtioServer.start({ t1: 1 });
  peer = await WirePeer.open();
  application = await Application.open(server, 'notify');
});
afterEach(async () => {
  application.close();
  await server.stop();
  await peer.close();
});

const proxy = () => `sip:127.0.0.1:${peer.hop.port}`;

function subscribe(more: readonly string[] = []): string {
  const lines = [
    'SUBSCRIBE sip:alice@example.com SIP/2.0',
    'call-id: a-call',
    'From: <sip:w@example.com>;tag=mine',
    'To: <sip:alice@example.com>',
    'CSeq: 7 SUBSCRIBE',
    'Event: presence',
    ...more,
  ];
  return application.send(`sip|||${proxy()}\r\n${lines.join('\r\n')}\r\n\r\n`);
}

async function subscribed(): Promise<WireRequest> {
  const id = subscribe();
  const seen = await peer.requests.take();
  const route = `Record-Route: <sip:127.0.0.1:${peer.hop.port};lr>`;
  peer.answer(seen, 200, { headers: ['Contact: <sip:target@192.0.2.1>', route, 'Expires: 60'], tag: 'theirs' });
  await application.response(id);
  expect((await application.sip()).startLine).toMatch(/^SIP\/2\.0 200/);
  return seen;
}

function notify(seen: WireRequest, state = 'active'): string {
  const { host, port } = server.address;
  return peer.send({
    method: 'NOTIFY',
    uri: `sip:x@${host}:${port}`,
    callId: seen.callId,
    from: '<sip:alice@example.com>;tag=theirs',
    to: seen.headers.get('From')!,
    headers: ['o: presence', `Subscription-State: ${state}`],
  });
}

const answer = (to: Command, status: number) =>
  application.send(`sip|${to.arguments[6]}|\r\nSIP/2.0 ${status} Fine\r\nX-own: a\r\nvia: no\r\n\r\n`);

describe('frames', () => {
  const text = (size: number, letter = 'x') => letter.repeat(size);
  const read = (...chunks: string[]) => {
    const reader = new FrameReader();
    return chunks.flatMap((chunk) => [...reader.read(Buffer.from(chunk))]);
  };

  test('are read however the bytes come in', () => {
    const bytes = [frame('one'), frame('zwei ü'), frame('#3')].join('');
    expect(read(bytes)).toEqual(['one', 'zwei ü', '#3']);
    expect(read(...bytes)).toEqual(['one', 'zwei ü', '#3']);
    const reader = new FrameReader();
    expect([...Buffer.from(bytes)].flatMap((byte) => [...reader.read(Buffer.from([byte]))])).toHaveLength(3);
  });

  test('of 4036 bytes may follow each other, whatever the reads', () => {
    const frames = Array.from({ length: 40 }, (_, i) => text(4036, String(i % 10)));
    expect(read(frames.map(frame).join(''))).toEqual(frames);
  });

  test('that are longer lose their beginning when others follow at once', () => {
    const frames = Array.from({ length: 40 }, () => text(6000));
    expect(() => read(frames.map(frame).join(''))).toThrow('no frame length');
    expect(read(...frames.map(frame))).toEqual(frames);
  });

  test('of more than 12228 bytes are swallowed with all that follows', () => {
    expect(read(frame(text(12_000)), frame('behind'))).toHaveLength(2);
    expect(read(frame(text(12_229)), frame('behind'), frame(text(9000)))).toEqual([]);
  });

  test.each(['#x', 'x#', '123456#', 'GET / HTTP/1.1'])('%s is no frame', (bytes) => {
    expect(() => read(bytes)).toThrow('no frame length');
  });

  test('the server hangs up when it can not read them', async () => {
    application.socket.write('GET / HTTP/1.1\r\n\r\n');
    await application.closed;
    expect(server.links).toBe(0);
  });
});

describe('commands', () => {
  test('authenticate', async () => {
    const { host, port } = server.address;
    expect(await application.ask('authenticate|cymru|tag')).toEqual(['OK', `udp/${host}:${port}`, 'v0.9.10']);
    expect(await application.ask('authenticate|wrong|')).toEqual(['NO', 'incorrect secret']);
    await application.closed;
  });

  test('ping, remove_route, and one that nobody knows', async () => {
    expect(await application.ask('ping')).toEqual(['OK', 'pong']);
    expect(await application.ask('remove_route|notify')).toEqual(['OK']);
    const { host, port } = server.address;
    const branch = peer.send({ method: 'NOTIFY', uri: `sip:x@${host}:${port}`, callId: 'x', to: '<sip:x@y>' });
    expect((await peer.response(branch)).status).toBe(503);
    expect(await application.ask('what')).toEqual(['NO', 'Unknown message type']);
    await application.closed;
  });

  test('applications take turns', async () => {
    const second = await Application.open(server, 'notify');
    const { host, port } = server.address;
    for (const callId of ['1', '2']) {
      peer.send({ method: 'NOTIFY', uri: `sip:x@${host}:${port}`, callId, to: '<sip:x@y>' });
    }
    const both = await Promise.all([application.sip(), second.sip()]);
    expect(both.map(({ arguments: given }) => given[7])).toEqual(['', '']);
    second.close();
  });
});

describe('requests', () => {
  test('go out with what was given, but for what the server drops', async () => {
    const id = subscribe([
      'contact: <sip:me@198.51.100.9:1234;x=y>',
      'Route: <sip:dropped>',
      'Via: dropped',
      'Record-Route: <sip:dropped>',
      'RSeq: 1',
      'bad.name: dropped',
      'x-own: kept',
      'sip-if-match: kept',
    ]);
    const seen = await peer.requests.take();
    const { host, port } = server.address;
    expect(seen.raw).not.toContain('dropped');
    expect(seen.raw).toContain('\r\nX-Own: kept\r\n');
    expect(seen.raw).toContain('\r\nSip-If-Match: kept\r\n');
    expect(seen.headers.get('RSeq')).toBeUndefined();
    expect(seen.cseq.number).toBe(7);
    expect(seen.headers.get('From')).toBe('<sip:w@example.com>;tag=mine');
    expect(seen.headers.get('Contact')).toBe(`<sip:me@${host}:${port};x=y>`);
    const echo = await application.response(id);
    expect(echo.arguments.slice(1, 3)).toEqual(['OK', 'application']);
    expect(echo.arguments.at(-2)).toBe('Msg sent:');
    expect(echo.startLine).toBe('SUBSCRIBE sip:alice@example.com SIP/2.0');
    expect(echo.headers).toContainEqual(['CSeq', '7 SUBSCRIBE']);
  });

  test('a Route in the Request-URI becomes one of the request', () => {
    const startLine = 'SUBSCRIBE sip:a@b?Route=%3Csip%3Aone%3Blr%3E%2C%20%3Csip%3Atwo%3E SIP/2.0';
    expect(readDraft({ id: '', type: 'sip', arguments: [], startLine, headers: [], body: '' })).toMatchObject({
      uri: 'sip:a@b',
      routes: ['<sip:one;lr>', '<sip:two>'],
    });
  });

  test('answers come as they were, provisional ones too', async () => {
    subscribe();
    const seen = await peer.requests.take();
    peer.answer(seen, 100);
    const provisional = await application.sip();
    expect(provisional.startLine).toBe('SIP/2.0 100 Said The Peer');
    peer.answer(seen, 489, { headers: ['X-Odd:   as it was'] });
    const final = await application.sip();
    expect(final.startLine).toBe('SIP/2.0 489 Said The Peer');
    expect(final.arguments[0]).toBe('network');
    expect(final.arguments[6]).toBe(provisional.arguments[6]);
    expect(server.dialogs).toBe(0);
  });

  test('a silent peer is a 408, a closed port a 503, both without a To tag', async () => {
    subscribe();
    const silent = await application.sip();
    expect(silent.startLine).toBe('SIP/2.0 408 Request Timeout');
    expect(silent.headers).toContainEqual(['To', '<sip:alice@example.com>']);
    server.closePort('127.0.0.1', peer.hop.port);
    subscribe();
    expect((await application.sip()).startLine).toBe('SIP/2.0 503 Service Unavailable');
  });

  test.each([
    ['a body without type', 'PUBLISH sip:a@127.0.0.1 SIP/2.0\r\n\r\nbody', 'missing content-type'],
    ['a name', 'PUBLISH sip:a@b.invalid SIP/2.0\r\n\r\n', "the double can't look up sip:a@b.invalid"],
    ['another transport', 'PUBLISH sip:a@127.0.0.1;transport=tls SIP/2.0\r\n\r\n', 'requested protocol/transport not'],
  ])('%s is refused', async (_, text, reason) => {
    const [verdict, why] = await application.ask(`sip||\r\n${text}`);
    expect(verdict).toBe('NOK');
    expect(why).toContain(reason);
  });
});

describe('dialogs', () => {
  test("CSeq, tags, route and target are the server's", async () => {
    await subscribed();
    application.send(
      'sip||a-call;from-tag=mine\r\nSUBSCRIBE sip:placeholder SIP/2.0\r\nCSeq: 99 SUBSCRIBE\r\nTo: <sip:no>\r\n\r\n',
    );
    const seen = await peer.requests.take();
    expect(seen.uri).toBe('sip:target@192.0.2.1');
    expect(seen.cseq.number).toBe(8);
    expect(seen.headers.get('To')).toBe('<sip:alice@example.com>;tag=theirs');
    expect(seen.headers.all('Route')).toEqual([`<sip:127.0.0.1:${peer.hop.port};lr>`]);
  });

  test('one that the server does not have', async () => {
    const lost = 'sip||no-call;from-tag=mine\r\nSUBSCRIBE sip:placeholder SIP/2.0\r\n\r\n';
    expect(await application.ask(lost)).toEqual(['NOK', 'Server error: unable to find dialog for dialog id provided']);
    await subscribed();
    server.forget();
    expect((await application.ask(lost.replace('no-call', 'a-call')))[0]).toBe('NOK');
  });

  test('a SUBSCRIBE outside of the dialog that the server has costs it memory', async () => {
    await subscribed();
    expect(server.leaks).toBe(0);
    subscribe();
    await peer.requests.take();
    expect(server.leaks).toBe(1);
  });

  test('a NOTIFY goes to the application, its answer to the peer', async () => {
    const branch = notify(await subscribed());
    const request = await application.sip();
    expect(request.arguments[7]).toBe('a-call;from-tag=mine');
    expect(request.headers).toContainEqual(['o', 'presence']);
    const echo = await application.response(answer(request, 200));
    expect(echo.arguments[1]).toBe('OK');
    expect(echo.headers).toContainEqual(['X-own', 'a']);
    const { status, headers } = await peer.response(branch);
    expect(status).toBe(200);
    expect(headers.get('X-Own')).toBe('a');
    const again = await application.response(answer(request, 200));
    expect(again.arguments.slice(1)).toEqual(['NOK', 'Response not sent due to unknown transaction']);
  });

  test('a NOTIFY before the 2xx is answered 500 by the server; the application sees it', async () => {
    subscribe();
    const branch = notify(await peer.requests.take());
    expect((await application.sip()).arguments[7]).toBe('');
    expect((await peer.response(branch)).status).toBe(500);
  });

  test('so is one that ends the subscription, and the dialog is gone', async () => {
    const branch = notify(await subscribed(), 'terminated;reason=timeout');
    expect((await application.sip()).arguments[7]).toBe('a-call;from-tag=mine');
    expect((await peer.response(branch)).status).toBe(500);
    expect(server.dialogs).toBe(0);
  });

  test('a dialog belongs to its link for ever: without it, NOTIFYs are a 481', async () => {
    const seen = await subscribed();
    server.cut();
    await application.closed;
    const next = await Application.open(server, 'notify');
    expect((await peer.response(notify(seen))).status).toBe(481);
    expect(server.dialogs).toBe(1);
    expect((await peer.response(notify(seen, 'terminated'))).status).toBe(481);
    expect(server.dialogs).toBe(0);
    expect(next.frames.size).toBe(0);
    next.close();
  });
});

test.each([
  ['sip:me@198.51.100.9:1234;x=y', 'sip:me@127.0.0.1:5060;x=y'],
  ['sip:198.51.100.9', 'sip:127.0.0.1:5060'],
  ['sip:me@127.0.0.1:7', 'sip:me@127.0.0.1:7'],
  ['sip:me@name.example.com:7', 'sip:me@name.example.com:7'],
  ['"Me" <sip:me@localhost>;x=y', '"Me" <sip:me@127.0.0.1:5060>;x=y'],
])('the Contact %s becomes %s', (given, contact) => {
  expect(ownContact(given, '127.0.0.1', 5060)).toBe(contact);
});

test("an answer of the server's own has what the request had", () => {
  const request = 'A b SIP/2.0\r\nVia: v\r\nX: y\r\nFrom: f\r\nTo: t\r\nCall-ID: c\r\nCSeq: 1 A\r\n\r\n';
  expect(stackAnswer(408, 'Late', request)).toBe(
    'SIP/2.0 408 Late\r\nVia: v\r\nFrom: f\r\nTo: t\r\nCall-ID: c\r\nCSeq: 1 A\r\nContent-Length: 0\r\n\r\n',
  );
});
