/** The table of faults: every one over real HTTP, against a real exchange of SIP messages. */
import { type Bench, bench, call, kamailio, PIDF } from './support';

let b: Bench;
beforeAll(async () => {
  b = await bench();
});
afterAll(() => b.stop());
afterEach(() => b.presence.server.clearScript());

const named = (given: object) => ({ uri: 'sip:carol@example.com', event: 'presence', body: PIDF, ...given });

test.each([
  ['too few arguments', 'pua.publish', kamailio().slice(0, 7), /^7 arguments given; the order is uri, expires, event/],
  ['too many arguments', 'pua.publish', [...kamailio({ body: PIDF }), 'x'], /^10 arguments given/],
  ['no arguments', 'pua.publish', [], /^uri: is missing; event: is missing$/],
  ['bad URI', 'pua.publish', kamailio({ uri: 'alice', body: PIDF }), /^uri: must be a SIP URI such as/],
  ['no URI', 'pua.publish', kamailio({ uri: '.', body: PIDF }), /^uri: is missing$/],
  ['URI with a line break', 'pua.publish', named({ uri: 'sip:a@b\r\nX: y' }), /^uri: must be a SIP URI/],
  [
    'bad expires',
    'pua.publish',
    kamailio({ expires: '1h', body: PIDF }),
    /^expires: must be a whole number of seconds/,
  ],
  ['expires too big', 'pua.publish', named({ expires: 2 ** 31 }), /^expires: must be a whole number/],
  ['expires with fraction', 'pua.publish', named({ expires: 1.5 }), /^expires: must be a whole number/],
  ['unknown event', 'pua.publish', kamailio({ event: 'weather', body: PIDF }), /^unknown event weather; registered: /],
  ['type without body', 'pua.publish', kamailio({ contentType: 'text/plain' }), /^contentType: must be a single dot/],
  ['one character without body', 'pua.publish', kamailio({ contentType: '-' }), /^contentType: must be a single dot/],
  [
    'type without body, named',
    'pua.publish',
    named({ body: undefined, contentType: 'a/b' }),
    /^contentType: given without a body$/,
  ],
  [
    'bad proxy',
    'pua.publish',
    kamailio({ proxy: 'tel:110', body: PIDF }),
    /^outboundProxy: must be a sip: or sips: URI$/,
  ],
  ['reserved header', 'pua.publish', kamailio({ headers: 'Via: x\r\n', body: PIDF }), /^extra header Via: /],
  [
    'header injection',
    'pua.publish',
    named({ headers: [['X-A', 'a\r\nExpires: 9']] }),
    /^extra header X-A: .*one line/,
  ],
  [
    'header without name',
    'pua.publish',
    kamailio({ headers: 'nonsense here\r\n', body: PIDF }),
    /^extra header "nonsense here"/,
  ],
  ['not base64', 'pua.publish', named({ bodyEncoding: 'base64' }), /^body: must be base64/],
  ['document refused', 'pua.publish', named({ body: '<a>&b;</a>' }), /^body: /],
  ['unknown parameter', 'pua.publish', named({ expire: 1 }), /^expire: unknown; known are uri, event, expires/],
  ['given twice', 'pua.publish', named({ presentity_uri: 'sip:x@y' }), /^presentity_uri: given twice, as uri/],
  ['several at once', 'pua.publish', { uri: 7, event: '' }, /^uri: must be a text; event: must not be empty$/],
  ['subscribe without watcher', 'pua.subscribe', { uri: 'sip:a@b', event: 'presence' }, /^watcher: is missing$/],
  [
    'subscribe too short',
    'pua.subscribe',
    ['sip:a@b', 'sip:c@d', 'presence'],
    /^3 arguments given; the order is uri, watcher/,
  ],
  ['subscribe to the unknown', 'pua.subscribe', ['sip:a@b', 'sip:c@d', 'nothing', '60'], /^unknown event nothing/],
  ['list of what', 'pua.list', { kind: 'thing' }, /^kind: must be publication or subscription$/],
  ['list too long', 'pua.list', { limit: 10_001 }, /^limit: /],
  ['stats with arguments', 'pua.stats', [1], /^1 arguments given; the order is none$/],
])('-32602 with HTTP 400: %s', async (_, method, params, message) => {
  const before = b.presence.server.requests.length;
  const { status, json } = await call(b.url, method, params);
  expect(json).toEqual({
    jsonrpc: '2.0',
    id: 1,
    error: {
      code: -32602,
      message: expect.stringMatching(message),
      data: expect.objectContaining({ fault: 'invalid-params' }),
    },
  });
  expect(status).toBe(400);
  expect(b.presence.server.requests).toHaveLength(before);
});

