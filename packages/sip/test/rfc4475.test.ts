/** The torture tests of RFC 4475: read as they are meant, and answered by a running engine that goes on afterwards. */

import { createSocket } from 'node:dgram';
import { embeddedSip, type ParsedMessage, parseMessage, parseNameAddr, parseUri } from '@pua/sip';
import { INVALID } from './rfc4475/invalid';
import { LAYERS } from './rfc4475/layers';
import type { Address, Case } from './rfc4475/meaning';
import { bytes, NAMES } from './rfc4475/messages';
import { VALID } from './rfc4475/valid';
import { bench, incoming } from './support';

const CASES = [...VALID, ...INVALID, ...LAYERS];

function address(value: string | undefined): Address {
  const { display, uri, parameters } = parseNameAddr(value!)!;
  const tag = parameters.get('tag');
  return { ...(display === undefined ? {} : { display }), uri, ...(tag === undefined ? {} : { tag }) };
}

/** What was read, in the form of the table. */
function meaning(message: ParsedMessage, named: Case['read']): unknown {
  if (message.kind === 'error') return message.reason;
  const { headers, via, cseq, callId } = message;
  const wanted = typeof named === 'object' ? named.headers : undefined;
  const shown = Object.keys(wanted ?? {}).map((name) => {
    const values = headers.all(name);
    return [name, values.length > 1 ? values : (values[0] ?? null)];
  });
  const common = {
    callId,
    cseq: `${cseq.number} ${cseq.method}`,
    from: address(headers.get('From')),
    to: address(headers.get('To')),
    vias: headers.all('Via').flatMap((line) => line.split(',')).length,
    via: { transport: via.transport, sentBy: via.sentBy, ...(via.branch ? { branch: via.branch } : {}) },
    ...(wanted ? { headers: Object.fromEntries(shown) } : {}),
    body: message.body?.bytes.length ?? 0,
  };
  if (message.kind === 'response') return { status: message.status, reason: message.reason, ...common };
  const { method, uri } = message;
  const parsed = parseUri(uri);
  const user = parsed?.user === undefined ? {} : { user: parsed.user };
  return { method, uri, ...(parsed ? { target: { ...user, host: parsed.host } } : {}), ...common };
}

it('knows every message of the RFC', () => {
  expect(CASES.map(({ name }) => name).sort()).toEqual([...NAMES].sort());
  expect(new Set(CASES.map(({ section }) => section)).size).toBe(49);
  // A message that is invalid and read all the same has its reason.
  expect(INVALID.filter(({ read, why }) => typeof read === 'object' && !why)).toEqual([]);
});

describe('is read', () => {
  it.each(CASES.map((one) => [one.section, one.name, one] as const))('%s %s', (_section, name, { read }) => {
    expect(meaning(parseMessage(bytes(name)), read)).toEqual(read);
  });

  it.each([
    ['cparam01', 'sip:+19725552222@gw1.example.net', ['unknownparam']],
    ['cparam02', 'sip:+19725552222@gw1.example.net;unknownparam', []],
    ['regescrt', 'sip:user@example.com?Route=%3Csip:sip.example.com%3E', []],
    ['wsinv', 'sip:jdrosen@example.com', ['newparam', 'secondparam', 'q']],
  ])('the Contact of %s', (name, uri, parameters) => {
    const message = parseMessage(bytes(name));
    const contact = message.kind === 'request' ? parseNameAddr(message.headers.get('Contact')!) : undefined;
    expect([contact?.uri, [...(contact?.parameters.names() ?? [])]]).toEqual([uri, parameters]);
  });

  it('the From of intmeth with a parameter beyond ASCII', () => {
    const message = parseMessage(bytes('intmeth'));
    const from = message.kind === 'request' ? parseNameAddr(message.headers.get('From')!) : undefined;
    expect(from?.parameters.get("fromParam''~+*_!.-%")).toBe('работающий');
  });

  it('the Contact of regbadct as no address', () => {
    const message = parseMessage(bytes('regbadct'));
    if (message.kind !== 'request') throw new Error('no request');
    expect(parseNameAddr(message.headers.get('Contact')!)).toBeUndefined();
  });
});

