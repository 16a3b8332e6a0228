/** RFC 7118: the subprotocol, frames, and a client that can't be called back. */
import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import type { Hop, IncomingRequest, Outcome } from '@pua/core';
import { type EmbeddedSip, embeddedSip } from '@pua/sip';
import { WebSocket, WebSocketServer } from 'ws';
import { RawEnd } from './raw';
import { incoming, ManualClock, publish, until } from './support';

const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  for (const clean of cleanUp.splice(0).reverse()) await clean();
});

async function engine(
  listen: string,
  handler: (request: IncomingRequest) => void = (r) => r.reply(200),
  clock?: ManualClock,
  webSocketOrigins: readonly string[] = [],
): Promise<EmbeddedSip> {
  const sip = embeddedSip({ listen: [listen], webSocketOrigins, ...(clock ? { clock } : {}) });
  await sip.start(handler);
  cleanUp.push(() => sip.stop(0));
  return sip;
}

const urlOf = (sip: EmbeddedSip) => `ws://127.0.0.1:${sip.addresses[0]!.port}/`;

async function client(sip: EmbeddedSip): Promise<{ socket: WebSocket; frames: { text: string; binary: boolean }[] }> {
  const socket = new WebSocket(urlOf(sip), 'sip');
  const frames: { text: string; binary: boolean }[] = [];
  socket.on('message', (data, binary) => frames.push({ text: data.toString(), binary }));
  cleanUp.push(() => socket.terminate());
  await once(socket, 'open');
  return { socket, frames };
}

const notify = (change = {}, body = '') => incoming('NOTIFY', change, body).replace('SIP/2.0/UDP', 'SIP/2.0/WS');

describe('as a server', () => {
  test.each([
    ['another subprotocol', ['chat']],
    ['none', []],
  ])('refuses a client that offers %s', async (_what, protocols) => {
    const sip = await engine('ws:127.0.0.1:0');
    const socket = new WebSocket(urlOf(sip), protocols);
    const [error] = (await once(socket, 'error')) as [Error];
    expect(error.message).toContain('400');
    await until(() => sip.stats().connections.accepted === 0);
  });

  test('lets pages in whose origin it knows, and who is no page', async () => {
    const origins = ['https://Phone.example.com'];
    const sip = await engine('ws:127.0.0.1:0', undefined, undefined, origins);
    const open = await engine('ws:127.0.0.1:0', undefined, undefined, ['*']);
    const closed = await engine('ws:127.0.0.1:0');
    const from = async (server: EmbeddedSip, origin?: string) => {
      const socket = new WebSocket(urlOf(server), 'sip', origin === undefined ? {} : { origin });
      const [what] = await Promise.race([
        once(socket, 'open').then(() => ['open']),
        once(socket, 'unexpected-response'),
      ]);
      socket.on('error', () => undefined).terminate();
      return what === 'open' ? 'open' : 'refused';
    };
    const page = 'https://phone.example.com';
    expect([await from(sip), await from(sip, page), await from(open, page)]).toEqual(['open', 'open', 'open']);
    for (const origin of ['https://evil.example', `${page}.evil.example`, `${page}:8443`, 'null']) {
      expect([await from(sip, origin), await from(closed, origin)]).toEqual(['refused', 'refused']);
    }
  });

  test('takes one of several', async () => {
    const sip = await engine('ws:127.0.0.1:0');
    const socket = new WebSocket(urlOf(sip), ['chat', 'sip']);
    await once(socket, 'open');
    expect(socket.protocol).toBe('sip');
    socket.terminate();
  });

  test('tells a browser that it is no web site', async () => {
    const sip = await engine('ws:127.0.0.1:0');
    const asked = httpRequest(urlOf(sip).replace('ws:', 'http:')).end();
    const [response] = await once(asked, 'response');
    expect(response.statusCode).toBe(426);
    response.resume();
  });

  test('one message per frame, text or binary; text comes back, but what is no UTF-8', async () => {
    const bodies: string[] = [];
    const sip = await engine('ws:127.0.0.1:0', (r) => {
      bodies.push(r.body!.text());
      r.reply(200);
    });
    const { socket, frames } = await client(sip);
    socket.send(notify({}, 'grüße'));
    socket.send(Buffer.from(notify({}, 'binary')));
    socket.send(Buffer.from(notify({ From: '"\xff" <sip:a@b>;tag=1' }, 'odd'), 'latin1'));
    await until(() => frames.length === 3);
    expect(bodies).toEqual(['grüße', 'binary', 'odd']);
    expect(frames.map(({ binary }) => binary)).toEqual([false, false, true]);
    for (const { text } of frames) expect(text).toMatch(/^SIP\/2\.0 200 OK\r\n[\s\S]*Content-Length: 0\r\n\r\n$/);
  });

  test('answers pings of both kinds', async () => {
    const sip = await engine('ws:127.0.0.1:0');
    const { socket, frames } = await client(sip);
    socket.ping();
    await once(socket, 'pong');
    socket.send('\r\n\r\n');
    await until(() => frames.length === 1);
    expect(frames[0]!.text).toBe('\r\n');
    expect(sip.stats()).toMatchObject({ received: 0, dropped: { keepAlive: 1 } });
  });

  test.each([
    ['a frame beyond the limit', (socket: WebSocket) => socket.send('x'.repeat(1_200_000))],
    [
      'a frame that is none',
      (socket: WebSocket) => (socket as unknown as { _socket: RawEnd['socket'] })._socket.write('xx'),
    ],
  ])('%s ends the connection', async (_what, send) => {
    const sip = await engine('ws:127.0.0.1:0');
    const { socket } = await client(sip);
    socket.on('error', () => undefined);
    send(socket);
    await until(() => sip.stats().connections.accepted === 0);
    expect(sip.stats().connections.broken).toBe(1);
  });

  test('a handshake takes 5 s at most', async () => {
    const clock = new ManualClock();
    const sip = await engine('ws:127.0.0.1:0', undefined, clock);
    const peer = await RawEnd.connect(sip.addresses[0]!);
    peer.send('GET / HTTP/1.1\r\n');
    await until(() => sip.stats().connections.accepted === 1);
    clock.advance(5_000);
    await until(() => peer.closed);
    expect(sip.stats().connections).toMatchObject({ accepted: 0, broken: 1 });
    expect(clock.pending).toBe(0);
  });
});

