/** The vocabulary of Kamailio's pua_json: calls to the listeners, the other packages to a presence server. */
import type { DialogEvent, PuaModule } from '@pua/core';
import { readPidf } from '@pua/documents';
import { dialogWebhook } from '@pua/sources';
import { type Bench, benches, until } from './support';

const start = benches();
const PATH = '/events/pua_json';

async function listening(others: readonly PuaModule[] = []) {
  const source = dialogWebhook({ heartbeat: 60 });
  const events: DialogEvent[] = [];
  source.onEvent((event) => void events.push(event));
  const b = await start([source, ...others]);
  const send = (body: unknown, headers?: Record<string, string>) => b.whileTimeRuns(b.post(PATH, body, headers));
  return { ...b, events, send };
}

const publishes = (b: Bench) => b.server.requests.filter(({ method }) => method === 'PUBLISH');
const bodyOf = (b: Bench) => Buffer.from(b.server.publications[0]!.body.bytes).toString('utf8');

const DIALOG = {
  'Event-Name': 'update',
  'Event-Package': 'dialog',
  'Call-ID': 'c1@pbx',
  From: 'sip:101@pbx.example',
  'From-User': '101',
  'From-Realm': 'pbx.example',
  To: 'sip:102@pbx.example',
  'To-User': '102',
  State: 'early',
  Expires: 3600,
};
const MAIL = {
  'Event-Name': 'update',
  'Event-Package': 'message-summary',
  'Call-ID': 'mwi-3107@store.example',
  From: 'sip:3107@store.example',
  'From-User': '3107',
  'From-Realm': 'store.example',
  'Messages-Waiting': 'yes',
  'Message-Account': 'sip:3107@vm.store.example',
  'Messages-New': '4',
  'Messages-Saved': '11',
  'Messages-Urgent': '1',
  'Messages-Urgent-Saved': '0',
  Expires: 86400,
};
const PRESENCE = {
  'Event-Name': 'update',
  'Event-Package': 'presence',
  'Call-ID': 'p"1<&@pbx',
  From: 'sip:101@pbx.example',
  'From-User': '101',
  'From-Realm': 'pbx.example',
  'To-User': '102',
  State: 'early',
  Expires: 600,
};
const FEATURE = {
  'Event-Name': 'update',
  'Event-Package': 'as-feature-event',
  'Call-ID': 'dnd-101',
  'From-User': '101',
  'From-Realm': 'pbx.example',
  'DND-Status': 'true',
  Expires: 3600,
};

const without = <T extends object>(message: T, ...keys: string[]) =>
  Object.fromEntries(Object.entries(message).filter(([key]) => !keys.includes(key)));