test.each([403, 404, 415, 480, 503, 603])('SIP %i: 502 with status and reason', async (sip) => {
  b.presence.server.answerNext({ method: 'PUBLISH', status: sip, reason: 'Because', times: 1 });
  const { status, json } = await call(b.url, 'pua.publish', named({ id: `refused-${sip}` }));
  expect(status).toBe(502);
  expect(json.error).toMatchObject({
    code: 502,
    message: expect.stringContaining(`${sip} Because`),
    data: { fault: 'rejected', status: sip, reason: 'Because', retrying: sip !== 415 },
  });
});

test('positional calls hear of failures too: no empty success', async () => {
  b.presence.server.answerNext({ method: 'PUBLISH', status: 403, reason: 'No', times: 1 });
  const { status, json } = await call(b.url, 'pua.publish', kamailio({ id: 'k403', body: PIDF }));
  expect([status, json.error.code, json.error.data.kamailio]).toEqual([502, 502, 502]);
});

test('423 is repaired by asking for more: the answer is the second one', async () => {
  b.presence.server.answerNext({ method: 'PUBLISH', status: 423, headers: [['Min-Expires', '120']], times: 1 });
  const { json } = await call(b.url, 'pua.publish', named({ id: '423', expires: 60 }));
  expect(json.result).toMatchObject({ status: 200, expires: 120 });
});

test('412 is repaired by a full PUBLISH, or reported when asked to', async () => {
  await call(b.url, 'pua.publish', named({ id: '412' }));
  b.presence.server.answerNext({ method: 'PUBLISH', status: 412, times: 1 });
  expect((await call(b.url, 'pua.publish', named({ id: '412' }))).json.result).toMatchObject({ status: 200 });
  b.presence.server.answerNext({ method: 'PUBLISH', status: 412, times: 1 });
  const lost = await call(b.url, 'pua.publish', named({ id: '412', onLost: 'report' }));
  expect(lost.json.error).toMatchObject({ code: 502, data: { status: 412, retrying: false } });
});

test('no server: 504 with status 408', async () => {
  // A bench of its own: the core sets a hop that is silent aside.
  const silent = await bench({}, {}, 5);
  try {
    silent.presence.server.ignoreNext({ method: 'PUBLISH', times: 1 });
    const { status, json } = await call(silent.url, 'pua.publish', named({}));
    expect(status).toBe(504);
    expect(json.error).toMatchObject({ code: 504, data: { fault: 'unreachable', status: 408, retrying: true } });
  } finally {
    await silent.stop();
  }
});

test('a name that leads nowhere: 504', async () => {
  const { status, json } = await call(b.url, 'pua.publish', named({ id: 'dns', outboundProxy: 'sip:nowhere.invalid' }));
  expect([status, json.error.data.status]).toEqual([504, 408]);
});

test('no body for a new publication: 422, waiting or not', async () => {
  for (const method of ['pua.publish', 'pua.send_publish']) {
    const { status, json } = await call(b.url, method, kamailio({ id: 'new' }));
    expect([status, json.error.code, json.error.data]).toEqual([422, 422, expect.objectContaining({ kamailio: 500 })]);
  }
});

test('wrong entity-tag: 412 at once also without waiting', async () => {
  const { status } = await call(b.url, 'pua.send_publish', kamailio({ id: 'none', etag: 'x', body: PIDF }));
  expect(status).toBe(412);
});

test('unknown record: 404', async () => {
  expect((await call(b.url, 'pua.show', ['p|1|64|sip:no@one|'])).json.error.code).toBe(404);
});

test('a subscription that is refused: 502', async () => {
  b.presence.server.answerNext({ method: 'SUBSCRIBE', status: 489, times: 1 });
  const params = { uri: 'sip:a@example.com', watcher: 'sip:b@example.com', event: 'presence' };
  const { status, json } = await call(b.url, 'pua.subscribe', params);
  expect([status, json.error.data.status]).toEqual([502, 489]);
});

test('the wait limit: an error that says that it goes on, and it does', async () => {
  const short = await bench({ waitMs: 30 });
  try {
    short.presence.server.ignoreNext({ method: 'PUBLISH', times: 1 });
    const { status, json } = await call(short.url, 'pua.publish', named({}));
    expect(status).toBe(504);
    expect(json.error).toMatchObject({
      code: 504,
      message: expect.stringContaining('the request goes on'),
      data: { fault: 'pending', pending: true },
    });
    expect(short.pua.show(json.error.data.key)).toMatchObject({ state: 'publishing' });
    expect(short.mi.waiting).toBe(0);
  } finally {
    await short.stop();
  }
});
