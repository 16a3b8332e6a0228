/** Engines with each other over real sockets, by each stream transport. */
import type { Hop, IncomingRequest, Outcome, OutgoingRequest, Transport } from '@pua/core';
import { type EmbeddedSip, type EmbeddedSipOptions, embeddedSip } from '@pua/sip';
import { type Certificates, hasOpenssl, makeCertificates } from './certificates';
import { startRelay } from './raw';
import { publish, until } from './support';

let certificates: Certificates | undefined;
beforeAll(() => {
  if (hasOpenssl) certificates = makeCertificates();
});
afterAll(() => certificates?.remove());

const running: EmbeddedSip[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((sip) => sip.stop(0)));
});

async function engine(options: EmbeddedSipOptions, handler: (request: IncomingRequest) => void = (r) => r.reply(200)) {
  const sip = embeddedSip(options);
  await sip.start(handler);
  running.push(sip);
  return sip;
}

const ask = (sip: EmbeddedSip, change: Partial<OutgoingRequest>) =>
  new Promise<Outcome>((resolve) => sip.request(publish(change), resolve));

/** The hop to a listener, as resolve() gives it. */
function hopTo(sip: EmbeddedSip, transport: Transport): Hop {
  const { host, port } = sip.addresses.find((address) => address.transport === transport)!;
  const secure = transport === 'tls' || transport === 'wss';
  return { transport, host, port, ...(secure ? { serverName: 'sip.example.com' } : {}) };
}

const serverTls = () => ({ ...certificates?.server, ...clientTls() });
const clientTls = () => (certificates ? { ca: certificates.ca } : {});

describe.each(['tcp', 'ws'] as const)('%s', carries);
(hasOpenssl ? describe : describe.skip).each(['tls', 'wss'] as const)('%s', carries);

