/** What the application hands in never breaks out of its line or its brackets. */
import { type Headers, type OutgoingRequest, PuaError } from '@pua/core';
import { bench, incoming, sender, settled } from './support';

/** What would end a line, or what some encodings make of a character beyond ASCII (U+010D is 0x0D in one byte). */
const BREAKS = ['\r', '\n', '\0', '\r\n', '\r\n ', '\r\nEvil: yes', '\r\n\r\nINVITE sip:x SIP/2.0\r\n'];
const LOOKALIKES = ['\u010d\u010a', '\u{1f40d}', '\u2028\u2029\u0085', '\u0100'];

type Field = readonly [name: string, good: string, put: (text: string) => Partial<OutgoingRequest>];

const FIELDS: readonly Field[] = [
  ['method', 'PUBLISH', (method) => ({ method })],
  ['uri', 'sip:alice@example.com', (uri) => ({ uri })],
  ['callId', 'call-1', (callId) => ({ callId })],
  ['from.uri', 'sip:alice@example.com', (uri) => ({ from: { uri, tag: 'ours' } })],
  ['from.tag', 'ours', (tag) => ({ from: { uri: 'sip:alice@example.com', tag } })],
  ['to.uri', 'sip:alice@example.com', (uri) => ({ to: { uri } })],
  ['to.tag', 'theirs', (tag) => ({ to: { uri: 'sip:alice@example.com', tag } })],
  ['route', '<sip:proxy.example.com;lr>', (route) => ({ routes: ['<sip:first;lr>', route] })],
  ['contact', 'sip:alice@10.0.0.1', (contact) => ({ contact })],
  [
    'header name',
    'Subject',
    (name) => ({
      headers: [
        ['Event', 'presence'],
        [name, 'x'],
      ],
    }),
  ],
  [
    'header Subject',
    'Tea',
    (value) => ({
      headers: [
        ['Event', 'presence'],
        ['Subject', value],
      ],
    }),
  ],
  ['body.type', 'text/plain', (type) => ({ body: { type, content: 'x' } })],
];

const spread = (texts: readonly string[]) =>
  FIELDS.flatMap(([name, good, put]) =>
    texts.flatMap((text) =>
      [text + good, good.slice(0, 3) + text + good.slice(3), good + text].map((bad) => [name, bad, put(bad)] as const),
    ),
  );

const TAGS = ['', 'a b', 'a;b', 'a,b', 'a"b', 'a>b', 'a<b', 'a\tb'];
const URIS = ['', 'a b', 'a\tb', 'a<b', 'a>b', '<sip:a@b>', 'sip:a@b>;tag=evil', 'sip:a@b>, <sip:evil@b'];

/** What is no such thing, and could be taken for more than it is. */
const NONE: Readonly<Record<string, readonly string[]>> = {
  method: ['', 'PUB LISH', 'PÜB', 'A:B'],
  uri: URIS,
  callId: ['', 'a b', '\ta'],
  'from.uri': URIS,
  'from.tag': TAGS,
  'to.uri': URIS,
  'to.tag': TAGS,
  contact: URIS,
  'header name': ['', 'X Y', 'X:Y', 'X:', ' X', 'X ', 'X\tY', 'Ünicode', 'X"', 'X(', '<X>', 'X;y', 'X,Y'],
  'body.type': [''],
  route: [
    '',
    '   ',
    'proxy',
    '<>',
    '<sip:a;lr',
    'sip:a;lr>',
    '<sip:a;lr>, <sip:evil>',
    '<sip:a;lr>,',
    '<sip:a;lr>;x, sip:evil',
    '<sip:a;lr> <sip:evil>',
    '<sip:a;lr>;x=<sip:evil>',
    '<sip:a b>',
    '<<sip:a>>',
    'sip:a, sip:evil',
    'sip:evil, <sip:a>',
    'sip:a,b@c',
    '"open <sip:a>',
    '"a", <sip:a>',
    '"a" "b" <sip:a>',
  ],
};
const UNFIT = FIELDS.flatMap(([name, , put]) => (NONE[name] ?? []).map((bad) => [name, bad, put(bad)] as const));

/** Fields that the engine writes itself, in every form of their names. */
const OWNED = [
  ...['Via', 'v', 'From', 'F', 'TO', 't', 'Call-ID', 'i', 'CSeq'],
  ...['Max-Forwards', 'Content-Length', 'L', 'content-type', 'c'],
];

async function refused(change: unknown, field: string): Promise<void> {
  const { engine, peer } = await bench();
  const { outcomes, send } = sender(engine);
  const attempt = () => send(change as Partial<OutgoingRequest>);
  expect(attempt).toThrow(PuaError);
  expect(attempt).toThrow(expect.objectContaining({ code: 'PUA_ERR_INVALID_MESSAGE' }));
  expect(attempt).toThrow(field);
  await settled();
  expect([outcomes, peer.seen]).toEqual([[], []]);
  expect(engine.stats()).toMatchObject({ clientTransactions: 0, sent: 0 });
}