describe('dialog', () => {
  test('one side of a call, with everything that can be said', async () => {
    const b = await listening();
    const { status, json } = await b.send({
      ...DIALOG,
      Presentity: 'line1@pbx.example',
      'Presentity-User': 'line1',
      'Presentity-Realm': 'pbx.example',
      'From-URI': 'sip:101@10.0.0.1:5060',
      'From-Tag': 'ft',
      'To-URI': 'sip:102@10.0.0.2:5060',
      'To-Tag': 'tt',
      Direction: 'initiator',
      State: 'Confirmed',
    });
    expect([status, json]).toEqual([200, { results: [{ package: 'dialog', outcome: 'accepted' }] }]);
    expect(b.events).toEqual([
      {
        kind: 'confirmed',
        dialog: {
          key: 'c1@pbx initiator sip:line1@pbx.example',
          callId: 'c1@pbx',
          caller: { uri: 'sip:101@pbx.example', display: '101', tag: 'ft', contact: 'sip:101@10.0.0.1:5060' },
          callee: { uri: 'sip:102@pbx.example', display: '102', tag: 'tt', contact: 'sip:102@10.0.0.2:5060' },
          state: 'confirmed',
          lifetime: 3600,
          publish: { caller: true, callee: false },
          publishUris: { caller: ['sip:line1@pbx.example'] },
        },
      },
    ]);
  });

  test('with the least that must be said, to /events/dialogs', async () => {
    const b = await listening();
    const least = without({ ...DIALOG, From: '101@pbx.example', To: '102@pbx.example' }, 'To-User');
    expect((await b.post('/events/dialogs', least)).json).toEqual({ accepted: 1, duplicates: 0, stale: 0 });
    expect(b.events).toEqual([
      {
        kind: 'early',
        dialog: {
          key: 'c1@pbx initiator sip:101@pbx.example',
          callId: 'c1@pbx',
          caller: { uri: 'sip:101@pbx.example', display: '101' },
          callee: { uri: 'sip:102@pbx.example' },
          state: 'early',
          lifetime: 3600,
          publish: { caller: true, callee: false },
          publishUris: { caller: ['sip:101@pbx.example'] },
        },
      },
    ]);
  });

  test('a recipient: From is the own side all the same, which is the callee', async () => {
    const b = await listening();
    await b.send({ ...DIALOG, Direction: 'Recipient', 'From-Tag': 'ft', 'To-Tag': 'tt' });
    expect(b.events[0]!.dialog).toMatchObject({
      key: 'c1@pbx recipient sip:101@pbx.example',
      caller: { uri: 'sip:102@pbx.example', tag: 'tt' },
      callee: { uri: 'sip:101@pbx.example', tag: 'ft' },
      publish: { caller: false, callee: true },
      publishUris: { callee: ['sip:101@pbx.example'] },
    });
  });

  test('both legs of a user who calls himself are two calls', async () => {
    const b = await listening();
    await b.send([DIALOG, { ...DIALOG, Direction: 'recipient' }]);
    expect(new Set(b.events.map(({ dialog }) => dialog.key)).size).toBe(2);
  });

  test('one Presentity field alone is not enough: From-User and From-Realm are taken', async () => {
    const b = await listening();
    await b.send({ ...DIALOG, 'Presentity-User': 'line1', 'Presentity-Realm': 'pbx.example' });
    expect(b.events[0]!.dialog.publishUris).toEqual({ caller: ['sip:101@pbx.example'] });
  });

  test.each([
    ['trying', 'created', 'trying'],
    ['Proceeding', 'early', 'proceeding'],
    ['EARLY', 'early', 'early'],
    ['confirmed', 'confirmed', 'confirmed'],
    ['terminated', 'terminated', 'terminated'],
  ])('state %s: %s', async (State, kind, state) => {
    const b = await listening();
    await b.send({ ...DIALOG, State });
    expect(b.events).toMatchObject([{ kind, dialog: { state } }]);
  });

  test.each([0, '0', undefined])('Expires %j: terminated', async (Expires) => {
    const b = await listening();
    await b.send([DIALOG, { ...DIALOG, Expires }]);
    expect(b.events).toMatchObject([{ kind: 'early' }, { kind: 'terminated', dialog: { state: 'terminated' } }]);
    expect(b.events[1]!.dialog.lifetime).toBeUndefined();
  });

  test('the same message again is a sign of life, an older state stale; both are fine', async () => {
    const b = await listening();
    const confirmed = { ...DIALOG, State: 'confirmed' };
    const { status, json } = await b.send([DIALOG, confirmed, confirmed, DIALOG]);
    expect([status, json.results.map(({ outcome }: { outcome: string }) => outcome)]).toEqual([
      200,
      ['accepted', 'accepted', 'duplicate', 'stale'],
    ]);
    expect(b.events.map(({ kind }) => kind)).toEqual(['early', 'confirmed', 'updated']);
  });

  test('nobody listens: 503, nothing of the list is published', async () => {
    const b = await start([dialogWebhook()]);
    const { status, json } = await b.post(PATH, [MAIL, DIALOG]);
    expect([status, json.error]).toEqual([503, expect.stringContaining('nobody takes calls')]);
    expect(publishes(b)).toEqual([]);
    expect((await b.whileTimeRuns(b.post(PATH, MAIL))).status).toBe(200);
  });
});

