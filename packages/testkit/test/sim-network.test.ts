import { type Datagram, Ladder, SimClock, SimNetwork, SimRandom } from '@pua/testkit';

const A = '10.0.0.1';
const B = '10.0.0.2';

async function setup(seed = 1) {
  const clock = new SimClock();
  const network = new SimNetwork(clock, new SimRandom(seed));
  const received: string[] = [];
  const a = await network.bind(A, 5060, (data, host, port) => received.push(`a<${host}:${port} ${Buffer.from(data)}`));
  const b = await network.bind(B, 5060, (data, host, port) => received.push(`b<${host}:${port} ${Buffer.from(data)}`));
  const taps: Datagram[] = [];
  network.tap((datagram) => taps.push(datagram));
  return { clock, network, received, a, b, taps };
}

const bytes = (text: string) => Buffer.from(text);

test('carries datagrams both ways, never within the call, whatever the sender does with its buffer', async () => {
  const { clock, received, a, b } = await setup();
  const buffer = bytes('one');
  a.send(buffer, 5060, B);
  buffer.fill('x');
  expect(received).toEqual([]);
  clock.advance(0);
  b.send(bytes('two'), 5060, A);
  clock.advance(0);
  expect(received).toEqual(['b<10.0.0.1:5060 one', 'a<10.0.0.2:5060 two']);
  expect(clock.pending).toBe(0);
});

test('port 0 takes a free one, an address in use and a wildcard are refused, a closed one is free again', async () => {
  const { network, a } = await setup();
  const [x, y] = [await network.bind(A, 0, () => undefined), await network.bind(A, 0, () => undefined)];
  expect(x.port).toBeGreaterThan(0);
  expect(y.port).not.toBe(x.port);
  await expect(network.bind(A, 5060, () => undefined)).rejects.toMatchObject({ code: 'EADDRINUSE' });
  await expect(network.bind('0.0.0.0', 5060, () => undefined)).rejects.toThrow('bind to one address');
  expect(network.sockets).toBe(4);
  await a.close();
  await network.bind(A, 5060, () => undefined);
  // The first owner is gone for good: its close must not touch the new one.
  await a.close();
  expect(network.sockets).toBe(4);
});

test('a datagram to nobody, or to a socket that closes meanwhile, is shown as such', async () => {
  const { clock, received, a, b, taps } = await setup();
  a.send(bytes('x'), 9, B);
  a.send(bytes('y'), 5060, B);
  await b.close();
  b.send(bytes('z'), 5060, A);
  clock.advance(0);
  expect(received).toEqual([]);
  expect(taps.map(({ to, fate }) => `${to} ${fate}`)).toEqual(['10.0.0.2:9 nobody', '10.0.0.2:5060 nobody']);
});

test('loss takes its share, the same one for the same seed', async () => {
  const run = async (seed: number) => {
    const { clock, network, received, a } = await setup(seed);
    network.setFaults({ loss: 0.3 });
    for (let i = 0; i < 2000; i++) a.send(bytes(String(i)), 5060, B);
    clock.advance(0);
    return received;
  };
  const first = await run(1);
  expect(Math.abs(first.length - 1400)).toBeLessThan(80);
  expect(await run(1)).toEqual(first);
  expect(await run(2)).not.toEqual(first);
});

test('a range of delays reorders, within its limits', async () => {
  const { clock, network, received, a, taps } = await setup();
  network.setFaults({ delay: [10, 50] });
  for (let i = 0; i < 100; i++) a.send(bytes(String(i)), 5060, B);
  clock.advance(9);
  expect(received).toEqual([]);
  clock.advance(41);
  const order = received.map((line) => Number(line.split(' ')[1]));
  expect(order).toHaveLength(100);
  expect(order).not.toEqual([...order].sort((x, y) => x - y));
  for (const { sentAt, at } of taps) {
    expect(at - sentAt).toBeGreaterThanOrEqual(10);
    expect(at - sentAt).toBeLessThanOrEqual(50);
  }
});

test('duplicates arrive twice', async () => {
  const { clock, network, received, a } = await setup();
  network.setFaults({ duplicate: 1, delay: [1, 9] });
  a.send(bytes('x'), 5060, B);
  clock.advance(9);
  expect(received).toHaveLength(2);
});

test('faults of one direction replace the general ones', async () => {
  const { clock, network, received, a, b } = await setup();
  network.setFaults({ loss: 1 });
  network.setFaults({}, { from: A, to: `${B}:5060` });
  a.send(bytes('x'), 5060, B);
  b.send(bytes('y'), 5060, A);
  clock.advance(0);
  expect(received).toEqual(['b<10.0.0.1:5060 x']);
});

test('a partition cuts both ways, also what is on its way, until it heals', async () => {
  const { clock, network, received, a, b, taps } = await setup();
  network.setFaults({ delay: [10, 10] });
  a.send(bytes('on its way'), 5060, B);
  network.partition(B);
  a.send(bytes('in'), 5060, B);
  b.send(bytes('out'), 5060, A);
  clock.advance(10);
  expect(received).toEqual([]);
  expect(taps.map(({ fate }) => fate)).toEqual(['partitioned', 'partitioned', 'partitioned']);
  network.heal(B);
  a.send(bytes('again'), 5060, B);
  network.partition(`${B}:9`);
  clock.advance(10);
  expect(received).toEqual(['b<10.0.0.1:5060 again']);
});

test('impossible faults are refused', async () => {
  const { network } = await setup();
  expect(() => network.setFaults({ loss: 2 })).toThrow('loss is a probability in 0..1, not 2');
  expect(() => network.setFaults({ delay: [5, 1] })).toThrow('delay is [min, max]');
});

test('the ladder shows first line, CSeq and fate', async () => {
  const { clock, network, a, b } = await setup();
  const ladder = new Ladder(network, 2);
  a.send(bytes('\r\n\r\n'), 5060, B);
  clock.advance(20);
  a.send(bytes('PUBLISH sip:alice@example.com SIP/2.0\r\nCSeq: 7 PUBLISH\r\n\r\n'), 5060, B);
  clock.advance(0);
  network.partition(A);
  b.send(bytes('SIP/2.0 200 OK\r\nCSeq: 7 PUBLISH\r\n\r\n'), 5060, A);
  expect(ladder.text().split('\n')).toEqual([
    '    0.020  10.0.0.1:5060 -> 10.0.0.2:5060  PUBLISH sip:alice@example.com (7 PUBLISH)',
    '    0.020  10.0.0.2:5060 -> 10.0.0.1:5060  200 OK (7 PUBLISH)  (partitioned)',
  ]);
  ladder.close();
  network.heal();
  a.send(bytes('x'), 5060, B);
  clock.advance(0);
  expect(ladder.datagrams).toHaveLength(2);
});
