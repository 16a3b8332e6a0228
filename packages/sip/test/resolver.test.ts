import { type Hop, PuaError, type Random } from '@pua/core';
import {
  type EmbeddedSip,
  embeddedSip,
  type HostAddress,
  type NameService,
  type NaptrRecord,
  type SrvRecord,
} from '@pua/sip';
import fc from 'fast-check';
import { ManualClock, settled } from './support';

const TTL = 300;

/** `order preference flags service replacement`, and a regexp where there is one */
function naptr(text: string): NaptrRecord {
  const [order, preference, flags = '', service = '', replacement = '', regexp = ''] = text.split(' ');
  return { order: Number(order), preference: Number(preference), flags, service, regexp, replacement, ttl: TTL };
}
/** `priority weight port target` */
function srv(text: string): SrvRecord {
  const [priority, weight, port, target] = text.split(' ') as [string, string, string, string];
  return { priority: Number(priority), weight: Number(weight), port: Number(port), target, ttl: TTL };
}

/** A name service of fixed answers; what is down rejects, what hangs never answers. */
class Names implements NameService {
  readonly asked: string[] = [];
  readonly down = new Set<string>();
  readonly hangs = new Set<string>();
  constructor(readonly records: Record<string, readonly (string | HostAddress)[]> = {}) {}

  private async tell<T>(question: string, read: (record: string | HostAddress) => T): Promise<T[]> {
    this.asked.push(question);
    const [type = ''] = question.split(' ');
    if (this.hangs.has(type)) await new Promise(() => undefined);
    if (this.down.has(type)) throw new Error('down');
    return (this.records[question] ?? []).map(read);
  }
  addresses(name: string, family: 4 | 6): Promise<HostAddress[]> {
    return this.tell(`${family === 4 ? 'A' : 'AAAA'} ${name}`, (record) =>
      typeof record === 'string' ? { host: record, ttl: TTL } : record,
    );
  }
  srv(name: string): Promise<SrvRecord[]> {
    return this.tell(`SRV ${name}`, (record) => srv(String(record)));
  }
  naptr(name: string): Promise<NaptrRecord[]> {
    return this.tell(`NAPTR ${name}`, (record) => naptr(String(record)));
  }
}

/** A repeatable generator of chance. */
function chance(seed: number): Random {
  let state = seed;
  return {
    uniform: () => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return state / 2 ** 32;
    },
    token: () => 'token',
  };
}

const BOTH = ['udp:127.0.0.1:0', 'udp:[::1]:0'];

function setup(records: Names['records'] = {}, listen = ['udp:127.0.0.1:0'], random = chance(1)) {
  const clock = new ManualClock();
  const names = new Names(records);
  return { clock, names, asked: names.asked, sip: embeddedSip({ listen, clock, names, random }) };
}

const shown = ({ transport, host, port }: Hop) => `${transport} ${host} ${port}`;
const resolved = async (sip: EmbeddedSip, uri: string) => (await sip.resolve(uri)).map(shown);