describe('message-summary', () => {
  const summary = async (message: object) => {
    const b = await listening();
    const { status, json } = await b.send(message);
    expect([status, json.results[0].outcome]).toEqual([200, 'accepted']);
    return bodyOf(b);
  };

  test('a PUBLISH to the presence server, told with its outcome', async () => {
    const b = await listening();
    const { status, json } = await b.send(MAIL);
    expect(status).toBe(200);
    expect(json.results).toEqual([
      {
        package: 'message-summary',
        id: 'mwi-3107@store.example',
        key: expect.any(String),
        outcome: 'accepted',
        status: 200,
        reason: 'OK',
        etag: expect.any(String),
        expires: expect.any(Number),
      },
    ]);
    expect(b.server.publications).toMatchObject([{ presentity: '3107@store.example', event: 'message-summary' }]);
    expect(bodyOf(b)).toBe(
      'Messages-Waiting: yes\r\nMessage-Account: sip:3107@vm.store.example\r\nVoice-Message: 4/11 (1/0)\r\n',
    );
    expect(b.pua.show(json.results[0].key)).toMatchObject({ id: 'mwi-3107@store.example', sourceFlag: 64 });
  });

  test.each([
    [{ 'MWI-Voice-Message': '2/8 (0/2)' }, 'Voice-Message: 2/8 (0/2)\r\n'],
    [{ 'MWI-Voice-Message': '2/8' }, 'Voice-Message: 2/8\r\n'],
    [{ 'MWI-Voice-Message': '2/8', 'Messages-New': 1 }, 'Voice-Message: 1/0\r\n'],
    [{ 'Messages-New': 3, 'Messages-Urgent-Saved': 2 }, 'Voice-Message: 3/0 (0/2)\r\n'],
    [{ 'Messages-Saved': 3 }, ''],
    [{}, ''],
  ])('%j', async (given, line) => {
    const bare = without(
      MAIL,
      'Message-Account',
      'Messages-New',
      'Messages-Saved',
      'Messages-Urgent',
      'Messages-Urgent-Saved',
    );
    expect(await summary({ ...bare, 'Messages-Waiting': 'No', ...given })).toBe(`Messages-Waiting: no\r\n${line}`);
  });

  test('the same Call-ID again modifies, Expires 0 removes, and again there is nothing to do', async () => {
    const b = await listening();
    await b.send(MAIL);
    await b.send({ ...MAIL, 'Messages-New': 5 });
    expect(publishes(b)).toHaveLength(2);
    expect(b.server.publications).toHaveLength(1);
    expect(bodyOf(b)).toContain('5/11');
    expect((await b.send({ ...MAIL, Expires: 0 })).json.results[0]).toMatchObject({ outcome: 'accepted', expires: 0 });
    expect(b.server.publications).toEqual([]);
    const { status, json } = await b.send({ ...MAIL, Expires: 0 });
    expect([status, json.results[0].outcome]).toEqual([200, 'nothing-to-do']);
  });

  test('another Call-ID is another publication', async () => {
    const b = await listening();
    await b.send([MAIL, { ...MAIL, 'Call-ID': 'other' }]);
    expect(b.server.publications).toHaveLength(2);
  });
});

describe('presence', () => {
  test.each([
    ['early', 'open', 'Busy', ['busy']],
    ['Confirmed', 'open', 'On the Phone', ['on-the-phone']],
    ['offline', 'closed', 'Offline', undefined],
    ['terminated', 'open', 'Available', undefined],
    ['constructor', 'open', 'Available', undefined],
  ])('%s', async (State, basic, note, activities) => {
    const b = await listening();
    const { json } = await b.send({ ...PRESENCE, State });
    expect(json.results).toMatchObject([{ package: 'presence', id: 'p"1<&@pbx', outcome: 'accepted' }]);
    const document = readPidf(bodyOf(b));
    expect(document).toMatchObject({
      entity: 'sip:101@pbx.example',
      tuples: [{ basic }],
      notes: [{ text: note }],
      persons: [{ notes: [{ text: note }] }],
    });
    expect(document.persons![0]!.activities?.[0]?.values).toEqual(activities);
  });

  test('a user with letters that a URI has not', async () => {
    const b = await listening();
    await b.send({ ...PRESENCE, 'From-User': '#1 j\u00fcrgen@home' });
    expect(b.server.publications[0]!.presentity).toBe('%231%20j%C3%BCrgen%40home@pbx.example');
  });
});