/** The fields that an answer repeats (RFC 3261 8.2.6.2), out of the head of a message, unfolded. */
function repeated(message: Buffer): string[] {
  const head = message
    .toString('latin1')
    .split('\r\n\r\n')[0]!
    .replace(/\r\n[ \t]+/g, ' ');
  const lines = head.split('\r\n').filter((line) => /^(?:from|f|to|t|call-id|i|cseq) *:/i.test(line));
  return lines.map((line) => line.slice(line.indexOf(':') + 1).trim()).sort();
}

describe('is answered', () => {
  it.each(CASES.map((one) => [one.section, one.name, one] as const))('%s %s', async (_section, name, one) => {
    const { engine, net, requests } = await bench({}, (request) => request.pass());
    const peer = net.peer('10.0.0.2', one.port ?? 5060);
    const message = bytes(name);
    peer.send(message);
    peer.send(message);
    // Each copy is answered, in the same way, by a transaction or without one.
    expect(peer.seen.map(({ text }) => text.slice(0, 12))).toEqual(
      one.answer === undefined ? [] : Array(2).fill(`SIP/2.0 ${one.answer} `),
    );
    if (one.answer !== undefined) {
      const [first, second] = peer.seen;
      expect(second!.text).toBe(first!.text);
      for (const [field, value] of Object.entries(one.answered ?? {})) {
        expect(first!.text).toContain(`\r\n${field}: ${value}\r\n`);
      }
      if (one.answer === 405) expect(first!.text).toContain('\r\nAllow: OPTIONS, NOTIFY\r\n');
      if (typeof one.read === 'object') {
        const tagged = one.read.to.tag !== undefined;
        const answer = tagged
          ? first!.bytes
          : Buffer.from(first!.bytes.toString('latin1').replace(/(\r\nTo: .*);tag=\w+/, '$1'), 'latin1');
        expect(repeated(answer)).toEqual(repeated(message));
        // Answers that the engine gives by itself don't reach a handler; the others do so once.
        expect(requests.length).toBe(
          one.answer === 405 && 'method' in one.read && one.read.method !== 'INVITE' ? 1 : 0,
        );
      } else expect(first!.text.slice(12)).toMatch(new RegExp(`^${one.read}\r\n`));
    }
    const survivor = net.peer('10.0.0.3', 5062);
    survivor.send(incoming('OPTIONS'));
    expect(survivor.last.message).toMatchObject({ kind: 'response', status: 200 });
    expect(engine.stats().unanswered).toBe(0);
  });

  it('one after the other over a socket, an OPTIONS between them', async () => {
    const engine = embeddedSip({ listen: ['udp:127.0.0.1:0'] });
    await engine.start((request) => request.pass());
    const socket = createSocket('udp4');
    await new Promise<void>((bound) => socket.bind(0, '127.0.0.1', bound));
    const { host, port } = engine.addresses[0]!;
    for (const { name } of CASES) {
      const answer = new Promise<string>((resolve) => {
        const take = (data: Buffer) => {
          const text = data.toString('latin1');
          if (!text.includes(`\r\nCall-ID: after-${name}\r\n`)) return;
          socket.off('message', take);
          resolve(text);
        };
        socket.on('message', take);
      });
      socket.send(bytes(name), port, host);
      socket.send(incoming('OPTIONS', { 'Call-ID': `after-${name}` }), port, host);
      expect(await answer).toMatch(/^SIP\/2\.0 200 /);
    }
    socket.close();
    await engine.stop(0);
  });

  it('two requests with no branch but the cookie are two', async () => {
    const { peer, requests } = await bench({}, (request) => request.reply(200));
    const Via = 'SIP/2.0/UDP 10.0.0.2:5070;branch=z9hG4bK';
    const first = incoming('MESSAGE', { Via });
    peer.send(first);
    peer.send(first);
    peer.send(incoming('MESSAGE', { Via, 'Call-ID': 'another' }));
    expect(requests).toHaveLength(2);
    expect(peer.seen).toHaveLength(3);
  });
});
