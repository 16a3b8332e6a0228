import { type Bench, bench, call, kamailio, PIDF } from './support';

let b: Bench;
beforeEach(async () => {
  b = await bench();
});
afterEach(() => b.stop());

const sent = () => b.presence.server.requests.filter(({ method }) => method === 'PUBLISH');

test('positional: publish, refresh, change and remove are one publication', async () => {
  const first = await call(b.url, 'pua.publish', kamailio({ body: PIDF, contentType: 'x' }));
  expect(first.status).toBe(200);
  expect(first.json).toEqual({ jsonrpc: '2.0', id: 1, result: { 'SIP-ETag': expect.any(String), Expires: 3600 } });
  const refreshed = await call(b.url, 'pua.publish', kamailio());
  // The other variant goes on with the same publication.
  const changed = await call(
    b.url,
    'pua.send_publish',
    kamailio({ body: PIDF, expires: '-1', contentType: 'application/pidf+xml' }),
  );
  expect(changed.json.result).toEqual({});
  const removed = await call(b.url, 'pua_publish', kamailio({ expires: '0' }));
  expect(removed.json.result).toEqual({ 'SIP-ETag': expect.any(String), Expires: 0 });
  const nothing = await call(b.url, 'pua.publish', kamailio({ expires: '0' }));
  expect(nothing.json.result).toEqual({});

  const requests = sent().map(({ headers, body }) => [headers.get('SIP-If-Match'), headers.get('Expires'), body?.type]);
  expect(requests).toEqual([
    [undefined, '3600', 'application/pidf+xml'],
    [first.json.result['SIP-ETag'], '3600', undefined],
    [refreshed.json.result['SIP-ETag'], '3600', 'application/pidf+xml'],
    [expect.any(String), '0', undefined],
  ]);
  expect(b.presence.server.publications).toEqual([]);
  expect(b.pua.stats().records.publications).toBe(0);
});

test('named: the SIP answer, the key and the id come back', async () => {
  const { json, status } = await call(b.url, 'pua.publish', {
    uri: 'sip:alice@example.com',
    event: 'Presence',
    expires: 600,
    id: 'desk',
    body: Buffer.from(PIDF).toString('base64'),
    bodyEncoding: 'base64',
    headers: [['X-Tenant', 'one']],
  });
  expect(status).toBe(200);
  expect(json.result).toEqual({
    key: expect.any(String),
    id: 'desk',
    sent: true,
    status: 200,
    reason: 'OK',
    etag: b.presence.server.publications[0]!.etag,
    expires: 600,
  });
  expect(sent()[0]!.headers.get('X-Tenant')).toBe('one');
  expect(sent()[0]!.body!.text()).toBe(PIDF);
  const shown = await call(b.url, 'pua.show', { key: json.result.key });
  expect(shown.json.result).toMatchObject({
    state: 'published',
    id: 'desk',
    source: 'RPC_PUBLISH',
    body: expect.any(String),
  });

  const ended = await call(b.url, 'pua.unpublish', ['sip:alice@example.com', 'presence', 'desk']);
  expect(ended.status).toBe(200);
  expect(b.presence.server.publications).toEqual([]);
  expect(
    (await call(b.url, 'pua.unpublish', { uri: 'sip:alice@example.com', event: 'presence', id: 'desk' })).json.result,
  ).toEqual({
    key: json.result.key,
    id: 'desk',
    sent: false,
  });
});

test("OpenSIPS' names bring OpenSIPS' result along", async () => {
  const { json } = await call(b.url, 'pua_mi:publish', {
    presentity_uri: 'sip:alice@example.com',
    expires: 300,
    event_package: 'presence',
    content_type: 'application/pidf+xml',
    body: PIDF,
    extra_headers: 'X-A: 1\r\nX-B: 2',
  });
  expect(json.result).toMatchObject({ sent: true, reply: '200 OK', ETag: json.result.etag, Expires: 300 });
  expect(sent()[0]!.headers.get('X-B')).toBe('2');
});

