/** Requests that are too large for a datagram (RFC 3261 18.1.1), to a peer whose UDP and TCP port have one number. */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import type { Hop, Outcome } from '@pua/core';
import { type EmbeddedSip, type EmbeddedSipOptions, embeddedSip } from '@pua/sip';
import { RawServer, startDeafPort } from './raw';
import { ManualClock, publish, until } from './support';

const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  for (const clean of cleanUp.splice(0).reverse()) await clean();
});

interface Udp {
  readonly socket: Socket;
  readonly texts: string[];
}

/** A UDP socket that answers each request with 200. */
async function udpPeer(port: number): Promise<Udp> {
  const socket = createSocket('udp4');
  const texts: string[] = [];
  socket.on('message', (data, from) => {
    const text = data.toString();
    texts.push(text);
    const copied = ['Via', 'From', 'To', 'Call-ID', 'CSeq'].map((name) => new RegExp(`\r\n${name}: .*`).exec(text)![0]);
    socket.send(`SIP/2.0 200 OK${copied.join('')}\r\n\r\n`, from.port, from.address);
  });
  socket.bind(port, '127.0.0.1');
  await once(socket, 'listening');
  cleanUp.push(() => new Promise<void>((closed) => socket.close(closed)));
  return { socket, texts };
}

async function engine(options: Partial<EmbeddedSipOptions> = {}): Promise<EmbeddedSip> {
  const sip = embeddedSip({ listen: ['udp:127.0.0.1:0'], ...options });
  await sip.start(() => undefined);
  cleanUp.push(() => sip.stop(0));
  return sip;
}

const ask = (sip: EmbeddedSip, port: number, size: number, cseq = 1) => {
  const hop: Hop = { transport: 'udp', host: '127.0.0.1', port };
  const body = { type: 'text/plain', content: 'x'.repeat(size) };
  return new Promise<Outcome>((resolve) => sip.request(publish({ hop, cseq, body }), resolve));
};

const answered = { kind: 'response', status: 200 };

test('over 1300 bytes: by TCP, and the Via says so; up to 1300: by UDP', async () => {
  const tcp = await RawServer.start();
  cleanUp.push(() => tcp.close());
  const udp = await udpPeer(tcp.port);
  const sip = await engine();
  expect(await ask(sip, tcp.port, 500)).toMatchObject(answered);
  const exact = 500 + 1300 - Buffer.byteLength(udp.texts[0]!);
  expect(await ask(sip, tcp.port, exact)).toMatchObject(answered);
  expect(Buffer.byteLength(udp.texts[1]!)).toBe(1300);

  const large = ask(sip, tcp.port, exact + 1);
  const peer = await tcp.end(0);
  await peer.until(/x{500}$/);
  const [{ port }] = sip.addresses as [Hop];
  expect(peer.text).toContain(`Via: SIP/2.0/TCP 127.0.0.1:${port};branch=`);
  peer.answer('200 OK');
  expect(await large).toMatchObject(answered);
  expect(udp.texts).toHaveLength(2);
  expect(sip.contact('tok', { transport: 'udp', host: '127.0.0.1', port: tcp.port })).toBe(`sip:tok@127.0.0.1:${port}`);
});

test('a hop that refuses TCP gets it by UDP, as a new transaction, and is not asked again for 10 minutes', async () => {
  const tcp = await RawServer.start();
  await tcp.close();
  const udp = await udpPeer(tcp.port);
  const clock = new ManualClock();
  const sip = await engine({ clock });
  expect(await ask(sip, tcp.port, 2000, 1)).toMatchObject(answered);
  expect(udp.texts[0]).toMatch(/\r\nVia: SIP\/2\.0\/UDP /);

  const again = await RawServer.start(tcp.port);
  cleanUp.push(() => again.close());
  clock.advance(599_999);
  expect(await ask(sip, tcp.port, 2000, 2)).toMatchObject(answered);
  expect(again.ends).toHaveLength(0);
  clock.advance(1);
  void ask(sip, tcp.port, 2000, 3);
  await (await again.end(0)).until(/x{2000}$/);
  expect(udp.texts).toHaveLength(2);
  const branches = udp.texts.map((text) => /branch=([^;]+)/.exec(text)![1]);
  expect(new Set(branches).size).toBe(2);
});

