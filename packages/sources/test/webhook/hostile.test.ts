/** What a hostile or careless sender may post: 400 with the place, nothing told, nothing broken. */
import type { Binding } from '@pua/core';
import { dialogWebhook, registrationWebhook } from '@pua/sources';
import { type Bench, bench, call, START } from './support';

let b: Bench;
const told: unknown[] = [];
beforeAll(async () => {
  const calls = dialogWebhook();
  const registrations = registrationWebhook();
  calls.onEvent((event) => void told.push(event));
  registrations.onEvent((event) => void told.push(event));
  b = await bench([calls, registrations], { maxBodyBytes: 1 << 21 });
});
afterAll(() => b.stop());
afterEach(() => {
  expect(told).toEqual([]);
  expect(({} as Record<string, unknown>)['uri']).toBeUndefined();
});

const DIALOGS = '/events/dialogs';
const REGISTRATIONS = '/events/registrations';
const BINDING: Binding = { aor: 'a', contact: 'sip:a@x', expiresAt: START };

const dialog = (more: object) => ({ ...call('early'), dialog: { ...call('early').dialog, ...more } });
const binding = (more: object) => ({ kind: 'insert', binding: { ...BINDING, ...more } });

async function refused(path: string, body: unknown, message: RegExp): Promise<void> {
  const { status, json, text } = await b.post(path, body);
  expect([status, json.error]).toEqual([400, expect.stringMatching(message)]);
  expect(text.length).toBeLessThan(20_000);
}

test.each<[string, unknown, RegExp]>([
  ['null', null, /^nothing was taken: must be an object$/],
  ['a text', '"x"', /must be an object/],
  ['a list of lists', [[]], /^nothing was taken: \[0\]: must be an object$/],
  ['nothing in it', {}, /kind: is missing; dialog: is missing/],
  ['no kind', { dialog: call('early').dialog }, /kind: is missing/],
  ['an unknown kind', { ...call('early'), kind: 'ringing' }, /kind: must be one of created, early, confirmed, updated/],
  ['a misspelt key', { ...call('early'), dialg: {} }, /unknown key "dialg", did you mean "dialog"\?/],
  ['a misspelt key inside', dialog({ calId: 'x' }), /dialog: unknown key "calId", did you mean "callId"\?/],
  ['a party without URI', dialog({ callee: { tag: 'x' } }), /dialog\.callee\.uri: is missing/],
  ['a URI without scheme', dialog({ caller: { uri: 'alice@x' } }), /dialog\.caller\.uri: must be a URI such as/],
  ['a name-addr', dialog({ caller: { uri: '"A" <sip:a@x>' } }), /dialog\.caller\.uri: must be a URI/],
  ['a URI with a line break', dialog({ caller: { uri: 'sip:a@x\r\nX: y' } }), /dialog\.caller\.uri: must/],
  ['a NUL in a name', dialog({ caller: { uri: 'sip:a@x', display: 'a\u0000' } }), /display: must not hold control/],
  ['half a character', dialog({ caller: { uri: 'sip:a@x', display: '\ud83d' } }), /display: .*halves of characters/],
  ['a character XML has not', dialog({ callId: 'a\uffff' }), /dialog\.callId: must not hold control/],
  ['an empty key', dialog({ key: '' }), /dialog\.key: must not be empty/],
  ['a long key', dialog({ key: 'k'.repeat(3000) }), /dialog\.key: may have 2048 characters/],
  ['a number as text', dialog({ lifetime: '60' }), /dialog\.lifetime: must be a whole number from 1 to 2147483647/],
  ['a number as key', dialog({ key: 7 }), /dialog\.key: must be a text/],
  ['a lifetime with fraction', dialog({ lifetime: 1.5 }), /dialog\.lifetime: must be a whole number/],
  ['a time in seconds', dialog({ startedAt: 1_769_846_400 }), /startedAt: must be milliseconds.*looks like seconds/],
  ['a time long ago', dialog({ startedAt: Date.UTC(1999, 11, 31) }), /startedAt: must be milliseconds/],
  ['a time far ahead', dialog({ startedAt: Date.UTC(2100, 0) }), /startedAt: must be milliseconds/],
  ['a time that never is', dialog({ answeredAt: 0 }), /answeredAt: must be milliseconds/],
  ['a date without zone', dialog({ startedAt: '2026-01-31T08:00:00' }), /startedAt: must be milliseconds/],
  ['a date that is none', dialog({ startedAt: '2026-02-30T08:00:00Z' }), /startedAt: must be milliseconds/],
  ['a code that is none', dialog({ reason: { code: 99 } }), /dialog\.reason\.code: must be 100 or more/],
  [
    'a presentity that is none',
    dialog({ publishUris: { caller: ['tel:1'] } }),
    /publishUris\.caller\[0\]: must be a SIP/,
  ],
  ['a third side', dialog({ publish: { both: true } }), /dialog\.publish: unknown key "both", did you mean "caller"\?/],
  ['too many URIs', dialog({ publishUris: { caller: Array(101).fill('sip:a@x') } }), /caller: may have 100 entries/],
  [
    'too many variables',
    dialog({ vars: Object.fromEntries([...Array(65).keys()].map((i) => [i, 'x'])) }),
    /may have 64/,
  ],
  [
    'a state and a kind that do not agree',
    { ...call('early'), kind: 'confirmed' },
    /dialog\.state: must be confirmed in/,
  ],
  ['an end that is none', { ...call('early'), kind: 'failed' }, /dialog\.state: must be terminated in an event/],
  ['an end that is news', { ...call('terminated'), kind: 'updated' }, /dialog\.state: must be trying or proceeding or/],
  ['a negative sequence', { ...call('early'), sequence: -1 }, /sequence: must be 0 or more/],
  ['a sequence beyond what a number holds', { ...call('early'), sequence: 2 ** 53 }, /sequence: must be/],
])('calls: %s', (_, body, message) => refused(DIALOGS, body, message));