describe('as-feature-event', () => {
  test.each([
    ['true', 'true'],
    ['No', 'false'],
    [false, 'false'],
  ])('DND-Status %j', async (status, written) => {
    const b = await listening();
    await b.send({ ...FEATURE, 'DND-Status': status, 'From-User': 'a&b' });
    expect(b.server.publications).toMatchObject([{ event: 'as-feature-event' }]);
    expect(bodyOf(b)).toBe(
      '<?xml version="1.0" encoding="UTF-8"?>\n' +
        '<DoNotDisturbEvent xmlns="http://www.ecma-international.org/standards/ecma-323/csta/ed3">' +
        `<device>a&amp;b</device><doNotDisturbOn>${written}</doNotDisturbOn></DoNotDisturbEvent>`,
    );
  });
});

describe('what the server says is told', () => {
  test('a refusal: 502, the others of the list all the same', async () => {
    const b = await listening();
    b.server.answerNext({ method: 'PUBLISH', status: 403, reason: 'Forbidden' });
    const { status, json } = await b.send([MAIL, DIALOG, PRESENCE]);
    expect(status).toBe(502);
    expect(json.results).toMatchObject([
      { package: 'message-summary', outcome: 'rejected', status: 403 },
      { package: 'dialog', outcome: 'accepted' },
      { package: 'presence', outcome: 'accepted', status: 200 },
    ]);
  });

  test('silence: 502 unreachable', async () => {
    const b = await listening();
    b.server.ignoreNext({ method: 'PUBLISH', times: Number.POSITIVE_INFINITY });
    const { status, json } = await b.send(MAIL);
    expect([status, json.results[0].outcome]).toEqual([502, 'unreachable']);
  });

  test('of several messages for one publication the newest is sent; an overtaken one is no failure', async () => {
    const b = await listening();
    const { status, json } = await b.send([1, 2, 3].map((fresh) => ({ ...MAIL, 'Messages-New': fresh })));
    expect(status).toBe(200);
    expect(json.results.map(({ outcome }: { outcome: string }) => outcome)).toEqual([
      'accepted',
      'superseded',
      'accepted',
    ]);
    expect(bodyOf(b)).toContain('3/11');
  });

  test('a request that fails is carried out again with the same Idempotency-Key, one that went well is not', async () => {
    const b = await listening();
    const key = { 'Idempotency-Key': 'k' };
    b.server.answerNext({ method: 'PUBLISH', status: 403, reason: 'Forbidden' });
    expect((await b.send(MAIL, key)).status).toBe(502);
    expect((await b.send(MAIL, key)).status).toBe(200);
    const again = await b.send(MAIL, key);
    expect([again.status, again.headers['idempotency-replayed']]).toEqual([200, 'true']);
    expect(publishes(b)).toHaveLength(2);
  });
});

