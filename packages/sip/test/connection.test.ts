/** What a connection bears, with peers that are plain TCP sockets, under a clock that the test turns. */
import type { Hop, IncomingRequest, Outcome, OutgoingRequest } from '@pua/core';
import { type EmbeddedSip, type EmbeddedSipOptions, embeddedSip } from '@pua/sip';
import { RawEnd, RawServer } from './raw';
import { incoming, ManualClock, publish, until } from './support';

const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  for (const clean of cleanUp.splice(0).reverse()) await clean();
});

interface World {
  readonly clock: ManualClock;
  readonly sip: EmbeddedSip;
  readonly address: Hop;
  readonly requests: IncomingRequest[];
}

async function world(
  options: Partial<EmbeddedSipOptions> = {},
  handler?: (request: IncomingRequest) => void,
): Promise<World> {
  const clock = new ManualClock();
  const requests: IncomingRequest[] = [];
  const sip = embeddedSip({ listen: ['tcp:127.0.0.1:0'], clock, ...options });
  await sip.start((request) => {
    requests.push(request);
    (handler ?? ((r) => r.reply(200)))(request);
  });
  cleanUp.push(() => sip.stop(0));
  return { clock, sip, address: sip.addresses[0]!, requests };
}

async function rawServer(): Promise<{ server: RawServer; hop: Hop }> {
  const server = await RawServer.start();
  cleanUp.push(() => server.close());
  return { server, hop: { transport: 'tcp', host: '127.0.0.1', port: server.port } };
}

async function rawClient(address: Hop): Promise<RawEnd> {
  const end = await RawEnd.connect(address);
  cleanUp.push(() => end.socket.destroy());
  return end;
}

function ask(sip: EmbeddedSip, change: Partial<OutgoingRequest>): { outcome?: Outcome } {
  const asked: { outcome?: Outcome } = {};
  sip.request(publish(change), (outcome) => {
    asked.outcome = outcome;
  });
  return asked;
}

/** A request as it comes over TCP. */
const request = (method: string, change: Record<string, string> = {}, body = '') =>
  incoming(method, change, body).replace('SIP/2.0/UDP', 'SIP/2.0/TCP');

const alive = ({ sip }: World) => sip.stats().connections;

describe('keep-alives', () => {
  test('a ping of the peer is answered, and it holds the connection', async () => {
    const w = await world();
    const peer = await rawClient(w.address);
    peer.send('\r\n\r\n');
    await peer.until(/^\r\n$/);
    for (let minutes = 0; minutes < 30; minutes += 5) {
      w.clock.advance(300_000);
      const before = peer.text;
      peer.send('\r\n\r\n');
      await until(() => peer.text.length > before.length);
    }
    // A burst is answered too, but not one by one.
    const before = peer.text.length;
    peer.send(`${'\r\n\r\n'.repeat(5000)}${request('OPTIONS')}`);
    await peer.until(/SIP\/2\.0 200/);
    expect(peer.text.indexOf('SIP/2.0') - before).toBeLessThan(20);
    expect(w.sip.stats().dropped.keepAlive).toBe(5007);
    w.clock.advance(600_000);
    await until(() => peer.closed && alive(w).accepted === 0);
    expect(alive(w)).toMatchObject({ refused: 0, broken: 0 });
  });

  test('our own come every 95 to 120 s, and a peer that answered one must answer the next', async () => {
    const w = await world();
    const { server, hop } = await rawServer();
    const asked = ask(w.sip, { hop });
    const peer = await server.end(0);
    await peer.until(/^PUBLISH/);
    peer.answer('200 OK');
    await until(() => asked.outcome !== undefined);
    peer.text = '';
    w.clock.advance(94_000);
    expect(peer.text).toBe('');
    w.clock.advance(26_000);
    await peer.until(/^\r\n\r\n$/);
    // Never an answer: an old server, which is no fault.
    w.clock.advance(60_000);
    w.clock.advance(60_000);
    await peer.until(/^\r\n\r\n\r\n\r\n$/);
    expect(alive(w).opened).toBe(1);
    peer.send(`\r\n${request('OPTIONS')}`);
    await peer.until(/SIP\/2\.0 200/);
    peer.text = '';
    w.clock.advance(120_000);
    await peer.until(/\r\n\r\n$/);
    w.clock.advance(10_000);
    await until(() => peer.closed);
    expect(alive(w).opened).toBe(0);
  });

  test('a connection that we opened stays for 70 minutes without a message', async () => {
    const w = await world();
    const { server, hop } = await rawServer();
    const asked = ask(w.sip, { hop });
    const peer = await server.end(0);
    await peer.until(/^PUBLISH/);
    peer.answer('200 OK');
    await until(() => asked.outcome !== undefined);
    for (let minute = 0; minute < 69; minute++) w.clock.advance(60_000);
    // A request that is on its way is a message, too: its answer is waited for.
    const late = ask(w.sip, { hop, cseq: 8 });
    await peer.until(/CSeq: 8 PUBLISH[\s\S]*\r\n\r\n$/);
    w.clock.advance(31_000);
    w.clock.advance(31_000);
    expect(late.outcome).toEqual({ kind: 'timeout', cseq: 8 });
    await until(() => peer.closed);
    const again = ask(w.sip, { hop, cseq: 9 });
    const second = await server.end(1);
    await second.until(/^PUBLISH/);
    second.answer('200 OK');
    await until(() => again.outcome !== undefined);
    for (let minute = 0; minute < 69; minute++) w.clock.advance(60_000);
    expect(alive(w).opened).toBe(1);
    w.clock.advance(60_000);
    await until(() => peer.closed);
    expect(alive(w)).toMatchObject({ opened: 0, broken: 0 });
  });
});

