/** Which address of ours a peer is told, with several listeners and without the right one. */
import type { Hop } from '@pua/core';
import { type EmbeddedSip, embeddedSip } from '@pua/sip';
import { type Certificates, hasOpenssl, makeCertificates } from './certificates';

const testTls = hasOpenssl ? test : test.skip;
let certificates: Certificates | undefined;
let sip: EmbeddedSip | undefined;
beforeAll(() => {
  if (hasOpenssl) certificates = makeCertificates();
});
afterAll(() => certificates?.remove());
afterEach(() => sip?.stop(0));

async function engine(listen: readonly string[], advertise?: string): Promise<(transport: string) => number> {
  sip = embeddedSip({
    listen,
    ...(certificates ? { tls: certificates.server } : {}),
    ...(advertise === undefined ? {} : { advertise }),
  });
  await sip.start(() => undefined);
  return (transport) => sip!.addresses.find((address) => address.transport === transport)!.port;
}

const hop = (transport: Hop['transport'], host = '127.0.0.1'): Hop => ({ transport, host, port: 5060 });
const ALL = ['udp', 'tcp', 'tls', 'ws', 'wss'] as const;

testTls('all transports at once, on IPv4 and IPv6', async () => {
  const portOf = await engine([...ALL.map((t) => `${t}:127.0.0.1:0`), 'tcp:[::1]:0']);
  expect(sip!.addresses.map(({ transport, host }) => [transport, host])).toEqual([
    ...ALL.map((t) => [t, '127.0.0.1']),
    ['tcp', '::1'],
  ]);
  for (const transport of ALL) {
    const contact = sip!.contact('tok', hop(transport));
    const parameter = transport === 'udp' ? '' : `;transport=${transport}`;
    expect(contact).toBe(`sip:tok@127.0.0.1:${portOf(transport)}${parameter}`);
    expect(sip!.isOwnContact(contact)).toBe(true);
    expect(sip!.isOwnContact(contact.replace(/;.*|$/, ';transport=sctp'))).toBe(false);
  }
  expect(sip!.contact('tok', hop('tcp', '::1'))).toBe(`sip:tok@[::1]:${sip!.addresses[5]!.port};transport=tcp`);
});

test('a wildcard listener is known by the address that the peer sees', async () => {
  const portOf = await engine(['tcp:0.0.0.0:0']);
  const contact = `sip:tok@127.0.0.1:${portOf('tcp')};transport=tcp`;
  expect(sip!.contact('tok', hop('tcp'))).toBe(contact);
  expect(sip!.isOwnContact(contact)).toBe(true);
  expect(sip!.isOwnContact(contact.replace('127.0.0.1', '192.0.2.7'))).toBe(false);
});

test('without a listener of the transport, the nearest other one is told', async () => {
  const portOf = await engine(['tcp:127.0.0.1:0']);
  for (const transport of ['udp', 'tls'] as const) {
    expect(sip!.contact('tok', hop(transport))).toBe(`sip:tok@127.0.0.1:${portOf('tcp')};transport=tcp`);
  }
});

testTls('an advertised host is for all, an advertised port for the listeners on the port of the first', async () => {
  const [one, other] = await freePorts();
  await engine([`udp:127.0.0.1:${one}`, `tcp:127.0.0.1:${one}`, `tls:127.0.0.1:${other}`], 'pua.example.com:7060');
  expect(sip!.contact('a', hop('udp'))).toBe('sip:a@pua.example.com:7060');
  expect(sip!.contact('a', hop('tcp'))).toBe('sip:a@pua.example.com:7060;transport=tcp');
  expect(sip!.contact('a', hop('tls'))).toBe(`sip:a@pua.example.com:${other};transport=tls`);
  expect(sip!.isOwnContact('sip:a@pua.example.com:7060;transport=tcp')).toBe(true);
  expect(sip!.isOwnContact('sip:a@pua.example.com:7060;transport=tls')).toBe(false);
});

/** Two ports that were free for UDP and TCP a moment ago. */
async function freePorts(): Promise<[number, number]> {
  const both = embeddedSip({ listen: ['tcp:127.0.0.1:0', 'tcp:127.0.0.1:0'] });
  await both.start(() => undefined);
  const [one, other] = both.addresses.map(({ port }) => port);
  await both.stop(0);
  return [one!, other!];
}

test('a port that is taken is named, and nothing stays open', async () => {
  const portOf = await engine(['tcp:127.0.0.1:0']);
  const second = embeddedSip({ listen: ['udp:127.0.0.1:0', `tcp:127.0.0.1:${portOf('tcp')}`] });
  await expect(second.start(() => undefined)).rejects.toMatchObject({
    code: 'PUA_ERR_LISTEN',
    message: expect.stringMatching(/^cannot listen on tcp:127\.0\.0\.1:\d+: .*EADDRINUSE/),
  });
  expect(second.addresses).toEqual([]);
});
