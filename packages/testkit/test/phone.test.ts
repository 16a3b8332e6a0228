/** Phones and the call server of the kit, over UDP on loopback. */
import type { DialogEvent } from '@pua/core';
import { embeddedSip } from '@pua/sip';
import { CallServer, Phone, ScriptedClient, WirePeer } from '@pua/testkit';

const ANN = 'sip:ann@example.com';
const BEN = 'sip:ben@example.com';

let registrar: ScriptedClient;
let server: CallServer;
let peer: WirePeer | undefined;
const phones: Phone[] = [];
const events: DialogEvent[] = [];
const told = () => events.map(({ kind, dialog: { state, reason } }) => [kind, state, ...(reason ? [reason] : [])]);

beforeEach(async () => {
  events.length = 0;
  const sip = embeddedSip({ listen: ['udp:127.0.0.1:0'] });
  const held = new Map<string, Set<string>>();
  registrar = new ScriptedClient({
    sip,
    server: 'sip:127.0.0.1:9',
    onRequest: (request) => {
      const aor = request.headers.get('To') ?? '';
      const contact = request.headers.get('Contact') ?? '';
      const contacts = held.get(aor) ?? new Set();
      held.set(aor, contacts);
      contacts.add(contact);
      if (/expires=0/.test(contact)) contacts.clear();
      request.reply(
        200,
        [...contacts].map((value) => ['Contact', value]),
      );
    },
  });
  await registrar.start();
  const { port } = sip.addresses[0]!;
  server = await CallServer.start({
    registrar: `sip:127.0.0.1:${port}`,
    onDialog: (event) => void events.push(structuredClone(event)),
  });
});
afterEach(async () => {
  await peer?.close();
  peer = undefined;
  for (const phone of phones.splice(0)) await phone.stop();
  await server.stop();
  await registrar.stop();
});

async function phone(aor: string, display?: string): Promise<Phone> {
  const started = await Phone.start({ aor, server: server.uri, ...(display ? { display } : {}) });
  phones.push(started);
  expect((await started.register()).status).toBe(200);
  return started;
}

test('an INVITE that comes again is the same call, and gets its last answer again', async () => {
  const ben = await phone(BEN);
  peer = await WirePeer.open();
  const invite = {
    ...{ method: 'INVITE', uri: ben.contact, callId: 'again', to: `<${BEN}>`, branch: 'z9hG4bKagain' },
    headers: ['Contact: <sip:peer@127.0.0.1:9>'],
  };
  const rings = () => peer!.responses.take(({ status }) => status === 180);
  peer.send(invite);
  const first = await rings();
  peer.send(invite);
  expect((await rings()).headers.get('To')).toBe(first.headers.get('To'));
  expect(ben.calls).toHaveLength(1);
});

test('answered, hung up by the callee: created, early, confirmed, terminated, with tags and targets', async () => {
  const ann = await phone(ANN, 'Ann "A" Other');
  const ben = await phone(BEN);
  const call = ann.call(BEN);
  const incoming = await ben.nextCall();
  await call.reaches('ringing');
  incoming.pickUp();
  await call.reaches('answered');
  expect((await incoming.hangUp()).status).toBe(200);
  await call.reaches('ended');
  expect(told()).toEqual([
    ['created', 'trying'],
    ['early', 'early'],
    ['confirmed', 'confirmed'],
    ['terminated', 'terminated', { event: 'bye', by: 'callee' }],
  ]);
  const { caller, callee, callId, key } = events.at(-1)!.dialog;
  expect(caller).toEqual({ uri: ANN, display: 'Ann "A" Other', tag: call.localTag, contact: ann.contact });
  expect(callee).toEqual({ uri: BEN, tag: incoming.localTag, contact: ben.contact });
  expect([callId, key, server.calls]).toEqual([call.callId, call.callId, 0]);
});

test('rejected: the status; nobody there: 404', async () => {
  const ann = await phone(ANN);
  const ben = await phone(BEN);
  ben.onCall = (call) => call.reject(486);
  const call = ann.call(BEN);
  await call.reaches('ended');
  const nobody = ann.call('sip:nobody@example.com');
  await nobody.reaches('ended');
  expect([call.reason, nobody.reason]).toEqual([486, 404]);
  expect(told().filter(([kind]) => kind === 'failed')).toEqual([
    ['failed', 'terminated', { event: 'rejected', code: 486 }],
    ['failed', 'terminated', { event: 'rejected', code: 404 }],
  ]);
});

test('cancelled while it rings on two phones: 487, one early for each of them', async () => {
  const ann = await phone(ANN);
  const both = [await phone(BEN), await phone(BEN)];
  const call = ann.call(BEN);
  const incoming = await Promise.all(both.map((one) => one.nextCall()));
  await call.reaches('ringing');
  call.cancel();
  await Promise.all([call, ...incoming].map((one) => one.reaches('ended')));
  expect([call.reason, ...incoming.map(({ reason }) => reason)]).toEqual([487, 'cancelled', 'cancelled']);
  expect(told()).toEqual([
    ['created', 'trying'],
    ['early', 'early'],
    ['early', 'early'],
    ['failed', 'terminated', { event: 'cancelled', code: 487, by: 'caller' }],
  ]);
});

test('answered on one of two phones: the other one stops ringing', async () => {
  const ann = await phone(ANN);
  const [desk, mobile] = [await phone(BEN), await phone(BEN)];
  const call = ann.call(BEN);
  const [atDesk, atMobile] = [await desk.nextCall(), await mobile.nextCall()];
  atMobile.pickUp();
  await call.reaches('answered');
  await atDesk.reaches('ended');
  await call.hangUp();
  await atMobile.reaches('ended');
  expect(told().at(-1)).toEqual(['terminated', 'terminated', { event: 'bye', by: 'caller' }]);
});

test('a call to oneself', async () => {
  const ann = await phone(ANN);
  const call = ann.call(ANN);
  const incoming = await ann.nextCall();
  incoming.pickUp();
  await call.reaches('answered');
  await call.hangUp();
  await incoming.reaches('ended');
  expect(told().map(([kind]) => kind)).toEqual(['created', 'early', 'confirmed', 'terminated']);
});

test('a phone that has unregistered is not called', async () => {
  const ann = await phone(ANN);
  const ben = await phone(BEN);
  await ben.unregister();
  const call = ann.call(BEN);
  await call.reaches('ended');
  expect(call.reason).toBe(404);
});
