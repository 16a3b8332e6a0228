/** What no phone should send: refused with a reason, nothing changed, nothing thrown. */
import type { IncomingRequest } from '@pua/core';
import { parseMessage } from '@pua/sip';
import { SimRandom } from '@pua/testkit';
import { AddressReader } from '../../dist/registrar/address.js';
import { type Fields, HOME, PROXY, Scene } from './scene';

let scene: Scene;
beforeEach(async () => {
  scene = await Scene.start({ trusted: [PROXY.host] });
});
afterEach(() => scene.stop());

test.each<[string, Fields, string]>([
  ['a To whose URI is no address', { To: '<sip:@example.com>' }, 'Malformed To'],
  ['two addresses in To', { To: '<sip:a@example.com>, <sip:b@example.com>' }, 'Malformed To'],
  ['a contact without end', { Contact: '<sip:a@h' }, 'Malformed Contact'],
  ['a contact without scheme', { Contact: '<alice>' }, 'Malformed Contact'],
  ['a contact without host', { Contact: '<sip:alice@>' }, 'Malformed Contact'],
  ['a space in a contact', { Contact: '<sip:a b@h>' }, 'Malformed Contact'],
  ['a quote without end', { Contact: '"Alice <sip:a@h>' }, 'Malformed Contact'],
  ['a quote in the middle', { Contact: 'A"li"ce <sip:a@h>' }, 'Malformed Contact'],
  ['a display name alone', { Contact: '"Alice", <sip:a@h>' }, 'Malformed Contact'],
  ['something behind a contact', { Contact: '<sip:a@h> x' }, 'Malformed Contact'],
  ['a parameter without name', { Contact: '<sip:a@h>;=1' }, 'Malformed Contact'],
  ['a value without end', { Contact: '<sip:a@h>;x="1' }, 'Malformed Contact'],
  ['something behind a value', { Contact: '<sip:a@h>;x=1 2' }, 'Malformed Contact'],
  ['a comma at the end', { Contact: '<sip:a@h>,' }, 'Malformed Contact'],
  ['an empty contact', { Contact: '<>' }, 'Malformed Contact'],
  ['a NUL in a contact', { Contact: '<sip:a\0@h>' }, 'Malformed Contact'],
  ['a NUL in a Path', { Path: '<sip:a@h>;x\0y' }, 'Malformed Path'],
  ['q above 1', { Contact: `<${HOME}>;q=1.1` }, 'Malformed q Of Contact'],
  ['q without value', { Contact: `<${HOME}>;q` }, 'Malformed q Of Contact'],
  ['reg-id 0', { Contact: `<${HOME}>;reg-id=0` }, 'Malformed reg-id Of Contact'],
  ['a large reg-id', { Contact: `<${HOME}>;reg-id=4294967296` }, 'Malformed reg-id Of Contact'],
  ['an instance without value', { Contact: `<${HOME}>;+sip.instance` }, 'Malformed Instance Of Contact'],
  ['a contact after a good one', { Contact: [`<${HOME}>`, '<sip:'] }, 'Malformed Contact'],
  ['101 contacts', { Contact: Array.from({ length: 101 }, (_, i) => `<sip:${i}@h>`) }, 'Too Many Contacts'],
  ['a very long line', { Contact: `<${HOME}>;x="${'y'.repeat(8_192)}"` }, 'Contact Too Long'],
  ['a long contact', { Contact: `<sip:${'y'.repeat(512)}@h>` }, 'Too Long: Contact'],
  ['a long Call-ID', { 'Call-ID': 'y'.repeat(256) }, 'Too Long: Call-ID'],
])('%s', async (_, fields, reason) => {
  expect(await scene.send(fields, PROXY)).toMatchObject({ status: 400, reason });
  expect(scene.told()).toEqual([]);
});

test('white space, comments of display names and odd parameters are fine', async () => {
  const Contact =
    ' "A\\"l, <ice>" < sip:a@h > ; q = 0.5 ; X ; y = "" , sip:b@h ;expires=60, Bob  Smith <sip:c@h>,<tel:+1>';
  expect((await scene.send({ Contact }, PROXY)).status).toBe(200);
  expect(scene.events.map(({ binding }) => [binding.contact, binding.q, binding.params])).toEqual([
    ['sip:a@h', 0.5, { x: true, y: '' }],
    ['sip:b@h', undefined, undefined],
    ['sip:c@h', undefined, undefined],
    ['tel:+1', undefined, undefined],
  ]);
});

test('a tab is white space, too', async () => {
  await scene.send({ Contact: '<sip:a@h>\t;\texpires\t=\t60\t;q=0.5\t, <sip:b@h>;expires=70\t' }, PROXY);
  expect(scene.events.map(({ binding: { q, expiresAt } }) => [q, expiresAt - scene.clock.wall()])).toEqual([
    [0.5, 60_000],
    [undefined, 70_000],
  ]);
});

test('names of parameters that objects have, too', async () => {
  const answer = await scene.send({ Contact: `<${HOME}>;__proto__=x;constructor;toString="a b"` }, PROXY);
  expect(answer.all('Contact')).toEqual([`<${HOME}>;expires=3600;__proto__=x;constructor;tostring="a b"`]);
});