describe('a request', () => {
  it.each(FIELDS)('goes out with a good %s', async (_name, good, put) => {
    const { engine, peer } = await bench();
    sender(engine).send(put(good));
    expect(peer.seen).toHaveLength(1);
    expect(peer.last.text).toContain(good);
  });

  it.each(spread(BREAKS))('is refused with a break in %s: %j', (name, _bad, change) => refused(change, name));

  it('is one message of the lines that were meant, whatever is beyond ASCII', async () => {
    const { engine, peer } = await bench();
    const { send } = sender(engine);
    send();
    const lines = peer.last.text.split(/\r\n|\r|\n/).length;
    for (const [name, text, change] of spread(LOOKALIKES)) {
      // No token, and no address.
      if (name === 'method' || name === 'header name' || (name === 'route' && !text.endsWith('>'))) {
        await refused(change, name);
        continue;
      }
      send(change);
      const more = { route: 2, contact: 1, 'to.tag': 0, 'body.type': 1 }[name] ?? 0;
      expect([name, peer.last.bytes.toString('latin1').split(/\r\n|\r|\n|\0/).length]).toEqual([name, lines + more]);
      expect(peer.last.message.kind).toBe('request');
    }
  });

  it.each(UNFIT)('is refused with a %s that is none: %j', (name, _bad, change) => refused(change, name));

  it.each(OWNED)('is refused with a %s of its own', (name) => refused({ headers: [[name, 'x']] }, 'header'));

  it.each([
    '<sip:proxy.example.com;lr>',
    'Proxy <sip:a,b@proxy.example.com;lr?x=y> ; x="a, \\"b\\"" ; y',
    '"Proxy, <the> \\"first\\"" <sips:proxy.example.com;lr>',
    'sip:proxy.example.com;lr',
  ])('goes by the route %s', async (route) => {
    const { engine, peer } = await bench();
    sender(engine).send({ routes: [route] });
    expect(peer.last.text).toContain(`\r\nRoute: ${route}\r\n`);
  });

  it.each([
    ['uri', { uri: undefined }],
    ['header Subject', { headers: [['Subject', { toString: () => 'x\r\nEvil: yes' }]] }],
    ['header Subject', { headers: [['Subject', ['x\r\nEvil: yes']]] }],
    ['header Subject', { headers: [['Subject', undefined]] }],
    ['header name', { headers: [[['Subject'], 'x']] }],
    ['header name', { headers: [[undefined, 'x']] }],
    ['method', { method: ['PUBLISH'] }],
    ['contact', { contact: null }],
    ['route', { routes: [['<sip:a>']] }],
    ['body.type', { body: { content: 'x' } }],
  ])('from JavaScript is refused with a %s that is no text', (name, change) => refused(change, name));
});

describe('an answer', () => {
  const reply = async (headers: Headers, reason?: string) => {
    const { peer, requests } = await bench();
    peer.send(incoming('NOTIFY'));
    const attempt = () => requests[0]!.reply(200, headers, reason);
    expect(attempt).toThrow(PuaError);
    expect(attempt).toThrow(expect.objectContaining({ code: 'PUA_ERR_INVALID_MESSAGE' }));
    expect(peer.seen).toEqual([]);
  };

  it.each(BREAKS)('is refused with %j in a value, a name or the reason', async (text) => {
    for (const bad of [text, `x${text}`, `x${text}y`]) {
      await reply([['X', bad]]);
      await reply([[bad, 'x']]);
      await reply([], bad);
    }
  });

  it.each(['Via', 'v', 'To', 'Call-ID', 'CSeq', 'Content-Length', 'l'])('is refused with a %s of its own', (name) =>
    reply([[name, 'x']]),
  );

  it('is of one piece whatever is beyond ASCII', async () => {
    const { peer } = await bench({}, (request) => request.reply(200, [['X', LOOKALIKES.join()]], LOOKALIKES.join()));
    peer.send(incoming('NOTIFY'));
    expect(peer.last.bytes.toString('latin1').split(/\r\n|\r|\n|\0/)).toHaveLength(10);
    expect(peer.last.text).toContain(`\r\nX: ${LOOKALIKES.join()}\r\n`);
  });

  it('of the engine itself has nothing that is no method, type or tag', async () => {
    const odd = () => ['good', 'bad\r\nEvil: yes', 'also'];
    const { peer } = await bench({ allow: odd, accept: odd, allowEvents: odd, supported: odd });
    peer.send(incoming('OPTIONS'));
    for (const name of ['Allow', 'Accept', 'Allow-Events', 'Supported']) {
      expect(peer.last.text).toContain(`\r\n${name}: good, also\r\n`);
    }
    peer.send(incoming('INVITE'));
    expect(peer.last.text).toContain('\r\nAllow: good, also\r\n');
    expect(peer.seen.map(({ text }) => text).join()).not.toContain('Evil');
  });

  it('repeats nothing of the request that would end a line', async () => {
    const { peer } = await bench({}, (request) => request.reply(200));
    peer.send(incoming('NOTIFY', { From: '"a\rEvil: yes" <sip:bob@example.com>;tag=theirs', Require: 'a\rEvil: yes' }));
    expect(peer.last.text).toMatch(/^SIP\/2\.0 420 /);
    expect(peer.last.text.replaceAll('\r\n', '')).not.toMatch(/[\r\n]/);
  });
});