test('a publication of its own for every id, and the hop that was named', async () => {
  await call(b.url, 'pua.publish', kamailio({ body: PIDF, contentType: '.', id: 'one', proxy: b.presence.uri }));
  await call(b.url, 'pua.publish', kamailio({ body: PIDF, contentType: '.', id: 'two', proxy: `${b.presence.uri};x` }));
  expect(b.presence.server.publications).toHaveLength(2);
  const { json } = await call(b.url, 'pua.list', { kind: 'publication', uri: 'sip:alice@example.com', limit: 1 });
  expect(json.result).toMatchObject({ more: true, records: [{ id: 'one', bodyBytes: expect.any(Number) }] });
  expect(json.result.records[0]).not.toHaveProperty('body');
});

test('the entity-tag given must be the one held', async () => {
  const first = await call(b.url, 'pua.publish', kamailio({ body: PIDF }));
  const etag = first.json.result['SIP-ETag'];
  expect((await call(b.url, 'pua.publish', kamailio({ etag }))).status).toBe(200);
  const wrong = await call(b.url, 'pua.publish', kamailio({ etag }));
  expect([wrong.status, wrong.json.error.code]).toEqual([412, 412]);
  expect(wrong.json.error.data).toMatchObject({
    fault: 'wrong-etag',
    etag: b.presence.server.publications[0]!.etag,
    kamailio: 500,
  });
  expect(sent()).toHaveLength(2);
});

test('a 2xx without SIP-ETag or Expires is an answer, and said to be odd', async () => {
  b.presence.server.shapeNext({ method: 'PUBLISH', omit: ['SIP-ETag', 'Expires'], status: 202 });
  const { json } = await call(b.url, 'pua.publish', {
    uri: 'sip:alice@example.com',
    event: 'presence',
    expires: 60,
    body: PIDF,
  });
  expect(json.result).toMatchObject({
    sent: true,
    status: 202,
    expires: 60,
    warning: expect.stringContaining('SIP-ETag'),
  });
  expect(json.result).not.toHaveProperty('etag');
});

test('a newer document supersedes one that waits for its turn', async () => {
  const silent = await bench({}, {}, 5);
  try {
    silent.presence.server.ignoreNext({ method: 'PUBLISH' });
    const params = { uri: 'sip:alice@example.com', event: 'presence', body: PIDF };
    const answers = await Promise.all([1, 2, 3].map((id) => call(silent.url, 'pua.publish', params, id)));
    const superseded = answers.filter(({ status }) => status === 409);
    expect(superseded.length).toBeGreaterThanOrEqual(1);
    expect(superseded[0]!.json.error.data.fault).toBe('superseded');
  } finally {
    await silent.stop();
  }
});

test('subscribe, show, unsubscribe', async () => {
  const subscribed = await call(b.url, 'pua.subscribe', [
    'sip:bob@example.com',
    'sip:alice@example.com',
    'presence',
    600,
  ]);
  expect(subscribed.json.result).toEqual({ Expires: 600 });
  const named = { uri: 'sip:bob@example.com', watcher: 'sip:alice@example.com', event: 'presence' };
  const again = await call(b.url, 'pua_subscribe', { ...named, expires: 900 });
  const [subscription] = b.presence.server.subscriptions;
  expect(again.json.result).toEqual({
    key: expect.any(String),
    id: '',
    sent: true,
    status: 200,
    reason: 'OK',
    expires: 900,
    callId: subscription!.callId,
  });
  expect(b.presence.server.subscriptions).toHaveLength(1);
  const ended = await call(b.url, 'pua.unsubscribe', named);
  expect(ended.json.result).toMatchObject({ sent: true, expires: 0 });
  expect(b.presence.server.subscriptions).toEqual([]);
  expect((await call(b.url, 'pua.unsubscribe', { ...named, id: 'other' })).json.result.sent).toBe(false);
});

test('stats and cleanup', async () => {
  await call(b.url, 'pua.publish', kamailio({ body: PIDF }));
  const { json } = await call(b.url, 'pua.stats', undefined);
  expect(json.result).toMatchObject({ records: { publications: 1, subscriptions: 0 }, requests: { 'PUBLISH 200': 1 } });
  expect((await call(b.url, 'pua.cleanup', [])).json.result).toEqual({ overdue: 0 });
});