test.each<[string, object, RegExp]>([
  ['another event', { ...DIALOG, 'Event-Name': 'delete' }, /Event-Name: must be update/],
  ['no event', without(DIALOG, 'Event-Name'), /Event-Name: must be update/],
  [
    'another package',
    { ...DIALOG, 'Event-Package': 'weather' },
    /Event-Package: must be one of dialog, presence, message-/,
  ],
  ['no package', without(DIALOG, 'Event-Package'), /Event-Package: is missing; must be one of/],
  ['a method of Object', { ...DIALOG, 'Event-Package': 'constructor' }, /Event-Package: must be one of/],
  ['an unknown state', { ...DIALOG, State: 'ringing' }, /State: must be one of trying, proceeding, early, confirmed/],
  ['an unknown direction', { ...DIALOG, Direction: 'inbound' }, /Direction: must be one of initiator, recipient/],
  ['negative Expires', { ...DIALOG, Expires: -1 }, /Expires: must be a whole number from 0 to 2147483647/],
  ['Expires that is none', { ...DIALOG, Expires: '1h' }, /Expires: must be/],
  ['Expires with fraction', { ...DIALOG, Expires: 1.5 }, /Expires: must be a whole number/],
  [
    'a misspelt field',
    { ...without(DIALOG, 'Expires'), Expries: 60 },
    /unknown field "Expries", did you mean "Expires"/,
  ],
  ['a field in small letters', { ...DIALOG, 'call-id': 'x' }, /unknown field "call-id", did you mean "Call-ID"/],
  [
    'an address in brackets',
    { ...DIALOG, From: '<sip:101@pbx>' },
    /From: must be a URI or user@host, without brackets/,
  ],
  ['a realm that is none', { ...DIALOG, 'From-Realm': 'a b' }, /From-Realm: must be a domain such as example\.com/],
  ['a line break', { ...DIALOG, 'Call-ID': 'a\r\nb' }, /Call-ID: must not hold control/],
  ['counts that are none', { ...MAIL, 'Messages-New': 'four' }, /Messages-New: must be a whole number/],
  ['a text of counts that is none', { ...MAIL, 'MWI-Voice-Message': '4 of 11' }, /MWI-Voice-Message: must be new\/old/],
  ['neither yes nor no', { ...MAIL, 'Messages-Waiting': 'maybe' }, /Messages-Waiting: must be yes or no/],
  ['presence of nobody', without(PRESENCE, 'From-User', 'State'), /From-User: is missing; \[1\]\.State: is missing/],
  ['no DND-Status', without(FEATURE, 'DND-Status'), /DND-Status: is missing/],
  ['no mailbox state', without(MAIL, 'Messages-Waiting'), /Messages-Waiting: is missing/],
  ...['Call-ID', 'From', 'To', 'State', 'From-User', 'From-Realm'].map((field): [string, object, RegExp] => [
    `no ${field}`,
    without(DIALOG, field),
    new RegExp(`${field}: is missing`),
  ]),
])('refused: %s; nothing of the list is done', async (_, message, expected) => {
  const b = await listening();
  const { status, json } = await b.post(PATH, [MAIL, message]);
  expect(status).toBe(400);
  expect(json.error).toMatch(expected);
  for (const problem of json.problems) expect(problem).toMatch(/^\[1\]/);
  expect(b.events).toEqual([]);
  expect(publishes(b)).toEqual([]);
});

test("a sender's own fields mean nothing here", async () => {
  const b = await listening();
  const own = {
    'App-Name': 'kz',
    'Msg-ID': '1',
    Node: 'n@h',
    'Server-ID': '',
    'Event-Category': 'presence',
    'To-Realm': 'x',
  };
  expect((await b.send({ ...DIALOG, ...own })).status).toBe(200);
});

test('other packages do not go to /events/dialogs', async () => {
  const b = await listening();
  const { status, json } = await b.post('/events/dialogs', MAIL);
  expect([status, json.error]).toEqual([
    400,
    'nothing was taken: Event-Package: must be dialog here; the route for pua_json takes the other packages',
  ]);
});

test('a stop while the server is silent: told as pending', async () => {
  const b = await listening();
  b.server.ignoreNext({ method: 'PUBLISH', times: Number.POSITIVE_INFINITY });
  const waiting = b.post(PATH, MAIL);
  await until(() => b.pua.stats().records.publications === 1, 'the publication');
  await b.whileTimeRuns(b.pua.stop(0));
  const { status, json } = await waiting;
  expect([status, json.results[0].outcome]).toEqual([502, 'pending']);
});