test('a hop that is silent on TCP gets it by UDP after 2 s', async () => {
  const deaf = await startDeafPort();
  cleanUp.push(() => deaf.close());
  const udp = await udpPeer(deaf.port);
  const clock = new ManualClock();
  const sip = await engine({ clock });
  const asked = [ask(sip, deaf.port, 2000, 1), ask(sip, deaf.port, 2000, 2)];
  for (let i = 0; i < 3; i++) await new Promise((turn) => setImmediate(turn));
  clock.advance(1_990);
  expect(udp.texts).toEqual([]);
  clock.advance(20);
  expect(await Promise.all(asked)).toMatchObject([answered, answered]);
  expect(sip.stats()).toMatchObject({ clientTransactions: 0, connections: { opened: 0 } });
  expect(await ask(sip, deaf.port, 2000, 3)).toMatchObject(answered);
});

test('a hop whose TCP port takes everything and answers nothing is not trusted again', async () => {
  const tcp = await RawServer.start();
  cleanUp.push(() => tcp.close());
  const udp = await udpPeer(tcp.port);
  const clock = new ManualClock();
  const sip = await engine({ clock });
  const first = ask(sip, tcp.port, 2000, 1);
  await (await tcp.end(0)).until(/x{2000}$/);
  clock.advance(32_010);
  expect(await first).toEqual({ kind: 'timeout', cseq: 1 });
  expect(await ask(sip, tcp.port, 2000, 2)).toMatchObject(answered);
  expect(udp.texts).toHaveLength(1);
});

test('what has left by TCP never goes by UDP too', async () => {
  const tcp = await RawServer.start();
  cleanUp.push(() => tcp.close());
  const udp = await udpPeer(tcp.port);
  const sip = await engine();
  const asked = ask(sip, tcp.port, 2000);
  const peer = await tcp.end(0);
  await peer.until(/x{2000}$/);
  peer.socket.destroy();
  expect(await asked).toMatchObject({ kind: 'unreachable', sent: true });
  expect(udp.texts).toEqual([]);
});

test('the deadline is that of the request, whatever the way', async () => {
  const deaf = await startDeafPort();
  cleanUp.push(() => deaf.close());
  const clock = new ManualClock();
  const sip = await engine({ clock });
  const hop: Hop = { transport: 'udp', host: '127.0.0.1', port: deaf.port };
  const body = { type: 'text/plain', content: 'x'.repeat(2000) };
  const asked = new Promise<Outcome>((resolve) => sip.request(publish({ hop, body, timeoutMs: 3_000 }), resolve));
  await udpPeerThatIsSilent(deaf.port);
  clock.advance(2_100);
  clock.advance(800);
  expect(sip.stats().clientTransactions).toBe(1);
  clock.advance(110);
  expect(await asked).toMatchObject({ kind: 'timeout' });
});

async function udpPeerThatIsSilent(port: number): Promise<void> {
  const socket = createSocket('udp4');
  socket.bind(port, '127.0.0.1');
  await once(socket, 'listening');
  cleanUp.push(() => new Promise<void>((closed) => socket.close(closed)));
}

test('udpMtu moves the border, Infinity takes it away, and without TCP the limit of UDP holds', async () => {
  const tcp = await RawServer.start();
  cleanUp.push(() => tcp.close());
  const udp = await udpPeer(tcp.port);
  const low = await engine({ udpMtu: 500 });
  void ask(low, tcp.port, 400);
  await (await tcp.end(0)).until(/x{400}$/);
  const never = await engine({ udpMtu: Number.POSITIVE_INFINITY });
  expect(await ask(never, tcp.port, 60_000)).toMatchObject(answered);
  expect(await ask(never, tcp.port, 70_000)).toEqual({ kind: 'tooLarge', limit: 64_000 });
  expect(tcp.ends).toHaveLength(1);
  await until(() => udp.texts.length === 1);
});
