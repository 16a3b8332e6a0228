import type { HeaderView, IncomingRequest, ReceivedBody, SipPort } from '@pua/core';
import { PresenceServer, SimClock, SimRandom } from '@pua/testkit';

jest.setTimeout(60_000);

const PUBLICATIONS = 200_000;
const SOURCE = { transport: 'udp', host: '10.0.0.1', port: 5060 } as const;
const BODY: ReceivedBody = {
  type: 'application/pidf+xml',
  bytes: Buffer.from('<presence/>'),
  text: () => '<presence/>',
};

/** A port without a wire: requests are handed to the server directly. */
function directPort(clock: SimClock) {
  let handler: ((request: IncomingRequest) => void) | undefined;
  const port: SipPort = {
    clock,
    random: new SimRandom('scale'),
    maxMessageBytes: 65_000,
    start: async (onRequest) => {
      handler = onRequest;
    },
    stop: async () => undefined,
    resolve: () => [SOURCE],
    isOwnContact: () => false,
    contact: (user) => `sip:${user}@10.0.0.9`,
    request: () => undefined,
    onUnbound: () => undefined,
  };
  /** Returns status and entity-tag. */
  const publish = (uri: string, fields: Record<string, string>, body?: ReceivedBody) => {
    const headers: HeaderView = {
      get: (name) => fields[name],
      all: (name) => (fields[name] === undefined ? [] : [fields[name]]),
    };
    const answer = { status: 0, etag: '' };
    handler!({
      method: 'PUBLISH',
      uri,
      headers,
      ...(body ? { body } : {}),
      source: SOURCE,
      reply: (status, more = []) => {
        answer.status = status;
        answer.etag = more.find(([name]) => name === 'SIP-ETag')?.[1] ?? '';
      },
      pass: () => undefined,
    });
    return answer;
  };
  return { port, publish };
}

test('200 000 publications: created, refreshed, run out, on one timer and with a bounded log', async () => {
  const clock = new SimClock();
  const { port, publish } = directPort(clock);
  const server = new PresenceServer({ sip: port, logLimit: 100 });
  await server.start();
  const uri = (i: number) => `sip:user${i}@example.com`;
  const etags: string[] = [];
  let refused = 0;
  for (let i = 0; i < PUBLICATIONS; i++) {
    const answer = publish(uri(i), { Event: 'presence', Expires: '600' }, BODY);
    if (answer.status !== 200) refused++;
    etags.push(answer.etag);
  }
  clock.advance(500_000);
  // The second half is refreshed, the first one is left to run out.
  for (let i = PUBLICATIONS / 2; i < PUBLICATIONS; i++) {
    if (publish(uri(i), { Event: 'presence', Expires: '600', 'SIP-If-Match': etags[i]! }).status !== 200) refused++;
  }
  expect(refused).toBe(0);
  expect(server.stats().publications).toBe(PUBLICATIONS);
  expect([clock.pending, server.requests.length, server.requests[0]!.number]).toEqual([1, 100, 299_901]);
  clock.advance(100_000);
  expect(server.stats().publications).toBe(PUBLICATIONS / 2);
  clock.advance(500_000);
  expect([server.stats().publications, clock.pending]).toEqual([0, 0]);
});

test('many publications of one presentity cost no more than those of many', async () => {
  const clock = new SimClock();
  const { port, publish } = directPort(clock);
  const server = new PresenceServer({ sip: port, logLimit: 0 });
  await server.start();
  const etags: string[] = [];
  for (let i = 0; i < 50_000; i++) etags.push(publish('sip:a@b', { Event: 'presence', Expires: '600' }, BODY).etag);
  for (const etag of etags) publish('sip:a@b', { Event: 'presence', Expires: '0', 'SIP-If-Match': etag });
  expect([server.stats().publications, clock.pending, server.requests.length]).toEqual([0, 0, 0]);
  expect(server.count('PUBLISH', 200)).toBe(100_000);
});
