/**
 * Noise against a running engine: it goes on, forgets what it was told, and still answers. A failure names its seed;
 * FUZZ_SEED=... repeats it.
 */
import type { IncomingRequest } from '@pua/core';
import { type EmbeddedSip, embeddedSip } from '@pua/sip';
import { Framing } from '../dist/transport/framing';
import { RawEnd } from './raw';
import { heap, incoming, ManualClock, publish, seeded, settled, until } from './support';

jest.setTimeout(300_000);

const seed = Number(process.env.FUZZ_SEED ?? Math.floor(Math.random() * 2 ** 31));
const ROUNDS = 200_000;

/** Runs a test so that its failure shows the seed. */
async function withSeed(run: (random: (limit: number) => number) => Promise<void>): Promise<void> {
  try {
    await run(seeded(seed));
  } catch (error) {
    (error as Error).message = `FUZZ_SEED=${seed}: ${(error as Error).message}`;
    throw error;
  }
}

/** An engine whose only wire is in memory. */
interface Wire {
  readonly clock: ManualClock;
  readonly sip: EmbeddedSip;
  /** What the engine has sent last. */
  last: Buffer;
  /** The answer to its last PUBLISH. */
  answer: Buffer;
  receive(bytes: Uint8Array): void;
}

async function wire(random: (limit: number) => number): Promise<Wire> {
  const clock = new ManualClock();
  const nothing = Buffer.alloc(0);
  const made: Omit<Wire, 'clock' | 'sip'> = { last: nothing, answer: nothing, receive: () => undefined };
  const sip = embeddedSip({
    listen: ['udp:10.0.0.1:5060'],
    clock,
    maxServerTransactions: 500,
    maxKeptAnswers: 500,
    bindDatagram: async (host, port, receive) => {
      made.receive = (bytes) => receive(bytes, '10.0.0.2', 5070);
      return {
        host,
        port,
        send: (data) => {
          made.last = data as Buffer;
          if (data[0] !== 0x50) return;
          made.answer = Buffer.from(made.last.toString().replace(/^.* SIP\/2\.0\r\n/, 'SIP/2.0 200 OK\r\n'));
        },
        close: () => undefined,
      };
    },
  });
  await sip.start(handlerOf(random));
  return Object.assign(made, { clock, sip });
}

const handlerOf =
  (random: (limit: number) => number) =>
  (request: IncomingRequest): void => {
    // Everything is read that an application reads.
    for (const name of ['From', 'Contact', 'Event']) request.headers.all(name);
    request.body?.text();
    const what = random(4);
    if (what === 0) request.pass();
    else if (what < 3) request.reply(200, [['Expires', '60']]);
  };

const MESSAGES = [
  incoming('NOTIFY', { Event: 'presence', Contact: '<sip:x@[::1]:5060;lr>;expires=3', X: 'a\r\n b' }, '<p>ü</p>'),
  incoming('OPTIONS', { Via: 'SIP / 2.0 / UDP [2001:db8::1] : 5070 ; branch=z9hG4bK1 ; rport, SIP/2.0/UDP b' }),
  incoming('REGISTER', { To: '"A, \\"B\\"" <sip:a@b>;tag=1', Contact: '*', l: '0' }),
  incoming('INVITE', { 'Max-Forwards': '0' }),
  '\r\n\r\n',
].map((text) => Buffer.from(text));

/** A message as a hostile or broken peer might send it; `own`: an answer to what we have asked. */
function mutated(random: (limit: number) => number, own: Buffer): Buffer {
  const pick = () => MESSAGES[random(MESSAGES.length + 1)] ?? own;
  let bytes = Buffer.from(pick());
  for (let times = random(4); times > 0 && bytes.length > 0; times--) {
    const at = random(bytes.length);
    const size = random(20);
    switch (random(7)) {
      case 0:
        bytes[at] = random(256);
        break;
      case 1:
        bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + size)]);
        break;
      case 2:
        bytes = Buffer.concat([bytes.subarray(0, at + size), bytes.subarray(at)]);
        break;
      case 3:
        bytes = Buffer.concat([bytes.subarray(0, at), pick()]);
        break;
      case 4:
        bytes = Buffer.concat([
          bytes.subarray(0, at),
          Buffer.from(',;:"<>\r\n \t=\\0'[random(13)]!),
          bytes.subarray(at),
        ]);
        break;
      case 5:
        bytes = bytes.subarray(0, at);
        break;
      default:
        bytes = Buffer.from(Array.from({ length: size }, () => random(256)));
    }
  }
  return bytes;
}

