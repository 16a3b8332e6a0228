/** What drachtio-server says for itself, and what it can't carry. */
import { fasterClock, Setting } from './support';

let s: Setting;
beforeAll(async () => {
  s = await Setting.open({ userAgent: 'suite/1' }, { t1: 2 });
});
afterAll(() => s.close());

test("the server's own 408 is a timeout, a peer's is a response", async () => {
  s.presence.server.ignoreNext({ method: 'PUBLISH' });
  expect(await s.send(s.draft({ cseq: 3 }))).toEqual({ kind: 'timeout', cseq: 3 });
  s.presence.server.answerNext({ method: 'PUBLISH', status: 408 });
  expect(await s.send()).toMatchObject({ kind: 'response', status: 408 });
});

test("the server's own 503 is unreachable, a peer's is a response", async () => {
  s.server.closePort('127.0.0.1', 5999);
  const hop = { transport: 'udp', host: '127.0.0.1', port: 5999 } as const;
  expect(await s.send(s.draft({ hop }))).toMatchObject({
    kind: 'unreachable',
    sent: true,
    cause: new Error('drachtio-server could not reach the next hop'),
  });
  s.presence.server.answerNext({ method: 'PUBLISH', status: 503, headers: [['Retry-After', '7']] });
  expect(await s.send()).toMatchObject({ kind: 'response', status: 503 });
});

test('what the server refuses to send was not sent', async () => {
  const hop = { transport: 'udp', host: 'no.such.name.invalid', port: 0 } as const;
  expect(await s.send(s.draft({ hop }))).toMatchObject({
    kind: 'unreachable',
    sent: false,
    cause: new Error("drachtio-server did not send it: the double can't look up sip:no.such.name.invalid"),
  });
});

test('a route set that does not fit into the Request-URI is not sent', async () => {
  const routes = Array.from({ length: 20 }, (_, i) => `<sip:proxy-number-${i}.example.com:5060;lr>`);
  expect(await s.send(s.draft({ routes }))).toMatchObject({
    kind: 'unreachable',
    sent: false,
    cause: expect.objectContaining({ message: expect.stringContaining('over 1000 bytes') }),
  });
});

test('User-Agent is ours, unless the request has one', async () => {
  await s.send();
  expect(s.presence.server.requests.at(-1)!.headers.all('User-Agent')).toEqual(['suite/1']);
  await s.send(s.draft({ headers: [...s.draft().headers, ['user-agent', 'other/2']] }));
  expect(s.presence.server.requests.at(-1)!.headers.all('User-Agent')).toEqual(['other/2']);
});

test.each([
  ['a body that is not UTF-8', { body: { type: 'a/b', content: Buffer.from([0xff, 0xfe]) } }, 'is not UTF-8 text'],
  ['a body with NUL', { body: { type: 'a/b', content: 'a\0b' } }, 'contains NUL'],
  ['a header name that the server drops', { headers: [['X.Own', 'a']] as const }, 'which drachtio-server drops'],
  ['a field that the server drops', { headers: [['Record-Route', '<sip:a>']] as const }, 'leave it out'],
  ['a Call-ID that breaks the frame', { callId: 'a|b' }, 'a control character or |'],
])('%s is refused', (_, given, message) => {
  expect(() => s.sip.request(s.draft(given), () => undefined)).toThrow(
    expect.objectContaining({ code: 'PUA_ERR_INVALID_MESSAGE', message: expect.stringContaining(message) }),
  );
});

test('a receiver that throws does not end the reading of the link', async () => {
  const warn = jest.spyOn(process, 'emitWarning').mockImplementation();
  s.sip.request(s.draft(), () => {
    throw new Error('thrown by the test');
  });
  expect(await s.send()).toMatchObject({ status: 200 });
  expect(warn).toHaveBeenCalledWith(expect.stringContaining('thrown by the test'), 'SipHandlerError');
  warn.mockRestore();
});

test('a server that never says anything is a timeout after 33 s', async () => {
  const clock = fasterClock(200);
  const slow = await Setting.open({ clock }, { t1: 100_000 });
  slow.presence.server.away();
  const before = clock.now();
  expect(await slow.send()).toEqual({ kind: 'timeout', cseq: 1 });
  expect(clock.now() - before).toBeGreaterThan(32_900);
  await slow.close();
});

test('what could not even be handed over in its time was not sent', async () => {
  // A long frame that the server has not confirmed yet keeps the next one waiting.
  const long = s.send(s.draft({ body: { type: 'a/b', content: 'x'.repeat(9_000) } }));
  expect(await s.send(s.draft({ timeoutMs: 0 }))).toMatchObject({
    kind: 'unreachable',
    sent: false,
    cause: new Error('the link to drachtio-server is too busy'),
  });
  expect((await long).kind).toBe('response');
});