describe('without a question', () => {
  it.each([
    ['sip:alice@192.0.2.1', [{ transport: 'udp', host: '192.0.2.1', port: 5060 }]],
    ['sip:192.0.2.1:5070;transport=TCP', [{ transport: 'tcp', host: '192.0.2.1', port: 5070 }]],
    ['sip:[2001:db8::1]', [{ transport: 'udp', host: '2001:db8::1', port: 5060 }]],
    ['sip:[2001:db8::1]:5062;transport=ws', [{ transport: 'ws', host: '2001:db8::1', port: 5062 }]],
    ['sip:192.0.2.1;transport=ws', [{ transport: 'ws', host: '192.0.2.1', port: 80 }]],
    ['sips:192.0.2.1', [{ transport: 'tls', host: '192.0.2.1', port: 5061, serverName: '192.0.2.1' }]],
    ['sips:192.0.2.1;transport=tcp', [{ transport: 'tls', host: '192.0.2.1', port: 5061, serverName: '192.0.2.1' }]],
    ['sips:192.0.2.1;transport=ws', [{ transport: 'wss', host: '192.0.2.1', port: 443, serverName: '192.0.2.1' }]],
    ['sip:192.0.2.1;transport=tls', [{ transport: 'tls', host: '192.0.2.1', port: 5061, serverName: '192.0.2.1' }]],
    ['sip:example.com;maddr=192.0.2.9', [{ transport: 'udp', host: '192.0.2.9', port: 5060 }]],
    ['sip:example.com;maddr=[2001:db8::9]', [{ transport: 'udp', host: '2001:db8::9', port: 5060 }]],
    ['sip:192.0.2.1;transport=sctp', []],
    [
      'sip:localhost:5080',
      [
        { transport: 'udp', host: '127.0.0.1', port: 5080 },
        { transport: 'udp', host: '::1', port: 5080 },
      ],
    ],
  ])('%s', (uri, hops) => {
    const { sip, asked } = setup({}, BOTH);
    expect(sip.resolve(uri)).toEqual(hops);
    expect(sip.resolve(uri)).toBe(sip.resolve(uri));
    expect(asked).toEqual([]);
  });

  it.each(['tel:+1', 'sip:', '<sip:a@b>', ''])('throws for %j', (uri) => {
    expect(() => setup().sip.resolve(uri)).toThrow(PuaError);
  });
});

