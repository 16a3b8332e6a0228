/** The whole way: phones on loopback, the embedded engine, a Pua with the registrar as its module. */
import { type BindingEvent, createPua, type Pua } from '@pua/core';
import { type EmbeddedSip, embeddedSip } from '@pua/sip';
import { REGISTRAR_EXTENSIONS, type RegistrarOptions, registrar } from '@pua/sources';
import { Phone, ScriptedClient } from '@pua/testkit';

const opened: { stop(): unknown }[] = [];
afterEach(async () => {
  for (const one of opened.splice(0).reverse()) await one.stop();
});

async function serve(options: RegistrarOptions) {
  const sip = embeddedSip({
    listen: ['udp:127.0.0.1:0', 'tcp:127.0.0.1:0'],
    allow: () => ['OPTIONS', 'NOTIFY', 'REGISTER'],
    supported: () => REGISTRAR_EXTENSIONS,
  });
  const source = registrar(options);
  const events: BindingEvent[] = [];
  const pua: Pua = createPua({ sip, updatePeriod: 0 });
  pua.use(source);
  source.onEvent((event) => void events.push(event));
  await pua.start();
  opened.push(pua);
  const [udp, tcp] = sip.addresses.map(({ port }) => port);
  return { source, events, sip, udp: `sip:127.0.0.1:${udp}`, tcp: `sip:127.0.0.1:${tcp};transport=tcp` };
}

async function phoneAt(server: string, password = 'secret'): Promise<Phone> {
  const phone = await Phone.start({
    aor: 'sip:alice@example.com',
    display: 'Alice "A" <a>',
    server,
    credentials: { username: 'alice', password },
    instance: 'urn:uuid:1',
  });
  opened.push(phone);
  return phone;
}

const users = [{ username: 'alice', password: 'secret' }];

test('a phone registers, refreshes, unregisters', async () => {
  const { events, source, udp } = await serve({ users, domains: ['example.com'] });
  const phone = await phoneAt(udp);
  const answer = await phone.register({ contactParams: ';q=0.5' });
  expect(answer.status).toBe(200);
  expect(answer.all('Contact')).toEqual([`<${phone.contact}>;expires=3600;q=0.5;+sip.instance="<urn:uuid:1>"`]);
  expect((await phone.register()).status).toBe(200);
  expect(await source.bindings('alice@example.com')).toHaveLength(1);
  expect((await phone.unregister()).all('Contact')).toEqual([]);
  expect(events.map(({ kind, siblings }) => [kind, siblings!.length])).toEqual([
    ['insert', 1],
    ['update', 1],
    ['delete', 0],
  ]);
  expect(events[0]!.binding.received).toMatch(/^sip:127\.0\.0\.1:\d+$/);
});

test('a phone with a wrong password does not', async () => {
  const { events, udp } = await serve({ users, domains: ['example.com'] });
  expect((await (await phoneAt(udp, 'guess')).register()).status).toBe(401);
  expect(events).toEqual([]);
});

test('without users and from elsewhere: 403', async () => {
  const { events, udp } = await serve({ trusted: ['192.0.2.0/24'] });
  expect((await (await phoneAt(udp)).register()).status).toBe(403);
  expect(events).toEqual([]);
});

test('over TCP, with an extension that it requires', async () => {
  const { events, tcp } = await serve({ trusted: ['127.0.0.0/8'] });
  const sip: EmbeddedSip = embeddedSip({ listen: ['tcp:127.0.0.1:0'] });
  const client = new ScriptedClient({ sip, server: tcp });
  await client.start();
  opened.push(client);
  const answer = await client.ask({
    method: 'REGISTER',
    uri: 'sip:example.com',
    to: { uri: 'sip:alice@example.com' },
    contact: 'sip:alice@192.0.2.7;transport=tcp',
    headers: [
      ['Require', 'path'],
      ['Supported', 'path'],
      ['Path', '<sip:edge.example.com;lr>'],
    ],
  });
  expect([answer.status, answer.headers.get('Path')]).toEqual([200, '<sip:edge.example.com;lr>']);
  expect(events[0]).toMatchObject({ kind: 'insert', binding: { contact: 'sip:alice@192.0.2.7;transport=tcp' } });
  expect(events[0]!.binding.received).toMatch(/;transport=tcp$/);
});