describe('what comes in', () => {
  test('messages cut anywhere and several in a piece are answered in their order', async () => {
    const w = await world();
    const peer = await rawClient(w.address);
    const text = Array.from({ length: 20 }, (_, i) =>
      request('NOTIFY', { CSeq: `${i} NOTIFY` }, 'x'.repeat(i * 10)),
    ).join('');
    for (let at = 0; at < text.length; at += 333) {
      peer.send(text.slice(at, at + 333));
      await new Promise((turn) => setImmediate(turn));
    }
    await peer.until(/CSeq: 19 NOTIFY/);
    expect([...peer.text.matchAll(/CSeq: (\d+)/g)].map(([, cseq]) => Number(cseq))).toEqual(
      Array.from({ length: 20 }, (_, i) => i),
    );
    expect(w.requests.map(({ body }) => body?.bytes.length ?? 0)).toEqual(Array.from({ length: 20 }, (_, i) => i * 10));
  });

  test.each([
    ['a message without Content-Length', request('NOTIFY', { 'Content-Length': '' })],
    ['HTTP', 'GET / HTTP/1.1\r\nHost: x\r\n\r\n'],
    ['a TLS handshake', '\x16\x03\x01\x02\x00'],
    ['a body beyond the limit', request('NOTIFY', { 'Content-Length': '1048577' })],
    ['a head beyond the limit', `NOTIFY sip:a@b SIP/2.0\r\nX: ${'x'.repeat(70_000)}`],
  ])('%s ends this connection only', async (_what, text) => {
    const w = await world();
    const [bad, good] = [await rawClient(w.address), await rawClient(w.address)];
    bad.send(request('NOTIFY') + text);
    await until(() => bad.closed);
    good.send(request('NOTIFY'));
    await good.until(/^SIP\/2\.0 200/);
    expect(alive(w)).toMatchObject({ accepted: 1, broken: 1 });
    expect(w.requests).toHaveLength(2);
  });

  test('a malformed request is answered 400, and the connection goes on', async () => {
    const w = await world();
    const peer = await rawClient(w.address);
    peer.send(request('NOTIFY', { CSeq: 'x' }) + request('NOTIFY'));
    await peer.until(/^SIP\/2\.0 400 [\s\S]*SIP\/2\.0 200/);
    expect(alive(w)).toMatchObject({ accepted: 1, broken: 0 });
  });

  test('half a message for 10 s', async () => {
    const w = await world();
    const peer = await rawClient(w.address);
    const text = request('NOTIFY', {}, 'hello');
    peer.send(request('OPTIONS') + text.slice(0, 30));
    await peer.until(/^SIP\/2\.0 200/);
    w.clock.advance(9_000);
    peer.send(text.slice(30));
    await until(() => w.requests.length === 1);
    w.clock.advance(9_000);
    peer.send(request('OPTIONS') + text.slice(0, -1));
    await until(() => w.sip.stats().sent === 3);
    w.clock.advance(9_900);
    expect(alive(w).accepted).toBe(1);
    w.clock.advance(200);
    await until(() => peer.closed);
    expect(alive(w)).toMatchObject({ accepted: 0, broken: 1 });
  });

  test('more connections than there may be', async () => {
    const w = await world({ maxConnections: 2 });
    const [first, second] = [await rawClient(w.address), await rawClient(w.address)];
    const third = await rawClient(w.address);
    await until(() => third.closed);
    expect(alive(w)).toMatchObject({ accepted: 2, refused: 1 });
    second.send(request('OPTIONS'));
    await second.until(/^SIP\/2\.0 200/);
    first.socket.destroy();
    await until(() => alive(w).accepted === 1);
    const fourth = await rawClient(w.address);
    fourth.send(request('OPTIONS'));
    await fourth.until(/^SIP\/2\.0 200/);
    // Those that we open have a limit of their own.
    const { server, hop } = await rawServer();
    for (const [i, host] of ['127.0.0.1', '127.0.0.2', '127.0.0.3'].entries()) {
      const asked = ask(w.sip, { hop: { ...hop, host }, cseq: i });
      if (i < 2) continue;
      await until(() => asked.outcome !== undefined);
      expect(asked.outcome).toMatchObject({
        kind: 'unreachable',
        sent: false,
        cause: { message: expect.stringContaining('maxConnections') },
      });
    }
    await server.end(0);
  });

  test('more unanswered requests than there may be: 503, as by UDP', async () => {
    const w = await world({ maxServerTransactions: 2 }, () => undefined);
    const peer = await rawClient(w.address);
    peer.send(Array.from({ length: 5 }, () => request('NOTIFY')).join(''));
    await until(() => (peer.text.match(/SIP\/2\.0 503/g) ?? []).length === 3);
    expect(peer.text).toMatch(/Retry-After: \d+/);
    expect(w.sip.stats()).toMatchObject({ unanswered: 2, refused: { overload: 3 } });
    for (const open of w.requests) open.reply(200);
    await until(() => (peer.text.match(/SIP\/2\.0 200/g) ?? []).length === 2);
    expect(w.sip.stats()).toMatchObject({ serverTransactions: 0 });
  });
});