describe('what is asked for (RFC 3263 4)', () => {
  const host = { 'A example.com': ['192.0.2.1'], 'AAAA example.com': ['2001:db8::1'] };
  const addresses = ['A example.com', 'AAAA example.com'];

  it.each([
    ['sip:example.com:5070', 'udp', 5070],
    ['sip:example.com:5070;transport=tcp', 'tcp', 5070],
    ['sips:example.com:5070', 'tls', 5070],
  ])('%s: addresses only', async (uri, transport, port) => {
    const { sip, asked } = setup(host, BOTH);
    expect(await resolved(sip, uri)).toEqual([`${transport} 192.0.2.1 ${port}`, `${transport} 2001:db8::1 ${port}`]);
    expect(asked).toEqual(addresses);
  });

  it.each([
    ['sip:example.com;transport=udp', '_sip._udp', 'udp', 5060],
    ['sip:example.com;transport=tcp', '_sip._tcp', 'tcp', 5060],
    ['sip:example.com;transport=tls', '_sips._tcp', 'tls', 5061],
    ['sip:example.com;transport=ws', '_sip._ws', 'ws', 80],
    ['sip:example.com;transport=wss', '_sips._ws', 'wss', 443],
    ['sips:example.com;transport=tcp', '_sips._tcp', 'tls', 5061],
    ['sips:example.com;transport=ws', '_sips._ws', 'wss', 443],
  ])('%s: SRV of that transport, else addresses', async (uri, service, transport, port) => {
    const bare = setup(host);
    expect(await resolved(bare.sip, uri)).toEqual([`${transport} 192.0.2.1 ${port}`]);
    expect(bare.asked).toEqual([`SRV ${service}.example.com`, 'A example.com']);
    const full = setup({
      ...host,
      [`SRV ${service}.example.com`]: ['1 0 7000 a.example'],
      'A a.example': ['192.0.2.2'],
    });
    expect(await resolved(full.sip, uri)).toEqual([`${transport} 192.0.2.2 7000`]);
    expect(full.asked).toEqual([`SRV ${service}.example.com`, 'A a.example']);
  });

  it('a transport that we do not know: nothing', async () => {
    const { sip, asked } = setup(host);
    expect(await sip.resolve('sip:example.com;transport=sctp')).toEqual([]);
    expect(asked).toEqual([]);
  });

  it('a name without a dot: addresses only', async () => {
    const { sip, asked } = setup({ 'A presence': ['192.0.2.1'] });
    expect(await resolved(sip, 'sip:presence')).toEqual(['udp 192.0.2.1 5060']);
    expect(asked).toEqual(['A presence']);
  });

  it('the name of maddr instead of the host', async () => {
    const { sip } = setup({ 'A m.example': ['192.0.2.3'] });
    expect(await resolved(sip, 'sip:example.com;maddr=m.example')).toEqual(['udp 192.0.2.3 5060']);
  });

  it('NAPTR: services by order and preference, only those that we can use', async () => {
    const { sip, asked } = setup({
      'NAPTR example.com': [
        '20 10 s SIP+D2U _sip._udp.example.com.',
        '10 20 S sip+d2t _sip._tcp.example.com',
        '10 10 s SIPS+D2T _sips._tcp.example.com',
        '10 30 s SIP+D2W _sip._ws.example.com',
        '1 1 s SIP+D2S _sip._sctp.example.com',
        '1 1 u SIP+D2U _odd._udp.example.com',
        '1 1 s E2U+sip _odd._udp.example.com',
        '1 1 s SIP+D2U _odd._udp.example.com !.*!sip:x@odd.example!',
        '1 1 s SIP+D2U .',
      ],
      'SRV _odd._udp.example.com': ['1 0 666 a.example'],
      'SRV _sip._udp.example.com': ['1 0 5060 a.example'],
      'SRV _sip._tcp.example.com': ['1 0 5060 a.example'],
      'SRV _sips._tcp.example.com': ['1 0 5061 a.example'],
      'SRV _sip._ws.example.com': ['1 0 80 a.example'],
      'A a.example': ['192.0.2.1'],
    });
    expect(await resolved(sip, 'sip:example.com')).toEqual([
      'tls 192.0.2.1 5061',
      'tcp 192.0.2.1 5060',
      'ws 192.0.2.1 80',
      'udp 192.0.2.1 5060',
    ]);
    expect(asked.filter((question) => question.startsWith('A '))).toEqual(['A a.example']);
    expect(asked).not.toContain('SRV _sip._sctp.example.com');
    expect(await sip.resolve('sips:example.com')).toEqual([
      { transport: 'tls', host: '192.0.2.1', port: 5061, serverName: 'example.com' },
    ]);
  });

  it('NAPTR without SRV: the addresses, by the transport preferred there', async () => {
    const { sip } = setup({ ...host, 'NAPTR example.com': ['1 1 s SIP+D2T _sip._tcp.example.com'] });
    expect(await resolved(sip, 'sip:example.com')).toEqual(['tcp 192.0.2.1 5060']);
  });

  it('no NAPTR that we can use: SRV of each transport', async () => {
    const { sip } = setup({
      'NAPTR example.com': ['1 1 s SIP+D2S _sip._sctp.example.com'],
      'SRV _sip._tcp.example.com': ['1 0 5060 a.example'],
      'SRV _sips._tcp.example.com': ['1 0 5061 a.example'],
      'A a.example': ['192.0.2.1'],
      'A example.com': ['192.0.2.9'],
    });
    expect(await resolved(sip, 'sip:example.com')).toEqual(['tcp 192.0.2.1 5060', 'tls 192.0.2.1 5061']);
    expect(await resolved(sip, 'sips:example.com')).toEqual(['tls 192.0.2.1 5061']);
  });

  it.each([
    ['the preferred service is not there', { 'SRV _sip._udp.example.com': ['0 0 0 .'] }, []],
    ['another one is not there', { 'SRV _sip._tcp.example.com': ['0 0 0 .'] }, ['udp 192.0.2.1 5060']],
    ['its servers have no addresses', { 'SRV _sip._udp.example.com': ['0 0 5060 nowhere.example'] }, []],
    ['a port is none', { 'SRV _sip._udp.example.com': ['0 0 0 example.com'] }, []],
  ])('when %s', async (_what, records, hops) => {
    const { sip } = setup({ ...host, ...records });
    expect(await resolved(sip, 'sip:example.com')).toEqual(hops);
  });

  it('the families that have sockets', async () => {
    expect(await resolved(setup(host, ['udp:[::1]:0']).sip, 'sip:example.com')).toEqual(['udp 2001:db8::1 5060']);
  });

  it('gives every TLS hop the domain that was asked for, not the name of the server (RFC 5922)', async () => {
    const { sip } = setup({
      'NAPTR example.com': ['1 1 s SIPS+D2T _sips._tcp.provider.example'],
      'SRV _sips._tcp.provider.example': ['1 0 5061 edge.provider.example'],
      'A edge.provider.example': ['192.0.2.1', '192.0.2.2'],
    });
    expect((await sip.resolve('sip:alice@Example.COM.')).map(({ serverName }) => serverName)).toEqual([
      'example.com',
      'example.com',
    ]);
  });

  it('bounds what a domain can make us ask', async () => {
    const many = Array.from({ length: 100 }, (_, i) => i);
    const records: Record<string, string[]> = {
      'NAPTR example.com': many.map((i) => `${i} 1 s SIP+D2U _sip._udp.n${i}.example`),
    };
    for (const i of many) {
      records[`SRV _sip._udp.n${i}.example`] = many.map((j) => `${j} 0 5060 h${j}.n${i}.example`);
      records[`A h${i}.n0.example`] = many.map((j) => `10.0.${i}.${j}`);
    }
    const { sip, asked } = setup(records);
    expect((await sip.resolve('sip:example.com')).length).toBe(32 * 8);
    expect(asked.length).toBe(1 + 8 + 32);
  });
});

