/** What callers hand in: hostile values get an error that names the field, and nothing else happens. */
import { checkExpires, checkLine, checkSipUri, checkUri, sourceFlag } from '../dist/arguments.js';
import { formatHeaders, parseHeaderLines, readHeaders } from '../dist/headers.js';

const argument = (field: RegExp) =>
  expect.objectContaining({ code: 'PUA_ERR_ARGUMENT', message: expect.stringMatching(field) });

describe('URIs', () => {
  test.each([
    'sip:alice@example.com',
    'SIPS:alice@example.com:5061;transport=tls',
    'sip:example.com',
    'sip:+4912345;ext=1@[2001:db8::1]:5060?Subject=a',
    'tel:+4912345',
    'pres:alice@example.com',
    'sip:jérôme@example.com',
  ])('%s', (uri) => {
    expect(checkUri('presUri', uri)).toBe(uri);
  });

  test.each([
    '',
    'alice@example.com',
    'http://example.com',
    'sip:',
    'sip:a b@example.com',
    'sip:a@example.com\r\nEvil: 1',
    'sip:a@example.com\n',
    'sip:a@example.com\0',
    'sip:a@example.com\u2028',
    '<sip:a@example.com>',
    'sip:a@example.com>',
    '"A" <sip:a@example.com>',
    `sip:${'a'.repeat(2000)}@example.com`,
    undefined,
    null,
    5,
    {},
    ['sip:alice@example.com'],
  ])('not %j', (uri) => {
    expect(() => checkUri('presUri', uri)).toThrow(argument(/^presUri: must be a SIP URI/));
  });

  test('a next hop must speak SIP', () => {
    expect(checkSipUri('outboundProxy', 'sips:proxy')).toBe('sips:proxy');
    expect(() => checkSipUri('outboundProxy', 'tel:+49')).toThrow(
      argument(/^outboundProxy: must be a sip: or sips: URI/),
    );
  });

  test('a long value is not repeated in full', () => {
    try {
      checkUri('presUri', 'x'.repeat(10_000));
    } catch (error) {
      expect((error as Error).message.length).toBeLessThan(200);
    }
    expect.assertions(1);
  });
});

describe('lifetimes', () => {
  test.each([
    [undefined, -1],
    [0, 0],
    [-1, -1],
    [3600, 3600],
    [2 ** 31 - 1, 2 ** 31 - 1],
  ])('%j', (value, expected) => {
    expect(checkExpires('expires', value)).toBe(expected);
  });

  test.each([1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 31, '3600', null, {}])('not %j', (value) => {
    expect(() => checkExpires('expires', value as never)).toThrow(
      argument(/^expires: must be a whole number of seconds/),
    );
  });
});

describe('lines', () => {
  test.each(['', 'desk', 'a|b%c', 'ü', 'x'.repeat(255)])('%j', (text) => {
    expect(checkLine('id', text)).toBe(text);
  });

  test.each(['x'.repeat(256), 'a\rb', 'a\nb', 'a\0b', 'a\tb', '\x7f', undefined, null, 5, {}])('not %j', (text) => {
    expect(() => checkLine('id', text as never)).toThrow(argument(/^id: must be a text of at most 255 characters/));
  });
});

describe('source flags', () => {
  test.each([
    ['UL_PUBLISH', 1],
    ['DFKS_SUBSCRIBE', 131072],
    [64, 64],
    [2 ** 30, 2 ** 30],
  ] as const)('%j', (given, flag) => {
    expect(sourceFlag('sourceFlag', given)).toBe(flag);
  });

  test.each([0, -1, 3, 1.5, 2 ** 31, Number.NaN, 'ul_publish', '', 'constructor', '__proto__', undefined, null, {}])(
    'not %j',
    (given) => {
      expect(() => sourceFlag('sourceFlag', given as never)).toThrow(
        argument(/^sourceFlag: must be one of UL_PUBLISH/),
      );
    },
  );
});

describe('extra headers', () => {
  test('lines and pairs are the same', () => {
    const pairs = [
      ['X-A', '1'],
      ['Subject', 'a: b'],
    ] as const;
    expect(readHeaders(pairs)).toEqual(pairs);
    for (const lines of ['X-A: 1\r\nSubject: a: b\r\n', 'X-A:1\nSubject :a: b', '\r\nX-A: 1\r\n\r\nSubject: a: b'])
      expect(readHeaders(lines)).toEqual(pairs);
    expect(parseHeaderLines(formatHeaders(pairs))).toEqual(pairs);
  });

  test('none', () => {
    expect([readHeaders(''), readHeaders([]), formatHeaders([])]).toEqual([[], [], '']);
  });

  test('what is kept is a copy: later changes of the caller pass by', () => {
    const pairs: [string, string][] = [['X-A', '1']];
    const kept = readHeaders(pairs);
    pairs[0]![1] = 'x\r\nEvil: 1';
    pairs.push(['Evil', '1']);
    expect(kept).toEqual([['X-A', '1']]);
  });

  test.each([
    'Via',
    'FROM',
    'to',
    'CSeq',
    'Call-ID',
    'Contact',
    'Max-Forwards',
    'Event',
    'Expires',
    'SIP-If-Match',
    'Route',
    'Record-Route',
    'Authorization',
    'Proxy-Authorization',
    'Content-Type',
    'content-length',
    'Content-Anything',
    ...'vftimocle',
  ])('%s is the core’s own', (name) => {
    expect(() => readHeaders([[name, 'x']])).toThrow(argument(/^extra header .*: it is written by the core/));
    expect(() => readHeaders(`${name}: x\r\n`)).toThrow(argument(/^extra header/));
  });

  test.each([
    ['an empty name', [['', 'x']]],
    ['a space', [['X A', 'x']]],
    ['a colon', [['X:', 'x']]],
    ['CR in the name', [['X\r\nEvil', 'x']]],
    ['no name', 'no colon here'],
    ['a folded line', 'X-A: 1\r\n folded'],
    ['CR in the value', [['X', 'a\rb']]],
    ['LF in the value', [['X', 'a\nEvil: 1']]],
    ['NUL in the value', [['X', 'a\0']]],
    ['a control character in the value', [['X', 'a\x01']]],
    ['no value', [['X']]],
    ['a number', [['X', 5]]],
    ['no pair', ['X: 1']],
    ['null', null],
    ['an object', { 'X-A': '1' }],
    ['a number instead', 5],
  ])('%s', (_name, headers) => {
    expect(() => readHeaders(headers as never)).toThrow(argument(/^extra header/));
  });

  test('a tab in a value is fine', () => {
    expect(readHeaders([['X', 'a\tb']])).toEqual([['X', 'a\tb']]);
  });
});