test.each<[string, unknown, RegExp]>([
  ['no binding', { kind: 'insert' }, /binding: is missing/],
  ['an AOR with a blank', binding({ aor: 'a b' }), /binding\.aor: must be user, user@domain or a URI/],
  ['an AOR in brackets', binding({ aor: '<sip:a@x>' }), /binding\.aor: must be user/],
  ['a contact in brackets', binding({ contact: '<sip:a@x>' }), /binding\.contact: must be a URI such as/],
  ['no lifetime', { kind: 'insert', binding: { aor: 'a', contact: 'sip:a@x' } }, /binding\.expiresAt: is missing/],
  ['no number', `{"kind":"insert","binding":{"aor":"a","contact":"sip:a@x","expiresAt":1e999}}`, /expiresAt: must be/],
  ['a negative time', binding({ expiresAt: -1 }), /binding\.expiresAt: must be milliseconds/],
  ['a time with fraction', binding({ expiresAt: START + 0.5 }), /binding\.expiresAt: must be milliseconds/],
  ['seconds', binding({ expiresAt: 1_769_846_400 }), /this looks like seconds/],
  ['a q beyond 1', binding({ q: 1.1 }), /binding\.q: must be 1 or less/],
  ['a parameter that is an object', binding({ params: { a: {} } }), /params\.a: must be a text, or true/],
  ['flags beyond 32 bits', binding({ flags: 2 ** 32 }), /binding\.flags: must be 4294967295 or less/],
  ['a wrong sibling', { ...binding({}), siblings: [BINDING, {}] }, /siblings\[1\]\.aor: is missing/],
  ['too many siblings', { ...binding({}), siblings: Array(101).fill(BINDING) }, /siblings: may have 100 entries/],
  ['an unknown origin', { ...binding({}), hints: { origin: 'here' } }, /hints\.origin: must be one of local, replica/],
  [
    'a misspelt hint',
    { ...binding({}), hints: { publsh: true } },
    /hints: unknown key "publsh", did you mean "publish"/,
  ],
])('registrations: %s', (_, body, message) => refused(REGISTRATIONS, body, message));

describe.each([DIALOGS, REGISTRATIONS, '/events/pua_json'])('%s', (path) => {
  test('a deep tree', () => refused(path, `${'['.repeat(200_000)}${']'.repeat(200_000)}`, /must be an object|missing/));
  test('a deep value', () =>
    refused(path, `{"kind":${'[{"a":'.repeat(100_000)}1${'}]'.repeat(100_000)}}`, /missing|must/));
  test('a huge list', () =>
    refused(path, Array(10_001).fill(0), /^the list may have 10000 entries, not 10001; send it/));
  test('many problems: the first are told', async () => {
    const { json } = await b.post(path, Array(10_000).fill({}));
    expect(json.problems).toHaveLength(20);
  });
  test('a long unknown key', () => refused(path, { ['k'.repeat(100_000)]: 1 }, /missing/));
  test('a prototype', () =>
    refused(path, '{"__proto__":{"uri":"sip:a@x","kind":"early"},"constructor":{"prototype":{"uri":"x"}}}', /missing/));
});

test('a prototype among the parameters changes nothing', async () => {
  const text = `{"kind":"insert","binding":{"aor":"a","contact":"sip:a@x","expiresAt":0,"params":{"__proto__":"x"}}}`;
  expect((await b.post(REGISTRATIONS, text)).json).toMatchObject({ accepted: 1 });
  const [event] = told.splice(0) as [{ binding: Binding }];
  expect(Object.getPrototypeOf(event.binding.params)).toBe(Object.prototype);
  expect(event.binding.params).toEqual({});
});
