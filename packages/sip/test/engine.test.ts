import { PuaError } from '@pua/core';
import { embeddedSip, systemRandom } from '@pua/sip';
import { bench, incoming, ManualClock, MemoryNet, publish, sender, settled } from './support';

describe('options', () => {
  it.each([
    [{ listen: [] }, 'listen is empty'],
    [{ listen: ['127.0.0.1:5060'] }, 'udp:127.0.0.1:5060'],
    [{ listen: ['udp:localhost:5060'] }, 'localhost'],
    [{ listen: ['udp:127.0.0.1:99999'] }, '99999'],
    [{ listen: ['udp:127.0.0.999:1'] }, '127.0.0.999'],
    [{ listen: ['sctp:127.0.0.1:5060'] }, 'use udp, tcp, tls, ws or wss'],
    [{ listen: ['tls:127.0.0.1:5061'] }, 'listen "tls:127.0.0.1:5061": needs a certificate; give tls.cert and tls.key'],
    [{ listen: ['udp:127.0.0.1:0'], udpMtu: Number.NaN }, 'udpMtu'],
    [{ listen: ['udp:127.0.0.1:0'], maxConnections: 0 }, 'maxConnections'],
    [{ listen: ['udp:127.0.0.1:0'], advertise: 'a b' }, 'advertise'],
    [{ listen: ['udp:127.0.0.1:0'], userAgent: 'x\r\nEvil: y' }, 'userAgent'],
    [{ listen: ['udp:127.0.0.1:0'], t1: 0 }, 't1'],
    [{ listen: ['udp:127.0.0.1:0'], maxServerTransactions: Number.NaN }, 'maxServerTransactions'],
  ])('%j', (options, text) => {
    expect(() => embeddedSip(options)).toThrow(expect.objectContaining({ code: 'PUA_ERR_OPTION' }));
    expect(() => embeddedSip(options)).toThrow(text);
  });
});

describe('start and stop', () => {
  it('names the address that is in use and leaves nothing open', async () => {
    const net = new MemoryNet(new ManualClock());
    const taken = embeddedSip({ listen: ['udp:10.0.0.1:5060'], bindDatagram: net.bind });
    await taken.start(() => undefined);
    const second = embeddedSip({ listen: ['udp:10.0.0.1:0', 'udp:10.0.0.1:5060'], bindDatagram: net.bind });
    const failed = second.start(() => undefined);
    await expect(failed).rejects.toMatchObject({
      code: 'PUA_ERR_LISTEN',
      message: expect.stringContaining('udp:10.0.0.1:5060'),
    });
    expect(net.sockets).toBe(1);
    expect(second.addresses).toEqual([]);
    await expect(taken.start(() => undefined)).rejects.toMatchObject({ code: 'PUA_ERR_STATE' });
    await taken.stop(0);
    expect(net.sockets).toBe(0);
    await second.start(() => undefined);
    expect(second.addresses).toHaveLength(2);
    await second.stop(0);
  });

  it('settles requests before the start and after the stop', async () => {
    const clock = new ManualClock();
    const engine = embeddedSip({ listen: ['udp:10.0.0.1:5060'], clock, bindDatagram: new MemoryNet(clock).bind });
    const { outcomes, send } = sender(engine);
    send();
    await settled();
    expect(() => engine.contact('x', publish().hop)).toThrow(PuaError);
    await engine.start(() => undefined);
    await engine.stop(0);
    send();
    await settled();
    expect(outcomes).toMatchObject([
      { kind: 'unreachable', sent: false, cause: { message: expect.stringContaining('not been started') } },
      { kind: 'unreachable', sent: false, cause: { message: expect.stringContaining('stopped') } },
    ]);
  });

  it('stop waits for what runs, at most the grace time', async () => {
    const { engine, clock, peer, net, requests } = await bench();
    const { outcomes, send } = sender(engine);
    send();
    peer.send(incoming('NOTIFY'));
    let stopped = 0;
    const stop = engine.stop(1000).then(() => stopped++);
    const again = engine.stop(5).then(() => stopped++);
    await settled();
    peer.send(incoming('NOTIFY'));
    expect(peer.last.text).toMatch(/^SIP\/2\.0 503 /);
    peer.send(incoming('OPTIONS'));
    expect(peer.seen).toHaveLength(3);
    expect(peer.last.text).toMatch(/^SIP\/2\.0 503 /);
    peer.answer('200 OK', '', peer.seen[0]);
    await settled();
    expect(stopped).toBe(0);
    requests[0]!.reply(200);
    await Promise.all([stop, again]);
    expect([stopped, outcomes.length, net.sockets, clock.pending]).toEqual([2, 1, 0, 0]);
    expect(engine.stats()).toMatchObject({ clientTransactions: 0, serverTransactions: 0, unanswered: 0 });
  });

  it('ends what is left when the grace time is over', async () => {
    const { engine, clock, peer, net } = await bench();
    const { outcomes, send } = sender(engine);
    send();
    peer.send(incoming('NOTIFY'));
    const stop = engine.stop(1000);
    clock.advance(999);
    expect(outcomes).toEqual([]);
    clock.advance(1);
    await stop;
    expect(outcomes).toMatchObject([{ kind: 'unreachable', sent: true }]);
    expect(peer.last.text).toMatch(/^SIP\/2\.0 503 /);
    expect([net.sockets, clock.pending]).toEqual([0, 0]);
    expect(engine.stats()).toMatchObject({ clientTransactions: 0, serverTransactions: 0, unanswered: 0 });
  });
});

