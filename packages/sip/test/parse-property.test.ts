import { parseMessage, parseNameAddr, parseUri } from '@pua/sip';
import fc from 'fast-check';
import { TORTURE } from './rfc4475/messages';
import { bench, incoming } from './support';

const token = fc.stringMatching(/^[A-Za-z0-9\-.!%*_+`'~]{1,20}$/);
const value = fc.stringMatching(/^[!-~ü€😀]([ -~ü€]{0,40}[!-~ü€])?$/u);

/** Parses and reads all there is to read. */
function readAll(bytes: Uint8Array): string {
  const message = parseMessage(bytes);
  if (message.kind === 'error') return message.kind;
  for (const name of ['Via', 'f', 'To', 'Call-ID', 'CSeq', 'Event', 'Contact', 'X']) {
    for (const text of message.headers.all(name)) {
      if (/[\0\r\n]/.test(text)) throw new Error(`a break in ${name}: ${JSON.stringify(text)}`);
      parseNameAddr(text);
    }
  }
  if (message.kind === 'request') parseUri(message.uri);
  message.body?.text();
  return message.kind;
}

const SEEDS = [
  incoming(
    'NOTIFY',
    { Event: 'presence', Contact: '"A, \\"B\\"" <sip:x@[::1]:5060;lr>;expires=3', X: 'a\r\n b' },
    '<p>ü</p>',
  ),
  incoming('OPTIONS', {
    Via: 'SIP / 2.0 / TCP [2001:db8::1] : 5070 ; branch=z9hG4bK1 ; rport, SIP/2.0/UDP b',
    v: 'SIP/2.0/UDP c',
  }),
  incoming('MESSAGE').replace(/^.*\r\n/, 'SIP/2.0 200 OK\r\n'),
].map((text) => Buffer.from(text, 'utf8'));

it('reads what was written', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(token, value), { maxLength: 8 }), fc.string({ unit: 'grapheme' }), (fields, body) => {
      const own = fields.map(([name, text]) => [`X-${name}`, text] as const);
      const extra = own.map(([name, text]) => `${name}: ${text}\r\n`).join('');
      const text = incoming('NOTIFY', {}, body).replace('\r\nFrom:', `\r\n${extra}From:`);
      const message = parseMessage(Buffer.from(text, 'utf8'));
      if (message.kind !== 'request') throw new Error(JSON.stringify(message));
      for (const [name] of own) {
        const wanted = own.filter(([other]) => other.toLowerCase() === name.toLowerCase()).map(([, v]) => v.trim());
        expect(message.headers.all(name.toUpperCase())).toEqual(wanted);
      }
      expect(message.body?.text() ?? '').toBe(Buffer.from(body, 'utf8').toString('utf8'));
    }),
    { numRuns: 300, seed: 1 },
  );
});

it('never throws for any bytes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
      readAll(bytes);
    }),
    { numRuns: 1000, seed: 2 },
  );
});

/** A generator of its own: fast, and the same run each time. */
function mutator(seed: number): (message: Buffer) => Buffer {
  let state = seed;
  const below = (n: number) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state % n;
  };
  const special = Buffer.from('\r\n\t ;=,:"<>\\@[]()/\0\xff09azSIP', 'latin1');
  return (message) => {
    let bytes = Buffer.from(message);
    for (let edits = 1 + below(4); edits > 0; edits--) {
      const at = below(bytes.length);
      const length = below(12);
      switch (below(4)) {
        case 0:
          bytes[at] = special[below(special.length)]!;
          break;
        case 1:
          bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + length)]);
          break;
        case 2:
          bytes = Buffer.concat([bytes.subarray(0, at + length), bytes.subarray(at)]);
          break;
        default:
          bytes = Buffer.concat([bytes.subarray(0, at), special.subarray(below(special.length)), bytes.subarray(at)]);
      }
      if (bytes.length === 0) bytes = Buffer.from('x');
    }
    return bytes;
  };
}

it('never throws for 20 000 mutations of valid messages', () => {
  const mutated = mutator(12345);
  const seen = new Map<string, number>();
  for (let run = 0; run < 20_000; run++) {
    const kind = readAll(mutated(SEEDS[run % SEEDS.length]!));
    seen.set(kind, (seen.get(kind) ?? 0) + 1);
  }
  // The mutations reach all outcomes; otherwise this test would prove little.
  for (const kind of ['request', 'response', 'error']) expect(seen.get(kind)).toBeGreaterThan(500);
});

it('an engine takes 10 000 mutations of valid messages and those of RFC 4475, and goes on', async () => {
  const mutated = mutator(54321);
  const { engine, peer, clock } = await bench({}, (request) => request.reply(200));
  const seeds = [...SEEDS, ...TORTURE];
  for (let run = 0; run < 10_000; run++) peer.send(mutated(seeds[run % seeds.length]!));
  const { received, dropped, refused } = engine.stats();
  expect(received).toBe(10_000);
  for (const count of [dropped.malformed, dropped.stray, refused.malformed]) expect(count).toBeGreaterThan(100);
  clock.advance(64 * 500);
  expect(engine.stats()).toMatchObject({ serverTransactions: 0, unanswered: 0 });
  expect(clock.pending).toBe(0);
  peer.send(incoming('OPTIONS'));
  expect(peer.last.text).toMatch(/^SIP\/2\.0 200 /);
});
