import fc from 'fast-check';
import { Framing } from '../dist/transport/framing';
import { seeded } from './support';

/** What a stream in these pieces is made of. */
function read(pieces: readonly Buffer[]): { events: string[]; fault: string | undefined; held: number } {
  const events: string[] = [];
  const framing = new Framing({
    message: (bytes) => events.push(bytes.toString('latin1')),
    ping: () => events.push('ping'),
    pong: () => events.push('pong'),
  });
  let fault: string | undefined;
  for (const piece of pieces) {
    // As a socket does: what it has given is its own again.
    const copy = Buffer.from(piece);
    fault ??= framing.push(copy);
  }
  return { events, fault, held: framing.held };
}

const MESSAGES = [
  'OPTIONS sip:a@b SIP/2.0\r\nContent-Length: 0\r\n\r\n',
  'NOTIFY sip:a@b SIP/2.0\r\nl: 5\r\nSubject: l: 9\r\n\r\nhello',
  'SIP/2.0 200 OK\r\nCONTENT-LENGTH  :\r\n  12 \r\nX: y\r\n\r\n\r\n\r\n{body}\r\n',
  'PUBLISH sip:a@b SIP/2.0\nContent-Length:3\nContent-Type: a/b\n\nxyz',
  `MESSAGE sip:a@b SIP/2.0\r\nX: ${'x'.repeat(300)}\r\nContent-Length: 200\r\n\r\n${'\r\n'.repeat(100)}`,
];
const PING = '\r\n\r\n';
const STREAM = [MESSAGES[0], '\r\n', MESSAGES[1], PING, MESSAGES[2], MESSAGES[3], PING, PING, MESSAGES[4], '\r\n'].join(
  '',
);
const EVENTS = [
  MESSAGES[0],
  'pong',
  MESSAGES[1],
  ...['pong', 'pong', 'ping'],
  MESSAGES[2],
  MESSAGES[3],
  ...['pong', 'pong', 'ping', 'pong', 'pong', 'ping'],
  MESSAGES[4],
  'pong',
];

function cut(text: string, sizes: () => number): Buffer[] {
  const bytes = Buffer.from(text, 'latin1');
  const pieces: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const size = sizes();
    pieces.push(bytes.subarray(at, at + size));
    at += size;
  }
  return pieces;
}

const upTo = (most: number) => {
  const random = seeded(most);
  return () => 1 + random(most);
};

describe('messages of a stream', () => {
  test('in one piece, and byte by byte', () => {
    const whole = { events: EVENTS, fault: undefined, held: 0 };
    expect(read([Buffer.from(STREAM, 'latin1')])).toEqual(whole);
    expect(read([...Buffer.from(STREAM, 'latin1')].map((byte) => Buffer.from([byte])))).toEqual(whole);
  });

  test('cut in two anywhere', () => {
    const bytes = Buffer.from(STREAM, 'latin1');
    for (let at = 0; at <= bytes.length; at++) {
      expect(read([bytes.subarray(0, at), bytes.subarray(at)]).events).toEqual(EVENTS);
    }
  });

  test('cut into any pieces', () => {
    const sizes = fc.infiniteStream(fc.oneof(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 500 })));
    fc.assert(
      fc.property(sizes, (stream) => {
        const pieces = cut(STREAM, () => stream.next().value);
        expect(read(pieces)).toEqual({ events: EVENTS, fault: undefined, held: 0 });
      }),
      { numRuns: 500 },
    );
  });

  test('messages stay as they were when more comes', () => {
    const kept: Buffer[] = [];
    const framing = new Framing({ message: (bytes) => kept.push(bytes), ping: () => undefined, pong: () => undefined });
    for (const piece of cut(STREAM.repeat(20), upTo(200))) framing.push(piece);
    expect(kept.map((bytes) => bytes.toString('latin1'))).toEqual(Array.from({ length: 20 }, () => MESSAGES).flat());
  });

  test('tells how much of a message has come', () => {
    expect(read([Buffer.from(MESSAGES[1]!.slice(0, 40))]).held).toBe(40);
    expect(read([Buffer.from(MESSAGES[1]!), Buffer.from(MESSAGES[1]!.slice(0, -1))]).held).toBe(
      MESSAGES[1]!.length - 1,
    );
    expect(read([Buffer.from('\r\n\r')]).held).toBe(0);
  });
});

describe('what is no stream of messages', () => {
  const head = 'NOTIFY sip:a@b SIP/2.0\r\n';
  test.each([
    ['a message without Content-Length', `${head}\r\n`],
    ['a message without Content-Length', 'GET / HTTP/1.1\r\nHost: x\r\n\r\n'],
    ['more than one Content-Length', `${head}Content-Length: 1\r\nl: 1\r\n\r\nx`],
    ['a Content-Length that is no number', `${head}Content-Length: -1\r\n\r\n`],
    ['a Content-Length that is no number', `${head}Content-Length: 1, 2\r\n\r\n`],
    ['a Content-Length that is no number', `${head}Content-Length:\r\n\r\n`],
    ['a body of more than 1048576 bytes', `${head}Content-Length: 1048577\r\n\r\n`],
    ['a body of more than 1048576 bytes', `${head}Content-Length: 9999999999\r\n\r\n`],
    ['a head of more than 65535 bytes', `${head}X: ${'x'.repeat(66_000)}`],
    ['a head of more than 65535 bytes', `${head}${'X: y\r\n'.repeat(11_000)}`],
    ['what came is not SIP', '\x16\x03\x01\x02\x00\x01'],
  ])('%s', (fault, text) => {
    expect(read([Buffer.from(text)])).toEqual({ events: [], fault, held: 0 });
    expect(read(cut(text, upTo(5)))).toEqual({ events: [], fault, held: 0 });
    // What came before is whole.
    expect(read([Buffer.from(MESSAGES[0] + text)])).toEqual({ events: [MESSAGES[0]], fault, held: 0 });
  });

  test('nothing more is read of it', () => {
    const framing = new Framing({
      message: () => {
        throw new Error('not reached');
      },
      ping: () => undefined,
      pong: () => undefined,
    });
    expect(framing.push(Buffer.from(`${head}\r\n`))).toMatch(/without Content-Length/);
    expect(framing.push(Buffer.from(MESSAGES[0]!))).toMatch(/without Content-Length/);
  });

  test('one byte at a time costs no more than the bytes', () => {
    const framing = new Framing({ message: () => undefined, ping: () => undefined, pong: () => undefined });
    framing.push(Buffer.from(`${head}Content-Length: 1000000\r\n\r\n`));
    const byte = Buffer.from('x');
    // With a copy of everything for each byte these would be 500 GB.
    for (let i = 0; i < 999_999; i++) framing.push(byte);
    expect(framing.held).toBe(999_999 + head.length + 'Content-Length: 1000000\r\n\r\n'.length);
  });
});