function carries(transport: Transport): void {
  it.each(['127.0.0.1', '[::1]'])('carries requests and answers on one connection, %s', async (host) => {
    const server = await engine({ listen: [`${transport}:${host}:0`], tls: serverTls() }, (r) =>
      r.reply(200, [['SIP-ETag', `${r.body?.text()} ${r.source.transport}`]]),
    );
    const client = await engine({ listen: [`udp:${host}:0`], tls: clientTls() });
    const hop = hopTo(server, transport);
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, i) =>
        ask(client, { hop, cseq: i, body: { type: 'text/plain', content: `ü${i}` } }),
      ),
    );
    for (const [i, answer] of answers.entries()) {
      if (answer.kind !== 'response') throw answer.kind === 'unreachable' ? answer.cause : new Error(answer.kind);
      expect([answer.status, answer.cseq, answer.headers.get('SIP-ETag')]).toEqual([200, i, `ü${i} ${transport}`]);
      expect(answer.headers.get('Via')).toContain(`SIP/2.0/${transport.toUpperCase()} `);
    }
    expect(client.stats()).toMatchObject({
      clientTransactions: 0,
      sent: 50,
      received: 50,
      retransmitted: { requests: 0 },
      connections: { opened: 1, accepted: 0, refused: 0, broken: 0 },
    });
    // Nothing is kept for retransmissions, which don't exist here.
    expect(server.stats()).toMatchObject({ serverTransactions: 0, connections: { opened: 0, accepted: 1 } });
  });

  it('finds a server by an IPv6 address in a URI', async () => {
    const server = await engine({ listen: [`${transport}:[::1]:0`], tls: serverTls() });
    const client = await engine({ listen: ['udp:[::1]:0'], tls: clientTls() });
    const secure = transport === 'tls' || transport === 'wss';
    const uri = `${secure ? 'sips' : 'sip'}:a@[::1]:${server.addresses[0]!.port};transport=${transport}`;
    const [hop] = await client.resolve(uri);
    const outcome = await ask(client, { hop: hop! });
    if (outcome.kind !== 'response') throw outcome.kind === 'unreachable' ? outcome.cause : new Error(outcome.kind);
    expect(outcome.status).toBe(200);
  });

  it('carries bodies that are large, and such that are no text', async () => {
    let got: Uint8Array | undefined;
    const server = await engine({ listen: [`${transport}:127.0.0.1:0`], tls: serverTls() }, (r) => {
      got = r.body!.bytes;
      r.reply(200);
    });
    const client = await engine({ listen: ['udp:127.0.0.1:0'], tls: clientTls() });
    for (const size of [1000, 1_000_000]) {
      const content = Buffer.from(Array.from({ length: size }, (_, i) => (i * 7) & 0xff));
      const answer = await ask(client, {
        hop: hopTo(server, transport),
        body: { type: 'application/octet-stream', content },
      });
      expect([answer.kind, Buffer.compare(content, got!)]).toEqual(['response', 0]);
    }
    const answer = await ask(client, {
      hop: hopTo(server, transport),
      body: { type: 'text/plain', content: 'x'.repeat(1_200_000) },
    });
    expect(answer).toEqual({ kind: 'tooLarge', limit: 1_114_111 });
  });

  it('serves requests of the peer on the connection that we have opened', async () => {
    let source: Hop | undefined;
    const server = await engine({ listen: [`${transport}:127.0.0.1:0`], tls: serverTls() }, (r) => {
      source = r.source;
      r.reply(200);
    });
    const client = await engine({ listen: ['udp:127.0.0.1:0'], tls: clientTls() }, (r) => r.reply(202));
    await ask(client, { hop: hopTo(server, transport) });
    const answer = await ask(server, { method: 'NOTIFY', hop: source! });
    expect(answer).toMatchObject({ kind: 'response', status: 202 });
    expect(server.stats().connections).toMatchObject({ opened: 0, accepted: 1 });
  });

  it('answers by another connection when the one that we have opened is gone', async () => {
    let source: Hop | undefined;
    const server = await engine({ listen: [`${transport}:127.0.0.1:0`], tls: serverTls() }, (r) => {
      source = r.source;
      r.reply(200);
    });
    const relay = await startRelay(server.addresses[0]!);
    let open: IncomingRequest | undefined;
    const client = await engine({ listen: ['udp:127.0.0.1:0'], tls: clientTls() }, (r) => {
      open = r;
    });
    await ask(client, { hop: { ...hopTo(server, transport), port: relay.port } });
    const asked = ask(server, { method: 'NOTIFY', hop: source! });
    await until(() => open !== undefined);
    relay.cut();
    await until(() => client.stats().connections.opened === 0);
    expect(await asked).toMatchObject({ kind: 'unreachable', sent: true });
    open!.reply(200);
    await until(() => server.stats().dropped.late === 1);
    expect([relay.count, client.stats().dropped.unsent]).toEqual([2, 0]);
    await relay.close();
  });

  it('ends the transactions of a connection that is lost, and opens another one for the next', async () => {
    const open: IncomingRequest[] = [];
    const server = await engine({ listen: [`${transport}:127.0.0.1:0`], tls: serverTls() }, (r) => {
      if (r.headers.get('CSeq') === '9 PUBLISH') r.reply(200);
      else open.push(r);
    });
    const relay = await startRelay(server.addresses[0]!);
    const hop = { ...hopTo(server, transport), port: relay.port };
    const client = await engine({ listen: ['udp:127.0.0.1:0'], tls: clientTls() });
    const waiting = [ask(client, { hop }), ask(client, { hop, cseq: 8 })];
    await until(() => open.length === 2);
    relay.cut();
    expect(await Promise.all(waiting)).toMatchObject([
      { kind: 'unreachable', sent: true, cause: { message: expect.stringContaining(`${transport}:127.0.0.1:`) } },
      { kind: 'unreachable', sent: true },
    ]);
    expect(client.stats()).toMatchObject({ clientTransactions: 0, connections: { opened: 0 } });
    expect(await ask(client, { hop, cseq: 9 })).toMatchObject({ kind: 'response', status: 200 });
    expect(relay.count).toBe(2);
    await relay.close();
    await until(() => client.stats().connections.opened === 0);
    expect(await ask(client, { hop })).toMatchObject({ kind: 'unreachable', sent: false });
    for (const request of open) request.reply(200);
    expect(server.stats()).toMatchObject({ unanswered: 0 });
  });
}
