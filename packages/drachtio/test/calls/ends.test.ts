/** Calls that end in other ways than by BYE, CANCEL or a refusal. */
import { WirePeer } from '@pua/testkit';
import { until } from '../support';
import { Scene, SDP } from './support';

let s: Scene;
let caller: WirePeer;
beforeEach(async () => {
  // What does not come is given up after 64 ms.
  s = await Scene.open({ t1: 1 });
  caller = await WirePeer.open();
});
afterEach(async () => {
  await s.close();
  await caller.close();
});

const reasonOf = async (kind: 'failed' | 'terminated') => {
  await s.until(kind);
  expect(s.last.dialog.state).toBe('terminated');
  return s.last.dialog.reason;
};

let calls = 0;

/** A caller that does no more than what a test says. */
function invite(): string {
  const { host, port } = s.sip;
  return caller.send({
    method: 'INVITE',
    uri: `sip:bob@${host}:${port}`,
    callId: `ends-${++calls}`,
    to: '<sip:bob@example.com>',
    headers: [`Contact: <sip:peer@${caller.hop.host}:${caller.hop.port}>`, 'Content-Type: application/sdp'],
    body: SDP,
  });
}

test('nobody answers: timeout', async () => {
  s.toPeer();
  s.call();
  expect(await reasonOf('failed')).toEqual({ event: 'timeout', code: 408 });
});

test('a 408 of the callee is a refusal', async () => {
  s.callee.onCall = (call) => call.reject(408);
  s.call();
  expect(await reasonOf('failed')).toEqual({ event: 'rejected', code: 408 });
});

test('the callee can not be reached: error', async () => {
  s.double!.closePort(s.peer.hop.host, s.peer.hop.port);
  s.toPeer();
  s.call();
  expect(await reasonOf('failed')).toEqual({ event: 'error', code: 503 });
});

test('drachtio-srf itself refuses: error', async () => {
  s.target = 'sip:bob@no.such.name.invalid';
  s.call();
  expect(await reasonOf('failed')).toEqual({ event: 'error' });
  s.handler = (req, res) => {
    s.calls.createB2BUA(req, res, undefined as never).catch((error) => s.failures.push(error));
  };
  s.call();
  await until('the second has failed', () => s.failures.length === 2);
  expect(s.story).toEqual(['created', 'failed', 'created', 'failed']);
  expect(s.last.dialog.reason).toEqual({ event: 'error' });
});

test('the application throws when the callee has answered: error, and the callee is told', async () => {
  s.options = {
    localSdpB: SDP,
    localSdpA: () => {
      throw new Error('no media');
    },
  };
  s.toPeer();
  s.call();
  const offer = await s.peer.requests.take();
  s.answer(offer, 200, 'theirs', SDP);
  expect(await reasonOf('failed')).toEqual({ event: 'error' });
  await s.peer.requests.take(({ method }) => method === 'BYE');
  expect(s.failures).toEqual([new Error('no media')]);
});

test('no ACK: the server hangs up, timeout', async () => {
  s.callee.onCall = (call) => call.pickUp();
  invite();
  await s.until('confirmed');
  expect(await reasonOf('terminated')).toEqual({ event: 'timeout' });
  await until('the callee is told', () => s.callee.calls[0]!.state === 'ended');
});

test('a CANCEL that crosses the 200: the caller hung up', async () => {
  s.callee.onCall = (call) => call.pickUp();
  const branch = invite();
  await s.until('confirmed');
  const { host, port } = s.sip;
  const uri = `sip:bob@${host}:${port}`;
  caller.send({ method: 'CANCEL', uri, callId: `ends-${calls}`, to: '<sip:bob@example.com>', branch });
  expect(await reasonOf('terminated')).toEqual({ event: 'bye', by: 'caller' });
});

test('a subscription that createB2BUA() relays is no call', async () => {
  s.srf.use('subscribe', (req, res) => {
    s.calls.createB2BUA(req, res, s.target).catch((error) => s.failures.push(error));
  });
  s.toPeer();
  const { host, port } = s.sip;
  const uri = `sip:bob@${host}:${port}`;
  caller.send({ method: 'SUBSCRIBE', uri, callId: 'a-subscription', to: `<${uri}>`, headers: ['Event: x'] });
  s.peer.answer(await s.peer.requests.take(), 489);
  await until('it was refused', () => s.failures.length === 1);
  expect(s.events).toEqual([]);
});