describe('the order of servers (RFC 2782)', () => {
  const service = (records: readonly string[], also: (name: string) => string[] = () => []) => {
    const hosts = records.map((record) => record.split(' ')[3]!);
    return {
      'SRV _sip._udp.example.com': records,
      ...Object.fromEntries(hosts.map((name) => [`A ${name}`, [`10.0.0.${name.slice(1)}`, ...also(name)]])),
    };
  };
  const uri = 'sip:example.com;transport=udp';

  it('is by priority, and drawn anew each time within one', async () => {
    const { sip } = setup(service(['20 5 5060 h3', '10 1 5060 h1', '10 1 5060 h2', '30 1 5060 h4']));
    const first = await sip.resolve(uri);
    const orders = new Set<string>();
    for (let i = 0; i < 100; i++) {
      const hops = sip.resolve(uri) as readonly Hop[];
      expect(hops.slice(2)).toEqual(first.slice(2));
      orders.add(hops.map(({ host }) => host).join());
    }
    expect([...orders].sort()).toEqual(['10.0.0.1,10.0.0.2,10.0.0.3,10.0.0.4', '10.0.0.2,10.0.0.1,10.0.0.3,10.0.0.4']);
  });

  it('is always the same list where there is no choice', async () => {
    const { sip } = setup(service(['20 5 5060 h2', '10 1 5060 h1']));
    const hops = await sip.resolve(uri);
    expect(hops.map(({ host }) => host)).toEqual(['10.0.0.1', '10.0.0.2']);
    expect(sip.resolve(uri)).toBe(hops);
  });

  it.each([
    ['weights', [1, 2, 3, 4], [0.1, 0.2, 0.3, 0.4]],
    ['a weight of 0, which gets very little', [0, 99, 0], [0.005, 0.99, 0.005]],
    ['no weights at all', [0, 0, 0, 0], [0.25, 0.25, 0.25, 0.25]],
  ])('gives the first place by %s', async (_what, weights, shares) => {
    const { sip } = setup(service(weights.map((weight, i) => `10 ${weight} 5060 h${i}`)));
    await sip.resolve(uri);
    const first = weights.map(() => 0);
    const runs = 20_000;
    for (let i = 0; i < runs; i++) first[Number((sip.resolve(uri) as Hop[])[0]!.host.slice(7))]!++;
    for (const [i, share] of shares.entries()) expect(Math.abs(first[i]! / runs - share)).toBeLessThan(0.015);
  });

  it('has every hop exactly once, whatever priorities and weights', async () => {
    const records = fc.uniqueArray(
      fc.record({ priority: fc.nat(3), weight: fc.oneof(fc.constant(0), fc.nat(65_535)), host: fc.nat(250) }),
      { selector: ({ host }) => host, minLength: 1, maxLength: 20 },
    );
    await fc.assert(
      fc.asyncProperty(records, fc.nat(), async (list, seed) => {
        const lines = list.map(({ priority, weight, host }) => `${priority} ${weight} 5060 h${host}`);
        // The servers of odd numbers have a second address.
        const also = (name: string) => (Number(name.slice(1)) % 2 ? [`10.0.1.${name.slice(1)}`] : []);
        const { sip } = setup(service(lines, also), undefined, chance(seed));
        const byHost = new Map(
          list.flatMap(({ priority, host }) =>
            [`10.0.0.${host}`, ...also(`h${host}`)].map((address) => [address, priority] as const),
          ),
        );
        for (const hops of [await sip.resolve(uri), await sip.resolve(uri)]) {
          expect(hops.map(({ host }) => host).sort()).toEqual([...byHost.keys()].sort());
          const priorities = hops.map(({ host }) => byHost.get(host)!);
          expect(priorities).toEqual([...priorities].sort((a, b) => a - b));
        }
      }),
      { numRuns: 200, seed: 1 },
    );
  });

  it('names a server once that stands there twice', async () => {
    const { sip } = setup(service(['10 0 5060 h1', '20 0 5060 h1', '30 0 5061 h1']));
    expect(await resolved(sip, uri)).toEqual(['udp 10.0.0.1 5060', 'udp 10.0.0.1 5061']);
  });
});