const GOOD = [
  'REGISTER sip:example.com SIP/2.0',
  'Via: SIP/2.0/UDP 10.0.0.5;branch=z9hG4bK2, SIP/2.0/UDP 192.0.2.7;received=198.51.100.7;rport=4001;branch=z9hG4bK1',
  'From: "Alice" <sip:alice@example.com>;tag=1',
  'To: "Alice" <sip:alice@example.com>',
  'Call-ID: call',
  'CSeq: 1 REGISTER',
  'Contact: "Al, ice" <sip:alice@192.0.2.7:4001;ob>;q=0.5;expires=600;+sip.instance="<urn:uuid:1>";reg-id=1, <sip:b@h>',
  'Contact: sip:c@h;x="y\\"z"',
  'Expires: 600',
  'Path: <sip:edge.example.com;lr;ob;received=sip:1.2.3.4:5>, <sip:core.example.com;lr>',
  'Supported: path, outbound',
  'Require: path',
  'User-Agent: Phone/1.0',
  'Authorization: Digest username="alice", realm="example.com", nonce="a-b-c", uri="sip:example.com", response="x", qop=auth, nc=00000001, cnonce="c"',
  '',
  '',
].join('\r\n');

/** Characters that mean something somewhere. */
const PIECES = [
  '"',
  '<',
  '>',
  ',',
  ';',
  '=',
  '*',
  ':',
  '@',
  '%',
  '%00',
  '\\',
  ' ',
  '\t',
  '\0',
  '\u00e4',
  '\ud83d\ude00',
  '0',
  '-1',
  '\x7f',
  '[',
  ']',
];

function mutated(random: SimRandom): string {
  let text = GOOD;
  for (let n = Math.floor(random.uniform() * 4); n >= 0; n--) {
    const at = Math.floor(random.uniform() * text.length);
    const piece = PIECES[Math.floor(random.uniform() * PIECES.length)]!;
    const length = Math.floor(random.uniform() * random.uniform() * 40);
    const kind = random.uniform();
    if (kind < 0.4) text = text.slice(0, at) + piece + text.slice(at);
    else if (kind < 0.7) text = text.slice(0, at) + text.slice(at + length);
    else if (kind < 0.9) text = text.slice(0, at) + piece + text.slice(at + 1);
    else text = text.slice(0, at) + text.slice(at, at + length).repeat(3) + text.slice(at);
  }
  return text;
}

test.each(['tap', 'registrar'])('5 000 mutations as %s: each is answered, none with 5xx', async (mode) => {
  const users = [{ username: 'alice', password: 'secret' }];
  const own = await Scene.start(
    mode === 'tap' ? { trusted: [PROXY.host], maxBindings: 1e9 } : { users, domains: ['example.com'] },
  );
  const random = new SimRandom(4);
  const statuses = new Map<number, number>();
  for (let i = 0; i < 5_000; i++) {
    const text = mutated(random).replace('Call-ID: call', `Call-ID: ${i}`);
    const message = parseMessage(Buffer.from(text));
    if (message.kind !== 'request' || message.method !== 'REGISTER') continue;
    const { status, headers } = await own.receive(text, PROXY);
    statuses.set(status, (statuses.get(status) ?? 0) + 1);
    for (const [name, value] of headers) {
      if (/[\0\r\n]/.test(name + value))
        throw new Error(`${JSON.stringify(text)} -> ${name}: ${JSON.stringify(value)}`);
    }
  }
  await own.stop();
  expect([...statuses.keys()].filter((status) => status >= 500)).toEqual([]);
  expect(own.faults).toEqual([]);
  expect(statuses.get(mode === 'tap' ? 200 : 401)).toBeGreaterThan(300);
  expect(statuses.get(400)).toBeGreaterThan(300);
});

describe('what another engine might let pass', () => {
  const good: Readonly<Record<string, string>> = {
    To: '<sip:alice@example.com>',
    From: '<sip:alice@example.com>;tag=1',
    'Call-ID': 'call',
    CSeq: '1 REGISTER',
  };
  const ask = (fields: Readonly<Record<string, string | undefined>>) => {
    const given = { ...good, ...fields };
    const headers = {
      get: (name: string) => given[name],
      all: (name: string) => [given[name]].filter((v) => v !== undefined),
    };
    const answers: unknown[] = [];
    const reply = (status: number, _?: unknown, reason?: string) => void answers.push([status, reason]);
    scene.handle({
      method: 'REGISTER',
      uri: 'x',
      headers,
      source: PROXY,
      reply,
      pass: () => {},
    } satisfies IncomingRequest);
    return answers;
  };

  test.each([
    ['To', 'Alice', 'Malformed To'],
    ['To', '*', 'Malformed To'],
    ['To', undefined, 'Malformed To'],
    ['From', '<>;tag=1', 'Malformed From'],
    ['From', undefined, 'Malformed From'],
    ['Call-ID', undefined, 'Missing Call-ID'],
    ['CSeq', undefined, 'Malformed CSeq'],
    ['CSeq', 'x REGISTER', 'Malformed CSeq'],
    ['CSeq', '12345678901 REGISTER', 'Malformed CSeq'],
  ])('%s: %s', (name, value, reason) => {
    expect(ask({ [name]: value })).toEqual([[400, reason]]);
  });

  test('a request that has just what is needed', () => {
    expect(ask({})).toEqual([[200, undefined]]);
  });
});

test('reading takes linear time', () => {
  for (const text of [
    `${'"'.repeat(60_000)}`,
    `<${' '.repeat(60_000)}`,
    `${' '.repeat(60_000)}x`,
    `sip:${'@'.repeat(60_000)}`,
    `sip:a@h${';'.repeat(60_000)}`,
  ]) {
    const reader = new AddressReader(text);
    const began = process.cpuUsage();
    while (reader.next()) while (reader.parameter());
    const { user, system } = process.cpuUsage(began);
    expect(user + system).toBeLessThan(200_000);
  }
});