/** What every run must end with. */
function expectBaseline(w: Wire, heapBefore: number): void {
  w.clock.advance(60_000);
  expect(w.sip.stats()).toMatchObject({ clientTransactions: 0, serverTransactions: 0, unanswered: 0 });
  expect(w.clock.pending).toBe(0);
  expect(heap() - heapBefore).toBeLessThan(8 << 20);
  w.receive(Buffer.from(incoming('OPTIONS')));
  expect(w.last.toString()).toMatch(/^SIP\/2\.0 200 OK\r\n/);
}

/** `feed` gives the engine one piece of noise; the heap is measured once it is warm. */
async function noise(w: Wire, feed: (i: number) => void): Promise<void> {
  let before = 0;
  for (let i = 0; i < ROUNDS; i++) {
    if (i === ROUNDS / 4) {
      w.clock.advance(60_000);
      before = heap();
    }
    if (i % 100 === 0) {
      w.sip.request(publish({ cseq: i }), () => undefined);
      w.clock.advance(100);
    }
    feed(i);
  }
  expectBaseline(w, before);
  await w.sip.stop(0);
}

test('datagrams', () =>
  withSeed(async (random) => {
    const w = await wire(random);
    await noise(w, () => w.receive(mutated(random, w.answer)));
  }));

test('chunks of streams', () =>
  withSeed(async (random) => {
    const w = await wire(random);
    const counts = { messages: 0, faults: 0 };
    const stream = () =>
      new Framing({
        message: (bytes) => {
          counts.messages++;
          w.receive(bytes);
        },
        ping: () => undefined,
        pong: () => undefined,
      });
    let framing = stream();
    let rest = Buffer.alloc(0);
    await noise(w, () => {
      if (rest.length < 50) rest = Buffer.concat([rest, mutated(random, w.answer)]);
      const size = 1 + random(600);
      const fault = framing.push(Buffer.from(rest.subarray(0, size)));
      rest = rest.subarray(size);
      if (fault === undefined) return;
      counts.faults++;
      framing = stream();
      rest = Buffer.alloc(0);
    });
    expect(counts.messages).toBeGreaterThan(10_000);
    expect(counts.faults).toBeGreaterThan(10_000);
  }));

test('chunks over sockets', () =>
  withSeed(async (random) => {
    const clock = new ManualClock();
    const sip = embeddedSip({ listen: ['tcp:127.0.0.1:0', 'ws:127.0.0.1:0'], clock });
    await sip.start(handlerOf(random));
    const peers: RawEnd[] = [];
    for (let i = 0; i < 4_000; i++) {
      const which = random(20);
      let peer = peers[which];
      if (!peer || peer.closed) {
        peer = await RawEnd.connect(sip.addresses[random(2)]!);
        peers[which] = peer;
      }
      const noise = mutated(random, Buffer.alloc(0));
      peer.socket.write(noise.subarray(0, 1 + random(600)));
      if (random(50) === 0) peer.socket.resetAndDestroy();
      if (i % 50 === 0) clock.advance(500);
      if (i % 10 === 0) await settled();
    }
    expect(sip.stats().connections.broken).toBeGreaterThan(100);
    for (const { socket } of peers) socket?.destroy();
    await until(() => sip.stats().connections.accepted === 0);
    clock.advance(60_000);
    expect(sip.stats()).toMatchObject({ serverTransactions: 0, unanswered: 0, connections: { opened: 0 } });
    const good = await RawEnd.connect(sip.addresses[0]!);
    good.send(incoming('OPTIONS'));
    await good.until(/^SIP\/2\.0 200 OK\r\n/);
    await sip.stop(0);
    expect(clock.pending).toBe(0);
  }));
