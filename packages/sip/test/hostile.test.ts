/** Peers that mean harm or are ill: what they can make a connection cost, and what is said of requests to them. */
import type { Hop, IncomingRequest, Outcome } from '@pua/core';
import { type EmbeddedSip, type EmbeddedSipOptions, embeddedSip, systemRandom } from '@pua/sip';
import type { Sender } from '../dist/transport/carrier';
import { Connection } from '../dist/transport/connection';
import type { Link } from '../dist/transport/link';
import { Backlog, Output } from '../dist/transport/output';
import { TimerWheel } from '../dist/wheel';
import { RawEnd, RawServer } from './raw';
import { ManualClock, publish, until } from './support';

const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  for (const clean of cleanUp.splice(0).reverse()) await clean();
});

interface World {
  readonly clock: ManualClock;
  readonly sip: EmbeddedSip;
  readonly address: Hop;
}

async function world(
  options: Partial<EmbeddedSipOptions> = {},
  handler: (request: IncomingRequest) => void = (r) => r.reply(200),
): Promise<World> {
  const clock = new ManualClock();
  const sip = embeddedSip({ listen: ['tcp:127.0.0.1:0'], clock, ...options });
  await sip.start(handler);
  cleanUp.push(() => sip.stop(0));
  return { clock, sip, address: sip.addresses[0]! };
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

test('a reset in the middle of a write: what still waited for its turn has not been sent', async () => {
  const { sip } = await world();
  const { server, hop } = await rawServer();
  const outcomes: Outcome[] = [];
  const body = { type: 'text/plain', content: 'x'.repeat(100_000) };
  const count = 160;
  for (let cseq = 0; cseq < count; cseq++) sip.request(publish({ hop, cseq, body }), (o) => outcomes.push(o));
  const peer = await server.end(0);
  await peer.until(/^PUBLISH/);
  peer.socket.pause();
  peer.socket.resetAndDestroy();
  await until(() => outcomes.length === count);
  const sent = outcomes.filter((outcome) => outcome.kind === 'unreachable' && outcome.sent);
  expect(new Set(outcomes.map(({ kind }) => kind))).toEqual(new Set(['unreachable']));
  // What the system had not taken yet, of 16 MB, can safely go elsewhere.
  expect(sent.length).toBeGreaterThan(0);
  expect(sent.length).toBeLessThan(count);
});

test('stop: a request that waits for its connection has not been sent, one that has left may have been', async () => {
  const { sip } = await world();
  const { server, hop } = await rawServer();
  const outcomes: Outcome[] = [];
  sip.request(publish({ hop, cseq: 1 }), (o) => outcomes.push(o));
  await (await server.end(0)).until(/^PUBLISH/);
  sip.request(publish({ hop: { ...hop, host: '127.0.0.2' }, cseq: 2 }), (o) => outcomes.push(o));
  await sip.stop(0);
  expect(outcomes).toMatchObject([
    { kind: 'unreachable', sent: true },
    { kind: 'unreachable', sent: false },
  ]);
});

test('what waits for all peers together is bounded, and given back', () => {
  const all = new Backlog();
  const lost: boolean[] = [];
  const sender: Sender = { wanted: true, awaitsAnswer: false, failed: (_cause, sent) => lost.push(sent) };
  const message = new Uint8Array(1 << 20);
  const outputs = Array.from({ length: 20 }, () => new Output(all));
  let taken = 0;
  for (const output of outputs) while (output.push(message, sender)) taken++;
  // 16 MiB for one peer, 256 for all.
  expect(taken).toBe(256);
  expect(outputs.map(({ bytes }) => bytes >> 20)).toEqual([...Array(16).fill(16), 0, 0, 0, 0]);
  expect(outputs[0]!.nextBatch()).toHaveLength(1);
  expect([outputs[19]!.push(message, sender), outputs[19]!.push(message, sender)]).toEqual([true, false]);
  for (const output of outputs) output.fail(new Error('lost'));
  expect([all.bytes, lost.length, new Set(lost)]).toEqual([0, 256, new Set([false])]);
});

describe('frames that do not end', () => {
  const HANDSHAKE =
    'GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n' +
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: sip\r\n\r\n';
  /** A masked frame with a mask of zeros; up to 125 bytes, or as the head of a larger one. */
  const frame = (first: number, payload: string, size = payload.length) =>
    size < 126
      ? `${String.fromCharCode(first, 0x80 | size)}\0\0\0\0${payload}`
      : `${String.fromCharCode(first, 0x80 | 127, 0, 0, 0, 0, size >>> 24, (size >>> 16) & 255, (size >>> 8) & 255, size & 255)}\0\0\0\0${payload}`;
  const PING = frame(0x89, 'still there?');
  /** Sends it and waits for the pong: then what came before it has been looked at, and what came with it. */
  const sendWithPing = async (peer: RawEnd, before: string, after = '') => {
    peer.text = '';
    peer.send(before + PING + after);
    await until(() => peer.text.includes('still there?') || peer.closed);
  };

  async function upgraded(address: Hop): Promise<RawEnd> {
    const peer = await rawClient(address);
    peer.send(HANDSHAKE);
    await peer.until(/101 Switching/);
    return peer;
  }

  test.each([
    ['one frame', '', frame(0x82, 'NOTIFY', 1_000_000)],
    ['fragments with a ping between them', frame(0x02, 'NOTIFY'), frame(0x00, ' sip:')],
  ])('%s: 10 s, as on TCP', async (_what, before, after) => {
    const { clock, sip, address } = await world({ listen: ['ws:127.0.0.1:0'] });
    const peer = await upgraded(address);
    // Pings alone, also cut ones and behind a message, are nothing half read.
    peer.send(frame(0x82, '\r\n') + PING.slice(0, 5));
    await sendWithPing(peer, PING.slice(5));
    clock.advance(15_000);
    expect(sip.stats().connections).toMatchObject({ accepted: 1, broken: 0 });
    await sendWithPing(peer, before, after);
    clock.advance(9_000);
    expect(sip.stats().connections.accepted).toBe(1);
    peer.send('x');
    clock.advance(1_010);
    await until(() => peer.closed);
    expect(sip.stats().connections).toMatchObject({ accepted: 0, broken: 1 });
  });

  test('what they hold of all connections together is bounded', async () => {
    const { sip, address } = await world({ listen: ['ws:127.0.0.1:0'] });
    const half = frame(0x02, 'x'.repeat(1_000_000));
    let count = 0;
    for (; count < 80 && sip.stats().connections.broken === 0; count++) {
      await sendWithPing(await upgraded(address), half);
    }
    // 64 MiB of them.
    expect(count).toBe(68);
    // The others can go on, also who sends little at a time.
    const small = await upgraded(address);
    for (let piece = 0; piece < 3; piece++)
      await sendWithPing(small, frame(piece === 0 ? 0x02 : 0x00, 'x'.repeat(500_000 / 3)));
    small.send(frame(0x80, ''));
    await until(() => sip.stats().dropped.malformed === 1);
    expect(small.closed).toBe(false);
  });

  test('a peer that says goodbye and stays is left', async () => {
    const { sip, address } = await world({ listen: ['ws:127.0.0.1:0'] });
    const peer = await upgraded(address);
    peer.socket.allowHalfOpen = true;
    peer.send(frame(0x88, ''));
    await until(() => sip.stats().connections.accepted === 0);
    expect(sip.stats().connections.broken).toBe(0);
  });
});

test('a peer that asks for keep-alives and does not read the answers is left after 10 s', () => {
  const clock = new ManualClock();
  const written: string[] = [];
  const ends: string[] = [];
  const link: Link = {
    write: (messages) => written.push(Buffer.concat(messages).toString()),
    ping: () => undefined,
    end: () => ends.push('end'),
    destroy: () => ends.push('destroy'),
  };
  const host = {
    clock,
    wheel: new TimerWheel(clock, 10),
    random: systemRandom,
    backlog: { bytes: 0 },
    message: () => undefined,
    ping: () => undefined,
    held: () => true,
    closed: (_connection: Connection, broken: boolean) => ends.push(`broken ${broken}`),
    answer: () => undefined,
  };
  const hop: Hop = { transport: 'tcp', host: '192.0.2.1', port: 5060 };
  const options = { hop, key: 'key', ours: false, via: { sentBy: '', start: '' }, connectMs: 5_000 };
  const connection = new Connection(host, options, () => link);
  connection.opened();
  const turn = jest.spyOn(globalThis, 'setImmediate').mockImplementation(((run: () => void) => run()) as never);
  for (let second = 0; second < 10; second++) {
    connection.ping();
    connection.arrived(0);
    clock.advance(1_000);
  }
  turn.mockRestore();
  expect(written).toEqual(['\r\n']);
  clock.advance(10);
  expect(ends).toEqual(['broken true', 'destroy']);
});
