/** Registrations of an application that answers REGISTER itself, and those of registrar() on drachtioSip(). */
import { type Binding, type BindingEvent, channels, createPua } from '@pua/core';
import {
  drachtioSip,
  type RegistrationTracker,
  type TrackRegistrationsOptions,
  trackRegistrations,
} from '@pua/drachtio';
import { registrar } from '@pua/sources';
import { DrachtioServer, Phone, SimClock } from '@pua/testkit';
import Srf from 'drachtio-srf';
import { apiWith, connect } from './calls/support';
import { until } from './support';

const ALICE = 'sip:alice@example.com';
const credentials = { username: 'alice', password: 'secret' };

let server: DrachtioServer;
let phone: Phone;
beforeEach(async () => {
  server = await DrachtioServer.start();
  const uri = `sip:127.0.0.1:${server.address.port}`;
  phone = await Phone.start({ aor: ALICE, server: uri, credentials, instance: 'urn:uuid:1' });
});
afterEach(async () => {
  await phone.stop();
  await server.stop();
});

describe('trackRegistrations', () => {
  let srf: Srf;
  let clock: SimClock;
  let tracker: RegistrationTracker;
  let events: BindingEvent[];
  /** How the application answers. */
  let answer: (req: Srf.SrfRequest, res: Srf.SrfResponse) => void;
  const open = async (options?: TrackRegistrationsOptions) => {
    clock = new SimClock();
    tracker = trackRegistrations(srf, options);
    tracker.setup(apiWith(clock));
    await tracker.start!();
    tracker.onEvent((event) => void events.push(event));
    srf.use('register', (req, res) => answer(req, res));
  };

  beforeEach(async () => {
    srf = new Srf();
    events = [];
    answer = (req, res) => res.send(200, { headers: { Contact: req.get('Contact') } });
    await connect(srf, server);
  });
  afterEach(async () => {
    await tracker.stop!();
    srf.disconnect();
    await until('the link is closed', () => server.links === 0);
  });

  const all = async () => {
    const found: Binding[] = [];
    for await (const binding of tracker.snapshot()) found.push(binding);
    return found;
  };
  const story = () => events.map(({ kind }) => kind);

  test('a 401 is nothing, the 200 that follows is a binding', async () => {
    await open();
    answer = (req, res) => {
      if (req.has('Authorization')) res.send(200, { headers: { Contact: req.get('Contact') } });
      else res.send(401, { headers: { 'WWW-Authenticate': 'Digest realm="example.com", nonce="n"' } });
    };
    expect((await phone.register({ contactParams: ';q=0.5;reg-id=1' })).status).toBe(200);
    expect(events).toEqual([
      {
        kind: 'insert',
        binding: {
          aor: 'alice@example.com',
          bindingId: 'urn:uuid:1;1',
          contact: phone.contact,
          expiresAt: clock.wall() + 3_600_000,
          callId: expect.any(String),
          cseq: 2,
          q: 0.5,
          instance: 'urn:uuid:1',
          regId: 1,
          received: phone.contact.replace('alice@', ''),
          registeredAt: clock.wall(),
        },
        siblings: [events[0]!.binding],
        hints: { fromUri: ALICE },
      },
    ]);
    expect(await all()).toEqual([events[0]!.binding]);
    expect(await tracker.bindings!('alice@example.com')).toHaveLength(1);
  });

  test('a refusal changes nothing', async () => {
    await open();
    await phone.register();
    for (const status of [302, 403, 423, 503]) {
      answer = (_, res) => res.send(status);
      expect((await phone.unregister()).status).toBe(status);
    }
    expect(story()).toEqual(['insert']);
  });

  test('refreshed, unregistered, run out', async () => {
    await open();
    await phone.register({ expires: 60 });
    await phone.register({ expires: 60 });
    await phone.unregister();
    expect(story()).toEqual(['insert', 'update', 'delete']);
    await phone.register({ expires: 60 });
    clock.advance(60_000);
    expect(story()).toEqual(['insert', 'update', 'delete', 'insert', 'expire']);
    expect(await all()).toEqual([]);
  });

  test('Contact: * removes all', async () => {
    await open();
    await phone.register();
    const request = phone.request('REGISTER', 'sip:example.com', [
      ['From', `<${ALICE}>;tag=x`],
      ['To', `<${ALICE}>`],
      ['Call-ID', 'other'],
      ['CSeq', '1 REGISTER'],
      ['Contact', '*'],
      ['Expires', '0'],
    ]);
    phone.send(request);
    await phone.answer(request, (status) => status === 200);
    expect(story()).toEqual(['insert', 'delete']);
  });

  test.each([
    ['its Contact', (uri: string) => ({ contact: `<sip:else@192.0.2.1>;expires=9, <${uri}>;expires=120` }), 120],
    ['its Expires', () => ({ expires: 90 }), 90],
    ['its Contact before its Expires', (uri: string) => ({ m: `<${uri}>;expires=70`, Expires: '80' }), 70],
    ['neither: what was asked for', () => ({}), 300],
    ['a Contact that can not be read', () => ({ Contact: '<sip:' }), 300],
  ])('the lifetime that the 2xx grants: %s', async (_, headers, seconds) => {
    await open();
    answer = (__, res) => res.send(200, 'Fine', { headers: headers(phone.contact) });
    await phone.register({ expires: 300 });
    expect(events[0]!.binding.expiresAt - clock.wall()).toBe(seconds * 1000);
  });

  test('fields that were set before count; a removal is one whatever the 2xx says', async () => {
    await open();
    answer = (_, res) => {
      res.set('Contact', `<${phone.contact}>;expires=33;pub-gruu="sip:alice@example.com;gr=1"`);
      res.send(200);
    };
    await phone.register();
    expect(events[0]!.binding).toMatchObject({
      expiresAt: clock.wall() + 33_000,
      pubGruu: 'sip:alice@example.com;gr=1',
    });
    await phone.unregister();
    expect(story()).toEqual(['insert', 'delete']);
  });

  test('nobody says how long: an hour, or what the option says', async () => {
    await open({ defaultExpires: 7 });
    let calls = 0;
    const register = async (contact: string) => {
      const request = phone.request('REGISTER', 'sip:example.com', [
        ['From', `<${ALICE}>;tag=x`],
        ['To', `<${ALICE}>`],
        ['Call-ID', `call-${++calls}`],
        ['CSeq', '1 REGISTER'],
        ...(contact === '' ? [] : [['Contact', contact] as const]),
      ]);
      phone.send(request);
      await phone.answer(request, (status) => status === 200);
    };
    answer = (_, res) => res.send(200);
    await register('<sip:alice@192.0.2.1>');
    expect(events[0]!.binding.expiresAt - clock.wall()).toBe(7_000);
    // One without Contact only asks.
    await register('');
    await register('<sip:unreadable');
    expect(events).toHaveLength(1);
  });

  test('the application answers as it would without the tracker', async () => {
    const said: unknown[] = [];
    answer = (req, res) => {
      const headers = { Contact: `${req.get('Contact')};expires=20`, 'X-Own': 'a' };
      const sent = (error: unknown, message: { get(name: string): string }) => said.push(error, message.get('X-Own'));
      said.push(res.send(200, 'So Be It', { headers }, sent as never));
      res.send(403);
      said.push(res.finalResponseSent, res.status);
      expect(() => res.send(999)).toThrow('valid sip response code');
    };
    srf.use('register', (req, res) => answer(req, res));
    const plain = (message: { start: string; all(name: string): string[] }) => [
      message.start,
      message.all('Contact'),
      message.all('X-Own'),
    ];
    const bare = plain(await phone.register());
    const before = said.splice(0);
    const other = new Srf();
    srf.disconnect();
    await until('the link is closed', () => server.links === 0);
    srf = other;
    await connect(srf, server);
    await open();
    expect(plain(await phone.register())).toEqual(bare);
    expect(said).toEqual(before);
    expect(said).toContain('a');
    expect(story()).toEqual(['insert']);
  });

  test('what is to be published is decided by a predicate, which sees the REGISTER', async () => {
    await open({ publish: (request, { contact }) => request.get('Call-ID') === 'yes' && contact !== '' });
    await phone.register({ callId: 'yes' });
    await phone.register({ callId: 'no' });
    expect(events.map(({ hints }) => hints?.publish)).toEqual([true, false]);
  });

  test('more contacts than there is place for are told as a fault; the phone has its 200', async () => {
    const faults: unknown[] = [];
    const listen = (message: unknown) => void faults.push(message);
    channels.fault.subscribe(listen);
    await open({ maxContacts: 1, table: 'phones' });
    await phone.register();
    const uri = `sip:127.0.0.1:${server.address.port}`;
    const second = await Phone.start({ aor: ALICE, server: uri });
    expect((await second.register()).status).toBe(200);
    channels.fault.unsubscribe(listen);
    await second.stop();
    expect(events.map(({ binding }) => binding.table)).toEqual(['phones']);
    expect(await tracker.bindings!(ALICE)).toHaveLength(1);
    expect(faults).toEqual([
      {
        type: 'fault',
        where: 'trackRegistrations',
        error: expect.objectContaining({ message: expect.stringContaining('More Than 1 Contacts') }),
      },
    ]);
  });

  test('before setup() and after stop() it passes everything on', async () => {
    tracker = trackRegistrations(srf);
    srf.use('register', (req, res) => answer(req, res));
    expect((await phone.register()).status).toBe(200);
    const state = expect.objectContaining({ code: 'PUA_ERR_STATE', message: expect.stringContaining('pua.use(') });
    expect(() => tracker.snapshot()).toThrow(state);
    expect(() => tracker.bindings(ALICE)).toThrow(state);
    tracker.setup(apiWith(new SimClock()));
    await tracker.stop!();
    expect((await phone.register()).status).toBe(200);
    expect(() => tracker.onEvent(() => undefined)).toThrow(state);
  });

  test.each([{ defaultExpires: 0 }, { maxContacts: 1.5 }, { maxBindings: -1 }])('%j is refused', async (options) => {
    tracker = trackRegistrations(srf);
    expect(() => trackRegistrations(srf, options)).toThrow(expect.objectContaining({ code: 'PUA_ERR_OPTION' }));
  });
});

test('registrar() of @pua/sources works on drachtioSip()', async () => {
  const source = registrar({ domains: ['example.com'], users: [{ domain: 'example.com', ...credentials }] });
  const pua = createPua({
    sip: drachtioSip({ port: server.port, methods: ['NOTIFY', 'REGISTER'] }),
    outboundProxy: 'sip:192.0.2.1',
  });
  const events: string[] = [];
  pua.use(source);
  source.onEvent(({ kind, binding }) => void events.push(`${kind} ${binding.contact}`));
  await pua.start();
  const { status, ...more } = await phone.register();
  expect(status).toBe(200);
  expect(more.fields.filter(([name]) => name === 'Contact').map(([, value]) => value)).toEqual([
    expect.stringContaining(`<${phone.contact}>;expires=3600`),
  ]);
  await phone.unregister();
  expect(events).toEqual([`insert ${phone.contact}`, `delete ${phone.contact}`]);
  await pua.stop();
});