describe('what goes out', () => {
  test('an answer whose connection is gone goes to the address in Via', async () => {
    const w = await world({}, () => undefined);
    const { server } = await rawServer();
    const peer = await rawClient(w.address);
    const Via = `SIP/2.0/TCP 127.0.0.1:${server.port};branch=z9hG4bKgone;rport`;
    peer.send(request('NOTIFY', { Via }));
    await until(() => w.requests.length === 1);
    peer.socket.destroy();
    await until(() => alive(w).accepted === 0);
    w.requests[0]!.reply(200);
    const back = await server.end(0);
    await back.until(/^SIP\/2\.0 200 OK\r\nVia: SIP\/2\.0\/TCP .*branch=z9hG4bKgone/);
  });

  test('one that reaches nobody is counted', async () => {
    const w = await world({}, () => undefined);
    const { server } = await rawServer();
    await server.close();
    const peer = await rawClient(w.address);
    peer.send(request('NOTIFY', { Via: `SIP/2.0/TCP 127.0.0.1:${server.port};branch=z9hG4bKgone` }));
    await until(() => w.requests.length === 1);
    peer.socket.destroy();
    await until(() => alive(w).accepted === 0);
    w.requests[0]!.reply(200);
    await until(() => w.sip.stats().dropped.unsent === 1);
    expect(alive(w)).toMatchObject({ opened: 0 });
  });

  test('nothing of a peer that does not read: what waits for it is bounded, then it is dropped', async () => {
    const w = await world();
    const { server, hop } = await rawServer();
    const outcomes: Outcome[] = [];
    const send = () =>
      w.sip.request(publish({ hop, body: { type: 'text/plain', content: 'x'.repeat(1_000_000) } }), (outcome) =>
        outcomes.push(outcome),
      );
    send();
    const peer = await server.end(0);
    peer.socket.pause();
    for (let i = 0; i < 100 && outcomes.length === 0; i++) {
      send();
      await new Promise((turn) => setImmediate(turn));
    }
    expect(outcomes[0]).toMatchObject({ kind: 'unreachable', sent: false });
    const waiting = w.sip.stats().clientTransactions;
    // Beside the limit of 16 MiB, what the system holds.
    expect(waiting).toBeLessThan(40);
    w.clock.advance(10_000);
    w.clock.advance(10);
    await until(() => outcomes.length === waiting + 1 || w.sip.stats().clientTransactions === 0);
    const sent = outcomes.slice(1).map((outcome) => outcome.kind === 'unreachable' && outcome.sent);
    expect(new Set(sent)).toEqual(new Set([true, false]));
    expect(alive(w)).toMatchObject({ opened: 0, broken: 1 });
  });

  test('a request whose time is over while it waits never leaves', async () => {
    const w = await world();
    const { server, hop } = await rawServer();
    const first = ask(w.sip, { hop, cseq: 1, timeoutMs: 50 });
    const second = ask(w.sip, { hop, cseq: 2 });
    // Within this turn the connection can not have opened.
    w.clock.advance(60);
    expect(first.outcome).toEqual({ kind: 'timeout', cseq: 1 });
    const peer = await server.end(0);
    await peer.until(/CSeq: 2 PUBLISH/);
    expect(peer.text).not.toContain('CSeq: 1 PUBLISH');
    peer.answer('200 OK');
    await until(() => second.outcome !== undefined);
  });

  test('there are no retransmissions, and timer F ends it', async () => {
    const w = await world();
    const { server, hop } = await rawServer();
    const asked = ask(w.sip, { hop });
    const peer = await server.end(0);
    await peer.until(/^PUBLISH[\s\S]*\r\n\r\n$/);
    const once = peer.text;
    w.clock.advance(31_990);
    expect(asked.outcome).toBeUndefined();
    w.clock.advance(20);
    expect(asked.outcome).toEqual({ kind: 'timeout', cseq: 7 });
    // A peer that has said nothing for so long is not trusted with the next request.
    await until(() => peer.closed);
    expect(peer.text).toBe(once);
    ask(w.sip, { hop, cseq: 8 });
    await (await server.end(1)).until(/CSeq: 8 PUBLISH/);
  });

  test('a handshake that never ends takes 5 s', async () => {
    const w = await world();
    const { hop } = await rawServer();
    for (const transport of ['tls', 'ws', 'wss'] as const) {
      const asked = ask(w.sip, { hop: { ...hop, transport } });
      w.clock.advance(4_990);
      expect(asked.outcome).toBeUndefined();
      w.clock.advance(20);
      expect(asked.outcome).toMatchObject({
        kind: 'unreachable',
        sent: false,
        cause: { message: `${transport}:127.0.0.1:${hop.port}: no connection within 5 s` },
      });
    }
    expect(alive(w).opened).toBe(0);
  });
});

test('stop says goodbye on all connections, with the answers that are due', async () => {
  const w = await world({}, () => undefined);
  const peer = await rawClient(w.address);
  peer.send(request('NOTIFY'));
  await until(() => w.requests.length === 1);
  const half = await rawClient(w.address);
  half.send('NOTIFY sip:');
  await w.sip.stop(0);
  await until(() => peer.closed && half.closed);
  expect(peer.text).toMatch(/^SIP\/2\.0 503 /);
  expect(alive(w)).toEqual({ opened: 0, accepted: 0, refused: 0, broken: 0 });
  expect(w.clock.pending).toBe(0);
  await expect(RawEnd.connect(w.address)).rejects.toThrow('ECONNREFUSED');
});
