/** Whatever liberties a sender takes with white space, folding, case, compact names and quotes, the meaning is the same. */
import { type ParsedRequest, parseMessage, parseNameAddr } from '@pua/sip';
import fc from 'fast-check';

const token = fc.stringMatching(/^[A-Za-z0-9\-.!%*_+`'~]{1,12}$/);
const host = fc.constantFrom('example.com', '192.0.2.1', '[2001:db8::1]', 'A-b.C');
/** Linear white space where it may be missing (SWS), and where it may not (LWS). */
const sws = fc.constantFrom('', '', ' ', '\t', '  ', '\r\n ', ' \r\n\t', '\t\r\n  ');
const lws = fc.constantFrom(' ', '\t', '\r\n ', ' \r\n\t ');
/** Anything, also what looks like the end of the string or of the address. */
const free = fc.stringMatching(/^[ -~äЖ😀]{0,20}$/u);

/** A quoted string: what must be escaped is, and some of the rest as well. */
const quoted = fc.tuple(free, fc.array(fc.boolean(), { minLength: 24, maxLength: 24 })).map(([text, escaped]) => {
  const written = [...text].map((c, i) => (c === '"' || c === '\\' || (escaped[i] && c < '\x7f') ? `\\${c}` : c));
  return { text, written: `"${written.join('')}"` };
});

const cased = (name: string) =>
  fc
    .array(fc.boolean(), { minLength: name.length, maxLength: name.length })
    .map((up) => [...name].map((c, i) => (up[i] ? c.toUpperCase() : c.toLowerCase())).join(''));

/** A header name in any case, compact or not. */
const named = (long: string, compact?: string) => (compact ? fc.oneof(cased(long), cased(compact)) : cased(long));

interface Written<T> {
  readonly meaning: T;
  readonly text: string;
}

const parameter: fc.Arbitrary<Written<readonly [string, string]>> = fc
  .record({
    name: token.map((name) => `x${name}`),
    value: fc.oneof(
      fc.constant(undefined),
      token.map((text) => ({ text, written: text })),
      quoted,
    ),
    spaces: fc.tuple(sws, sws, sws, sws),
  })
  .map(({ name, value, spaces: [a, b, c, d] }) => ({
    meaning: [name.toLowerCase(), value?.text ?? ''] as const,
    text: `${a};${b}${name}${value ? `${c}=${d}${value.written}` : ''}`,
  }));

const tag = fc
  .record({ name: cased('tag'), value: token, spaces: fc.tuple(sws, sws, sws, sws) })
  .map(({ name, value, spaces: [a, b, c, d] }) => ({ meaning: value, text: `${a};${b}${name}${c}=${d}${value}` }));

interface Address {
  readonly display: string;
  readonly uri: string;
  readonly tag: string | undefined;
  readonly others: ReadonlyMap<string, string>;
}

const display = fc.oneof(
  fc.constant({ text: '', written: '' }),
  quoted,
  fc.array(token, { minLength: 1, maxLength: 3 }).map((words) => ({ text: words.join(' '), written: words.join(' ') })),
);

function address(wantsTag: boolean): fc.Arbitrary<Written<Address>> {
  return fc
    .record({
      display,
      uri: fc.tuple(token, host).map(([user, name]) => `sip:${user}@${name};a=b?c=d`),
      before: fc.array(parameter, { maxLength: 2 }),
      tag: wantsTag ? tag : fc.option(tag, { nil: undefined }),
      after: fc.array(parameter, { maxLength: 2 }),
      gap: sws,
    })
    .map(({ display, uri, before, tag, after, gap }) => {
      const others = new Map<string, string>();
      for (const { meaning } of [...before, ...after]) if (!others.has(meaning[0])) others.set(...meaning);
      const parameters = [...before, ...(tag ? [tag] : []), ...after].map(({ text }) => text).join('');
      return {
        meaning: { display: display.text, uri, tag: tag?.meaning, others },
        text: `${display.written}${gap}<${uri}>${parameters}`,
      };
    });
}

const via = fc
  .record({
    transport: fc.constantFrom('UDP', 'tcp', 'X.y'),
    host,
    port: fc.option(fc.integer({ min: 1, max: 65_535 }), { nil: undefined }),
    branch: token.map((text) => `z9hG4bK${text}`),
    name: cased('branch'),
    rport: fc.boolean(),
    others: fc.array(parameter, { maxLength: 2 }),
    spaces: fc.array(sws, { minLength: 12, maxLength: 12 }),
    gap: lws,
    more: fc.boolean(),
  })
  .map(({ transport, host, port, branch, name, rport, others, spaces: s, gap, more }) => ({
    meaning: { transport, sentBy: port === undefined ? host : `${host}:${port}`, branch, rport: rport ? 0 : -1 },
    text:
      `SIP${s[0]}/${s[1]}2.0${s[2]}/${s[3]}${transport}${gap}${host}${port === undefined ? '' : `${s[4]}:${s[5]}${port}`}` +
      `${others.map(({ text }) => text).join('')}${s[6]};${s[7]}${name}${s[8]}=${s[9]}${branch}` +
      `${rport ? `${s[10]};${s[11]}RPort` : ''}${more ? ' , SIP/2.0/UDP other.example.com;branch=z9hG4bKother' : ''}`,
  }));

const request = fc
  .record({
    via,
    from: address(true),
    to: address(false),
    callId: token,
    cseq: fc.integer({ min: 0, max: 2 ** 31 - 1 }),
    method: token,
    // Comments belong to the value; nobody else reads them.
    agent: fc.tuple(token, free).map(([word, text]) => `${word} (a (${text.replace(/[()\\]/g, '\\$&')}) \\) b)`),
    event: token,
    body: fc.string({ unit: 'grapheme', maxLength: 20 }),
    names: fc.tuple(
      named('Via', 'v'),
      named('From', 'f'),
      named('To', 't'),
      named('Call-ID', 'i'),
      named('CSeq'),
      named('Event', 'o'),
      named('User-Agent'),
      named('Content-Length', 'l'),
    ),
    colons: fc.array(fc.tuple(fc.constantFrom('', ' ', '\t', '  '), sws, sws), { minLength: 8, maxLength: 8 }),
    gap: lws,
    order: fc.shuffledSubarray([0, 1, 2, 3, 4, 5, 6, 7], { minLength: 8 }),
  })
  .map((r) => {
    const { method, callId, cseq, event, agent } = r;
    const length = String(Buffer.byteLength(r.body)).padStart(5, '0');
    const values = [r.via.text, r.from.text, r.to.text, callId, `00${cseq}${r.gap}${method}`, event, agent, length];
    const lines = values.map((value, i) => {
      const [before, after, end] = r.colons[i]!;
      return `${r.names[i]}${before}:${after}${value}${end}\r\n`;
    });
    return { ...r, text: `${method} sip:h SIP/2.0\r\n${r.order.map((i) => lines[i]).join('')}\r\n${r.body}` };
  });

function read(text: string): ParsedRequest {
  const message = parseMessage(Buffer.from(text, 'utf8'));
  if (message.kind !== 'request') throw new Error(JSON.stringify(message));
  return message;
}

function shown(text: string | undefined): Address {
  const { display = '', uri, parameters } = parseNameAddr(text!)!;
  const others = new Map([...parameters.names()].map((name) => [name, parameters.get(name)!]));
  const tag = others.get('tag');
  others.delete('tag');
  return { display, uri, tag, others };
}

it('reads the same meaning', () => {
  fc.assert(
    fc.property(request, (r) => {
      const message = read(r.text);
      const { headers } = message;
      expect(message.via).toMatchObject(r.via.meaning);
      expect(message.via.sentBy).toBe(r.via.meaning.sentBy);
      expect([message.method, message.callId, message.cseq]).toEqual([
        r.method,
        r.callId,
        { number: r.cseq, method: r.method },
      ]);
      expect(message.toTag).toBe(r.to.meaning.tag);
      expect(shown(headers.get('From'))).toEqual(r.from.meaning);
      expect(shown(headers.get('t'))).toEqual(r.to.meaning);
      expect([headers.get('EVENT'), headers.get('o')]).toEqual([r.event, r.event]);
      expect(headers.get('user-agent')).toBe(r.agent);
      expect(headers.all('v')).toHaveLength(1);
      for (const name of ['From', 'To', 'Via']) expect(headers.get(name)).not.toMatch(/[\r\n]/);
      expect(message.body?.text() ?? '').toBe(Buffer.from(r.body, 'utf8').toString('utf8'));
    }),
    { numRuns: 300, seed: 1 },
  );
});

it('takes a field that stands twice for none, in whatever spelling', () => {
  const single = fc.constantFrom(
    ['From', 'f', 'From'],
    ['To', 't', 'To'],
    ['Call-ID', 'i', 'Call-ID'],
    ['CSeq', 'CSEQ', 'CSeq'],
    ['Content-Length', 'l', 'Content-Length'],
  );
  fc.assert(
    fc.property(request, single, fc.boolean(), ({ text }, [long, compact, name], short) => {
      const again = text.replace('SIP/2.0\r\n', `SIP/2.0\r\n${short ? compact : long}: <sip:x@y>;tag=z\r\n`);
      expect(parseMessage(Buffer.from(again, 'utf8'))).toMatchObject({
        kind: 'error',
        reason: `More Than One ${name}`,
      });
    }),
    { numRuns: 100, seed: 1 },
  );
});

it('finds no tag in quotes, in the URI or in another parameter', () => {
  const decoy = fc.constantFrom(
    '"; tag=evil" <sip:a@b>',
    '"\\"; tag=evil" <sip:a@b>',
    '<sip:a@b;tag=evil>',
    '<sip:a@b>;x=";tag=evil"',
    '<sip:a@b>;x="\\";tag=evil"',
    '<sip:a@b>;xtag=evil',
    '<sip:a@b>;tagx=evil',
    '<sip:a@b>;x=tag',
  );
  fc.assert(
    fc.property(decoy, fc.option(tag, { nil: undefined }), (text, tag) => {
      const lines = 'Via: SIP/2.0/UDP h;branch=z9hG4bK1\r\nFrom: <sip:x@y>;tag=1\r\nCall-ID: 1\r\nCSeq: 1 NOTIFY\r\n';
      const message = read(`NOTIFY sip:h SIP/2.0\r\n${lines}To: ${text}${tag?.text ?? ''}\r\n\r\n`);
      expect(message.toTag).toBe(tag?.meaning);
    }),
    { numRuns: 200, seed: 1 },
  );
});
