import { Socket } from 'node:dgram';
import type { IncomingRequest, Outcome } from '@pua/core';
import { type EmbeddedSip, type EmbeddedSipOptions, embeddedSip } from '@pua/sip';
import { publish } from './support';

const running: EmbeddedSip[] = [];

async function engine(options: EmbeddedSipOptions, handler: (request: IncomingRequest) => void = () => undefined) {
  const sip = embeddedSip(options);
  await sip.start(handler);
  running.push(sip);
  return sip;
}

afterEach(async () => {
  await Promise.all(running.splice(0).map((sip) => sip.stop(0)));
});

function request(sip: EmbeddedSip, change: Parameters<typeof publish>[0]): Promise<Outcome> {
  return new Promise((resolve) => sip.request(publish(change), resolve));
}

it.each(['127.0.0.1', '[::1]'])('two engines on %s', async (host) => {
  const server = await engine({ listen: [`udp:${host}:0`] }, (r) => {
    r.reply(200, [['SIP-ETag', `${r.body?.text()} ${r.headers.get('Event')}`]]);
  });
  const client = await engine({ listen: [`udp:${host}:0`] });
  const { port } = server.addresses[0]!;
  const [hop] = await client.resolve(`sip:${host}:${port}`);
  const answers = await Promise.all(
    Array.from({ length: 50 }, (_, i) =>
      request(client, { hop: hop!, cseq: i, body: { type: 'text/plain', content: `ü${i}` } }),
    ),
  );
  for (const [i, answer] of answers.entries()) {
    if (answer.kind !== 'response') throw new Error(answer.kind);
    expect([answer.status, answer.cseq, answer.headers.get('SIP-ETag')]).toEqual([200, i, `ü${i} presence`]);
  }
  expect(client.stats()).toMatchObject({ clientTransactions: 0, sent: 50, received: 50 });
  expect(server.stats()).toMatchObject({ unanswered: 0, serverTransactions: 50 });
});

it('carries messages far beyond a packet', async () => {
  let size = 0;
  const server = await engine({ listen: ['udp:127.0.0.1:0'] }, (r) => {
    size = r.body!.bytes.length;
    r.reply(200);
  });
  const client = await engine({ listen: ['udp:127.0.0.1:0'] });
  const hop = server.addresses[0]!;
  const answer = await request(client, { hop, body: { type: 'text/plain', content: 'x'.repeat(60_000) } });
  expect([answer.kind, size]).toEqual(['response', 60_000]);
});

it('finds its own address when it listens on all', async () => {
  const server = await engine({ listen: ['udp:127.0.0.1:0'] }, (r) => r.reply(200));
  const client = await engine({ listen: ['udp:0.0.0.0:0'] });
  const { port } = client.addresses[0]!;
  const hop = server.addresses[0]!;
  expect(client.contact('tok', hop)).toBe(`sip:tok@127.0.0.1:${port}`);
  expect(client.isOwnContact(`sip:tok@127.0.0.1:${port}`)).toBe(true);
  expect(client.isOwnContact(`sip:tok@192.0.2.77:${port}`)).toBe(false);
  expect(client.isOwnContact(`sip:tok@127.0.0.1:${port + 1}`)).toBe(false);
  expect((await request(client, { hop })).kind).toBe('response');
  // The system is asked once, not for each of the contacts that a restart looks at.
  const asked = jest.spyOn(Socket.prototype, 'connect');
  for (let i = 0; i < 100; i++) client.isOwnContact(`sip:tok${i}@127.0.0.1:${port}`);
  expect(asked).not.toHaveBeenCalled();
  asked.mockRestore();
});

it('says so when the port is taken', async () => {
  const first = await engine({ listen: ['udp:127.0.0.1:0'] });
  const { port } = first.addresses[0]!;
  const second = embeddedSip({ listen: [`udp:127.0.0.1:${port}`] });
  await expect(second.start(() => undefined)).rejects.toMatchObject({
    code: 'PUA_ERR_LISTEN',
    message: expect.stringMatching(/EADDRINUSE.*choose a free port/),
  });
});

it('reports what the system refuses to send', async () => {
  const client = await engine({ listen: ['udp:127.0.0.1:0'] });
  // A socket bound to loopback can't reach another network.
  const outcome = await request(client, { hop: { transport: 'udp', host: '192.0.2.1', port: 5060 }, timeoutMs: 5000 });
  expect(outcome).toMatchObject({ kind: 'unreachable', sent: false });
});