describe('as a client', () => {
  async function server(
    protocols?: (offered: Set<string>) => string | false,
  ): Promise<{ hop: Hop; server: WebSocketServer }> {
    const made = new WebSocketServer({
      port: 0,
      host: '127.0.0.1',
      ...(protocols ? { handleProtocols: protocols } : {}),
    });
    await once(made, 'listening');
    cleanUp.push(() => {
      for (const socket of made.clients) socket.terminate();
      made.close();
    });
    return {
      server: made,
      hop: { transport: 'ws', host: '127.0.0.1', port: (made.address() as { port: number }).port },
    };
  }

  test('a server that does not speak SIP', async () => {
    const sip = await engine('udp:127.0.0.1:0');
    const { hop } = await server(() => false);
    const outcome = await new Promise<Outcome>((resolve) => sip.request(publish({ hop }), resolve));
    expect(outcome).toMatchObject({
      kind: 'unreachable',
      sent: false,
      cause: { message: expect.stringContaining('no subprotocol') },
    });
  });

  test('names itself by a host that can not be reached, and is reached over its connection', async () => {
    const handled: string[] = [];
    const sip = await engine('udp:127.0.0.1:0', (r) => {
      handled.push(r.uri);
      r.reply(200);
    });
    const { hop, server: peer } = await server();
    const contact = sip.contact('tok', hop);
    expect(contact).toMatch(/^sip:tok@[0-9a-z]+\.invalid;transport=ws$/);
    expect(sip.isOwnContact(contact)).toBe(true);
    expect(sip.isOwnContact(contact.replace('=ws', '=wss'))).toBe(true);
    expect(sip.isOwnContact('sip:tok@other.invalid;transport=ws')).toBe(false);
    expect(sip.isOwnContact(contact.replace('=ws', '=tcp'))).toBe(false);

    const connected = once(peer, 'connection') as Promise<[WebSocket]>;
    const outcome = new Promise<Outcome>((resolve) => sip.request(publish({ hop, contact }), resolve));
    const [socket] = await connected;
    const [data] = (await once(socket, 'message')) as [Buffer];
    const text = data.toString();
    expect(text).toMatch(/\r\nVia: SIP\/2\.0\/WS [0-9a-z]+\.invalid;branch=z9hG4bK/);
    const copied = ['Via', 'From', 'To', 'Call-ID', 'CSeq'].map((name) => new RegExp(`\r\n${name}: .*`).exec(text)![0]);
    socket.send(`SIP/2.0 200 OK${copied.join('')}\r\n\r\n`);
    expect(await outcome).toMatchObject({ kind: 'response', status: 200 });
    socket.send(notify());
    const [answer] = (await once(socket, 'message')) as [Buffer];
    expect(answer.toString()).toMatch(/^SIP\/2\.0 200 OK/);
    expect(handled).toHaveLength(1);
  });

  test('pings with frames', async () => {
    const clock = new ManualClock();
    const sip = await engine('udp:127.0.0.1:0', undefined, clock);
    const { hop, server: peer } = await server();
    sip.request(publish({ hop, timeoutMs: 1000 }), () => undefined);
    const [socket] = (await once(peer, 'connection')) as [WebSocket];
    await once(socket, 'message');
    clock.advance(120_000);
    await once(socket, 'ping');
  });
});