describe('what is known', () => {
  it('is asked for once, however many wait, and kept for the shortest time', async () => {
    const { sip, asked, clock } = setup({
      'A a.example.com': [
        { host: '192.0.2.1', ttl: 300 },
        { host: '192.0.2.2', ttl: 20 },
      ],
    });
    const [first, second] = await Promise.all([
      sip.resolve('sip:A.example.com:5070'),
      sip.resolve('sip:x@a.example.com.:5070;lr'),
    ]);
    expect(first).toEqual(second);
    expect(asked).toEqual(['A a.example.com']);
    clock.advance(19_999);
    expect(sip.resolve('sip:a.example.com:5070')).toBe(first);
    clock.advance(1);
    await sip.resolve('sip:a.example.com:5070');
    expect(asked).toHaveLength(2);
    expect(clock.pending).toBe(0);
  });

  it('is kept for a second at least and an hour at most', async () => {
    const { sip, clock } = setup({
      'A low.example': [{ host: '192.0.2.1', ttl: 0 }],
      'A high.example': [{ host: '192.0.2.1', ttl: 1e9 }],
    });
    await Promise.all([sip.resolve('sip:low.example:1'), sip.resolve('sip:high.example:1')]);
    clock.advance(999);
    expect(sip.resolve('sip:low.example:1')).toHaveLength(1);
    clock.advance(1);
    expect(sip.resolve('sip:low.example:1')).toBeInstanceOf(Promise);
    clock.advance(3_598_999);
    expect(sip.resolve('sip:high.example:1')).toHaveLength(1);
    clock.advance(1);
    expect(sip.resolve('sip:high.example:1')).toBeInstanceOf(Promise);
  });

  it('remembers briefly that a name leads nowhere, more briefly when nobody could tell', async () => {
    const { sip, clock, names } = setup();
    expect(await sip.resolve('sip:nowhere.example')).toEqual([]);
    names.down.add('A').add('SRV').add('NAPTR');
    expect(await sip.resolve('sip:down.example')).toEqual([]);
    clock.advance(999);
    expect([sip.resolve('sip:nowhere.example'), sip.resolve('sip:down.example')]).toEqual([[], []]);
    clock.advance(1);
    expect(sip.resolve('sip:down.example')).toBeInstanceOf(Promise);
    clock.advance(3999);
    expect(sip.resolve('sip:nowhere.example')).toEqual([]);
    clock.advance(1);
    expect(sip.resolve('sip:nowhere.example')).toBeInstanceOf(Promise);
  });

  it('is bounded, the oldest goes first', async () => {
    const { sip, asked } = setup();
    for (let i = 0; i <= 10_000; i++) sip.resolve(`sip:n${i}.example:5060`);
    const { length } = asked;
    await sip.resolve('sip:n10000.example:5060');
    expect(asked).toHaveLength(length);
    await sip.resolve('sip:n0.example:5060');
    expect(asked).toHaveLength(length + 1);
  });

  const SERVICE = {
    'SRV _sip._udp.example.com': ['1 0 5070 a.example'],
    'A a.example': ['192.0.2.1'],
    'A example.com': ['192.0.2.99'],
  };

  it('stays in use while nobody can tell, for a day', async () => {
    const { sip, clock, names } = setup(SERVICE);
    const hops = await sip.resolve('sip:example.com');
    clock.advance(TTL * 1000);
    // With SRV down, the host itself would be the wrong answer.
    names.down.add('SRV');
    expect(await sip.resolve('sip:example.com')).toEqual(hops);
    const { length } = names.asked;
    clock.advance(29_999);
    expect(sip.resolve('sip:example.com')).toEqual(hops);
    expect(names.asked).toHaveLength(length);
    names.down.add('A').add('NAPTR');
    clock.advance(86_370_000);
    expect(await sip.resolve('sip:example.com')).toEqual(hops);
    clock.advance(30_001);
    expect(await sip.resolve('sip:example.com')).toEqual([]);
    names.down.clear();
    clock.advance(1000);
    expect(await sip.resolve('sip:example.com')).toEqual(hops);
  });

  it('gives way to an answer, also when that is: nothing', async () => {
    const { sip, clock, names } = setup({ ...SERVICE });
    await sip.resolve('sip:example.com');
    clock.advance(TTL * 1000);
    for (const question of Object.keys(names.records)) delete names.records[question];
    expect(await sip.resolve('sip:example.com')).toEqual([]);
  });

  it('is used after 1.8 s of waiting, and the answer when it comes', async () => {
    const { sip, clock, names } = setup(SERVICE);
    const hops = await sip.resolve('sip:example.com');
    clock.advance(TTL * 1000);
    names.hangs.add('NAPTR');
    let got: readonly Hop[] | undefined;
    void Promise.resolve(sip.resolve('sip:example.com')).then((found) => {
      got = found;
    });
    clock.advance(1799);
    await settled();
    expect(got).toBeUndefined();
    clock.advance(1);
    await settled();
    expect(got).toEqual(hops);
    expect(sip.resolve('sip:example.com')).toEqual(hops);
    // The search itself ends after 10 s.
    clock.advance(8200);
    await settled();
    expect(clock.pending).toBe(0);
  });

  it('of a part is used, but not for long', async () => {
    const { sip, clock, names } = setup(SERVICE);
    names.down.add('SRV');
    expect(await resolved(sip, 'sip:example.com')).toEqual(['udp 192.0.2.99 5060']);
    clock.advance(4999);
    expect(sip.resolve('sip:example.com')).toHaveLength(1);
    names.records['A example.com'] = ['192.0.2.98'];
    clock.advance(1);
    expect(await resolved(sip, 'sip:example.com')).toEqual(['udp 192.0.2.98 5060']);
    names.down.delete('SRV');
    clock.advance(5000);
    expect(await resolved(sip, 'sip:example.com')).toEqual(['udp 192.0.2.1 5070']);
  });

  it('is not used in place of an answer when it was: nothing', async () => {
    const { sip, clock, names } = setup();
    expect(await sip.resolve('sip:example.com')).toEqual([]);
    Object.assign(names.records, SERVICE);
    names.down.add('NAPTR');
    clock.advance(5000);
    expect(await resolved(sip, 'sip:example.com')).toEqual(['udp 192.0.2.1 5070']);
  });

  it('never waits for ever', async () => {
    const { sip, clock, names } = setup(SERVICE);
    for (const type of ['NAPTR', 'SRV', 'A']) names.hangs.add(type);
    const answer = sip.resolve('sip:example.com');
    clock.advance(10_000);
    expect(await answer).toEqual([]);
    expect(clock.pending).toBe(0);
    // What would have come next is not asked for in vain.
    expect(names.asked).toEqual(['NAPTR example.com']);
  });

  it('survives a name service that throws', async () => {
    const broken = () => {
      throw new Error('fault of the service');
    };
    const names: NameService = { addresses: broken, srv: broken, naptr: broken };
    expect(await embeddedSip({ listen: ['udp:127.0.0.1:0'], names }).resolve('sip:x.example.com')).toEqual([]);
  });
});
