import { PuaError } from '@pua/core';
import { embeddedSip, systemNames } from '@pua/sip';
import { type DnsServer, dnsServer, type Zone } from './dns-server';
import { ManualClock, until } from './support';

const ZONE: Zone = {
  'example.com': {
    A: ['192.0.2.99'],
    NAPTR: [
      '100 50 s SIP+D2U _sip._udp.example.com',
      '90 50 s SIP+D2T _sip._tcp.other.example',
      '80 50 s SIP+D2S _sip._sctp.example.com',
    ],
  },
  '_sip._udp.example.com': { SRV: ['20 0 5070 b.example.com', '10 0 5070 a.example.com'] },
  '_sip._tcp.other.example': { SRV: ['10 0 5080 alias.example.com'] },
  'a.example.com': { A: ['192.0.2.1'], AAAA: ['2001:db8::1'] },
  'b.example.com': { AAAA: ['2001:db8::2'] },
  'alias.example.com': { CNAME: 'a.example.com' },
  'short.example.com': { A: ['192.0.2.7', '192.0.2.8'], ttl: 20 },
  'none.example.com': {},
  'gone.example.com': { A: ['192.0.2.99'] },
  '_sip._udp.gone.example.com': { SRV: ['0 0 0 .'] },
};

let server: DnsServer;
beforeEach(async () => {
  server = await dnsServer(ZONE);
});
afterEach(() => server.close());

function setup(timeoutMs = 2000) {
  const clock = new ManualClock();
  const names = systemNames({ servers: [server.address], timeoutMs });
  return { clock, names, sip: embeddedSip({ listen: ['udp:127.0.0.1:0', 'udp:[::1]:0'], clock, names }) };
}

describe('the name servers', () => {
  it('tell records of all four kinds, following aliases', async () => {
    const { names } = setup();
    expect(await names.addresses('alias.example.com', 4)).toEqual([{ host: '192.0.2.1', ttl: 300 }]);
    expect(await names.addresses('alias.example.com', 6)).toEqual([{ host: '2001:db8::1', ttl: 300 }]);
    expect(await names.srv('_sip._tcp.other.example')).toEqual([
      { priority: 10, weight: 0, port: 5080, target: 'alias.example.com', ttl: 60 },
    ]);
    expect((await names.naptr('example.com'))[1]).toEqual({
      order: 90,
      preference: 50,
      flags: 's',
      service: 'SIP+D2T',
      regexp: '',
      replacement: '_sip._tcp.other.example',
      ttl: 60,
    });
  });

  it.each(['none.example.com', 'nowhere.example.com', `${'x'.repeat(64)}.example.com`])('%s: nothing', async (name) => {
    const { names } = setup();
    expect(await names.addresses(name, 4)).toEqual([]);
    expect(await names.srv(name)).toEqual([]);
    expect(await names.naptr(name)).toEqual([]);
  });

  it.each(['servfail', 'silent'] as const)('%s: nobody could tell', async (trouble) => {
    const { names } = setup(20);
    server.trouble = trouble;
    const asked = [names.addresses('a.example.com', 4), names.srv('_sip._udp.example.com'), names.naptr('example.com')];
    for (const answer of await Promise.allSettled<unknown>(asked)) expect(answer.status).toBe('rejected');
  });

  it('that is no address is refused', () => {
    expect(() => systemNames({ servers: ['ns.example.com'] })).toThrow(PuaError);
    expect(() => systemNames({ servers: ['ns.example.com'] })).toThrow('write address or address:port');
  });

  it('of the system, and its hosts file', async () => {
    expect(await systemNames().addresses('localhost', 4)).toEqual([{ host: '127.0.0.1', ttl: 60 }]);
  });
});

describe('a domain is resolved', () => {
  it('by NAPTR, SRV and addresses', async () => {
    const { sip } = setup();
    const hops = await sip.resolve('sip:alice@Example.com');
    expect(hops).toEqual([
      { transport: 'tcp', host: '192.0.2.1', port: 5080 },
      { transport: 'tcp', host: '2001:db8::1', port: 5080 },
      { transport: 'udp', host: '192.0.2.1', port: 5070 },
      { transport: 'udp', host: '2001:db8::1', port: 5070 },
      { transport: 'udp', host: '2001:db8::2', port: 5070 },
    ]);
    const { length } = server.asked;
    expect(sip.resolve('sip:bob@example.com')).toEqual(hops);
    expect(server.asked).toHaveLength(length);
  });

  it('by its addresses when it has nothing else, for their time to live', async () => {
    const { sip, clock } = setup();
    const hops = await sip.resolve('sip:short.example.com');
    expect(hops.map(({ transport, host, port }) => `${transport} ${host} ${port}`)).toEqual([
      'udp 192.0.2.7 5060',
      'udp 192.0.2.8 5060',
    ]);
    expect([...server.asked].sort()).toEqual([
      'A short.example.com',
      'AAAA short.example.com',
      'NAPTR short.example.com',
      'SRV _sip._tcp.short.example.com',
      'SRV _sip._udp.short.example.com',
      'SRV _sip._ws.short.example.com',
      'SRV _sips._tcp.short.example.com',
      'SRV _sips._ws.short.example.com',
    ]);
    clock.advance(19_999);
    expect(sip.resolve('sip:short.example.com')).toBe(hops);
    clock.advance(1);
    expect(sip.resolve('sip:short.example.com')).toBeInstanceOf(Promise);
  });

  it('to nothing when it says that the service is not there', async () => {
    expect(await setup().sip.resolve('sip:gone.example.com')).toEqual([]);
  });

  it('as before while its name servers fail', async () => {
    const { sip, clock } = setup(20);
    const hops = await sip.resolve('sip:short.example.com');
    clock.advance(20_000);
    server.trouble = 'servfail';
    expect(await sip.resolve('sip:short.example.com')).toEqual(hops);
    server.trouble = undefined;
    clock.advance(30_000);
    const { length } = server.asked;
    expect(await sip.resolve('sip:short.example.com')).toEqual(hops);
    expect(server.asked.length).toBeGreaterThan(length);
  });

  it('to nothing more when the engine stops, and nothing is asked any more', async () => {
    const { sip, clock } = setup(60_000);
    await sip.start(() => undefined);
    const known = await sip.resolve('sip:short.example.com');
    server.trouble = 'silent';
    const { length } = server.asked;
    const answer = sip.resolve('sip:example.com');
    await until(() => server.asked.length > length);
    await sip.stop(0);
    expect(await answer).toEqual([]);
    expect(server.asked).toHaveLength(length + 1);
    clock.advance(20_000);
    expect(await sip.resolve('sip:short.example.com')).toEqual(known);
    expect(server.asked).toHaveLength(length + 1);
    expect(clock.pending).toBe(0);
  });

  it('as far as they answer', async () => {
    const { sip } = setup(20);
    server.trouble = { NAPTR: 'servfail', AAAA: 'silent' };
    expect(await sip.resolve('sip:example.com')).toEqual([{ transport: 'udp', host: '192.0.2.1', port: 5070 }]);
  });
});
