import { PuaError } from '@pua/core';
import { embeddedSip, type HostAddress, type NameService } from '@pua/sip';
import { ManualClock } from './support';

function setup(records: Record<string, HostAddress[]> = {}, listen = ['udp:127.0.0.1:0', 'udp:[::1]:0']) {
  const clock = new ManualClock();
  const asked: string[] = [];
  const names: NameService = {
    addresses: async (name, family) => {
      asked.push(`${name}/${family}`);
      return (records[name] ?? []).filter(({ host }) => host.includes(':') === (family === 6));
    },
  };
  return { clock, asked, sip: embeddedSip({ listen, clock, names }) };
}

it.each([
  ['sip:alice@192.0.2.1', [{ transport: 'udp', host: '192.0.2.1', port: 5060 }]],
  ['sip:192.0.2.1:5070;transport=TCP', [{ transport: 'tcp', host: '192.0.2.1', port: 5070 }]],
  ['sip:[2001:db8::1]', [{ transport: 'udp', host: '2001:db8::1', port: 5060 }]],
  ['sip:[2001:db8::1]:5062;transport=ws', [{ transport: 'ws', host: '2001:db8::1', port: 5062 }]],
  ['sips:192.0.2.1', [{ transport: 'tls', host: '192.0.2.1', port: 5061, serverName: '192.0.2.1' }]],
  ['sips:192.0.2.1;transport=ws', [{ transport: 'wss', host: '192.0.2.1', port: 443, serverName: '192.0.2.1' }]],
  ['sip:192.0.2.1;transport=tls', [{ transport: 'tls', host: '192.0.2.1', port: 5061, serverName: '192.0.2.1' }]],
  ['sip:example.com;maddr=192.0.2.9', [{ transport: 'udp', host: '192.0.2.9', port: 5060 }]],
  ['sip:192.0.2.1;transport=sctp', []],
  [
    'sip:localhost:5080',
    [
      { transport: 'udp', host: '127.0.0.1', port: 5080 },
      { transport: 'udp', host: '::1', port: 5080 },
    ],
  ],
])('%s at once', (uri, hops) => {
  const { sip, asked } = setup();
  expect(sip.resolve(uri)).toEqual(hops);
  expect(sip.resolve(uri)).toEqual(hops);
  expect(asked).toEqual([]);
});

it.each(['tel:+1', 'sip:', '<sip:a@b>', ''])('throws for %j', (uri) => {
  expect(() => setup().sip.resolve(uri)).toThrow(PuaError);
});

it('asks for names once, keeps them for their time, and knows only the families it has', async () => {
  const { sip, asked, clock } = setup({
    'a.example.com': [
      { host: '192.0.2.1', ttl: 300 },
      { host: '192.0.2.2', ttl: 20 },
      { host: '2001:db8::1', ttl: 300 },
    ],
  });
  const [first, second] = await Promise.all([
    sip.resolve('sip:A.example.com'),
    sip.resolve('sip:x@a.example.com.:5070'),
  ]);
  expect(first.map((hop) => hop.host)).toEqual(['192.0.2.1', '192.0.2.2', '2001:db8::1']);
  expect(second.map((hop) => hop.port)).toEqual([5070, 5070, 5070]);
  expect(asked).toEqual(['a.example.com/4', 'a.example.com/6']);
  clock.advance(19_999);
  expect(sip.resolve('sip:a.example.com')).toEqual(first);
  clock.advance(1);
  await sip.resolve('sip:a.example.com');
  expect(asked).toHaveLength(4);
  const four = setup(
    {
      b: [
        { host: '192.0.2.1', ttl: 1 },
        { host: '::2', ttl: 1 },
      ],
    },
    ['udp:127.0.0.1:0'],
  );
  expect(await four.sip.resolve('sip:b')).toEqual([{ transport: 'udp', host: '192.0.2.1', port: 5060 }]);
});

it('remembers briefly that a name leads nowhere, also when the service fails', async () => {
  const { sip, asked, clock } = setup();
  expect(await sip.resolve('sip:nowhere.example.com')).toEqual([]);
  expect(sip.resolve('sip:nowhere.example.com')).toEqual([]);
  clock.advance(5000);
  await sip.resolve('sip:nowhere.example.com');
  expect(asked).toHaveLength(4);
  const names: NameService = { addresses: () => Promise.reject(new Error('down')) };
  expect(await embeddedSip({ listen: ['udp:127.0.0.1:0'], names }).resolve('sip:x.example.com')).toEqual([]);
});