describe('contact', () => {
  const four = { transport: 'udp', host: '10.0.0.2', port: 5060 } as const;
  const six = { transport: 'udp', host: 'fd00::2', port: 5060 } as const;

  it('is of the socket that serves the hop', async () => {
    const { engine, peer } = await bench({ listen: ['udp:127.0.0.1:5062', 'udp:10.0.0.1:5060', 'udp:[fd00::1]:5061'] });
    expect(engine.contact('tok', four)).toBe('sip:tok@10.0.0.1:5060');
    expect(engine.contact('a b@c', six)).toBe('sip:a%20b%40c@[fd00::1]:5061');
    expect(engine.contact('x', { ...four, host: '127.0.0.1' })).toBe('sip:x@127.0.0.1:5062');
    expect(engine.contact('x', { ...four, transport: 'tls' })).toBe('sip:x@10.0.0.1:5060');
    expect(engine.isOwnContact('sip:tok@10.0.0.1')).toBe(true);
    expect(engine.isOwnContact('sip:tok@[fd00::1]:5061;transport=UDP')).toBe(true);
    for (const uri of [
      'sip:x@10.0.0.1:5061',
      'sip:x@10.0.0.3:5060',
      'sips:x@10.0.0.1',
      'sip:x@10.0.0.1;transport=tcp',
      'x',
    ]) {
      expect(engine.isOwnContact(uri)).toBe(false);
    }
    sender(engine).send();
    expect(peer.last).toMatchObject({ host: '10.0.0.1', port: 5060 });
    expect(peer.last.text).toContain('Via: SIP/2.0/UDP 10.0.0.1:5060;');
  });

  it('is the advertised address behind NAT, in Via too', async () => {
    const { engine, peer } = await bench({ advertise: 'pua.example.com' });
    expect(engine.contact('tok', four)).toBe('sip:tok@pua.example.com:5060');
    const { outcomes, send } = sender(engine);
    send();
    expect(peer.last.text).toContain('Via: SIP/2.0/UDP pua.example.com:5060;');
    peer.answer('200 OK');
    expect(outcomes).toHaveLength(1);
    expect(engine.isOwnContact('sip:x@PUA.example.com:5060')).toBe(true);
    expect(engine.isOwnContact('sip:x@10.0.0.1:5060')).toBe(false);
    const other = await bench({ advertise: '[2001:db8::5]:7000' });
    expect(other.engine.contact('tok', four)).toBe('sip:tok@[2001:db8::5]:7000');
  });
});

it('tokens are of the agreed characters and never the same', () => {
  const tokens = Array.from({ length: 2000 }, () => systemRandom.token());
  expect(new Set(tokens).size).toBe(2000);
  for (const token of tokens) expect(token).toMatch(/^[0-9a-zA-Z]{14}$/);
});
