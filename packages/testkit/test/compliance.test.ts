/** The contract suite of SipPort finds ports that break the contract. */
import type { IncomingRequest, SipPort } from '@pua/core';
import { embeddedSip } from '@pua/sip';
import { sipPortCompliance } from '@pua/testkit';

jest.setTimeout(15_000);

type Change = (port: SipPort) => Partial<SipPort>;

/** A real port with something changed. */
function changed(change: Change): SipPort {
  const port = embeddedSip({ listen: ['udp:127.0.0.1:0'] });
  const methods = change(port);
  return new Proxy(port, {
    get: (target, name) => {
      const found = Reflect.get(methods, name) ?? Reflect.get(target, name);
      return typeof found === 'function' ? found.bind(target) : found;
    },
  });
}

/** The same, with what it hands to the handler changed. */
const receiving =
  (change: (request: IncomingRequest, handler: (request: IncomingRequest) => void) => void): Change =>
  (port) => ({ start: (handler) => port.start((request) => change(request, handler)) });

const ports: readonly (readonly [what: string, caught: string, change: Change])[] = [
  [
    'calls done within request()',
    'bytes, or be absent',
    (port) => ({
      request: (r, done) => {
        done({ kind: 'timeout', cseq: r.cseq });
        port.request(r, () => undefined);
      },
    }),
  ],
  [
    'calls done twice',
    'provisional answers',
    (port) => ({
      request: (r, done) =>
        port.request(r, (outcome) => {
          done(outcome);
          done(outcome);
        }),
    }),
  ],
  [
    'changes a Call-ID',
    'byte for byte',
    (port) => ({ request: (r, done) => port.request({ ...r, callId: `x${r.callId}` }, done) }),
  ],
  [
    'loses the route set',
    'the hop says where',
    (port) => ({ request: (r, done) => port.request({ ...r, routes: [] }, done) }),
  ],
  [
    'cleans header values instead of refusing them',
    'break out of its place',
    (port) => ({
      request: ({ headers, ...r }, done) =>
        port.request({ ...r, headers: headers.map(([name, value]) => [name, value.replace(/[\0\r\n]/g, '')]) }, done),
    }),
  ],
  [
    'forgets timeoutMs',
    'silent peer',
    (port) => ({ request: ({ timeoutMs: _, ...r }, done) => port.request(r, done) }),
  ],
  ['gives another Contact', 'leads to the port', () => ({ contact: (user) => `sip:${user}@127.0.0.1:9` })],
  ['takes every Contact for its own', 'contacts of today', () => ({ isOwnContact: () => true })],
  ['stops at once', 'waits for what runs', (port) => ({ stop: () => port.stop(0) })],
  [
    'drops what is passed',
    'handler passes',
    receiving((request, handler) => handler({ ...view(request), pass: () => undefined })),
  ],
  [
    'tells of a NOTIFY late',
    'overtakes the 2xx',
    receiving((request, handler) => void setTimeout(() => handler(request), 50)),
  ],
  [
    'swallows what a handler throws',
    'handler that throws',
    receiving((request, handler) => {
      try {
        handler(request);
      } catch {
        request.reply(200);
      }
    }),
  ],
];

/** The request as a plain object, whose members can be replaced. */
const view = (request: IncomingRequest): IncomingRequest => ({
  method: request.method,
  uri: request.uri,
  headers: request.headers,
  source: request.source,
  reply: (...answer) => request.reply(...answer),
  pass: () => request.pass(),
});

test.each(ports)('a port that %s is caught by "... %s ..."', async (_, caught, change) => {
  const cases = sipPortCompliance(async () => ({ port: changed(change) })).filter(({ name }) => name.includes(caught));
  expect(cases).toHaveLength(1);
  await expect(cases[0]!.run()).rejects.toThrow();
});
