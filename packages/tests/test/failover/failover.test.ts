/**
 * Three outbound proxies on real sockets: the first is dead, the second asks for patience, the third is well. What is
 * remembered of each next hop, and how everybody comes back to the first one once it lives.
 *
 * Fails when a hop forgets its Retry-After or its silence (HopMemory.bar, HopMemory.silent), or is never tried again
 * (HopMemory.openAt): tried.
 */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { createPua, type Pua } from '@pua/core';
import { presence } from '@pua/documents';
import { embeddedSip } from '@pua/sip';
import { type PresenceServer, type StartedServer, startPresenceServer } from '@pua/testkit';
import { document } from '../../dist/world/world.js';
import { eventually } from '../kamailio/support/eventually';

/** RFC 3261 T1, milliseconds: silence is noticed after 640 ms. */
const T1 = 10;
const PATIENCE_S = 3;

/** A proxy that is not there. */
interface Dead {
  readonly uri: string;
  /** It comes to life at the same place. */
  heal(): Promise<StartedServer>;
  close(): Promise<void>;
}

async function closedPort(): Promise<Dead> {
  const listener = createServer().listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const { port } = listener.address() as { port: number };
  listener.close();
  await once(listener, 'close');
  return {
    uri: `sip:127.0.0.1:${port};transport=tcp`,
    heal: () => startPresenceServer({ listen: [`tcp:127.0.0.1:${port}`] }),
    close: async () => {},
  };
}

async function silentSocket(): Promise<Dead> {
  const socket: Socket = createSocket('udp4').bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address();
  let open = true;
  const close = async () => {
    if (!open) return;
    open = false;
    socket.close();
    await once(socket, 'close');
  };
  return {
    uri: `sip:127.0.0.1:${port}`,
    heal: async () => {
      await close();
      return startPresenceServer({ listen: [`udp:127.0.0.1:${port}`] });
    },
    close,
  };
}

const publish = (pua: Pua, user: string, note: number) =>
  pua.sendPublish({
    presUri: `sip:${user}@example.com`,
    event: 'presence',
    sourceFlag: 'RPC_PUBLISH',
    body: document(user, note),
  }).result;

const notes = ({ publications }: PresenceServer) =>
  publications.map(({ body }) => Number(/<note>(\d+)</.exec(body.text())![1]));

describe.each([
  ['a closed port', closedPort],
  ['a socket that never answers', silentSocket],
])('the first proxy is %s', (_name, makeDead) => {
  test('failover, what is remembered, and the way back', async () => {
    const dead = await makeDead();
    const busy = await startPresenceServer();
    const well = await startPresenceServer();
    const sip = embeddedSip({ listen: ['udp:127.0.0.1:0', 'tcp:127.0.0.1:0'], t1: T1 });
    const pua = createPua({
      sip,
      outboundProxy: [dead.uri, busy.uri, well.uri],
      policy: { t1: T1, backoffBase: 50, backoffCap: 200 },
    });
    pua.addEvent(presence);
    await pua.start();
    let healed: StartedServer | undefined;
    try {
      // Nobody waits longer than one transaction: first, second, third.
      busy.server.answerNext({ status: 503, headers: [['Retry-After', String(PATIENCE_S)]], times: 100 });
      expect(await publish(pua, 'alice', 1)).toMatchObject({ outcome: 'accepted' });
      const [refused] = busy.server.requests;
      expect([busy.server.requests.length, notes(well.server)]).toEqual([1, [1]]);

      // Both are remembered: more publications and documents go straight to the third one.
      const straight = await Promise.all(['bob', 'carol', 'alice'].map((user, i) => publish(pua, user, 2 + i)));
      expect(straight.every(({ outcome }) => outcome === 'accepted')).toBe(true);
      expect(busy.server.count('PUBLISH', 503)).toBe(1);
      const { 'PUBLISH timeout': timeouts = 0, 'PUBLISH unreachable': unreachable = 0 } = pua.stats().requests;
      expect(timeouts + unreachable).toBe(1);
      expect(notes(well.server).sort()).toEqual([2, 3, 4]);
      const hops = new Map(pua.stats().hops.map(({ hop, setAsideMs }) => [hop.split(':').at(-1), setAsideMs]));
      expect(hops.get(String(busy.port))).toBeGreaterThan(0);
      expect(hops.get(String(well.port))).toBe(0);

      // What a server holds stays there; what is new goes by preference again. The second is used when its time has come, and not before; the first is tried by one request now and then.
      busy.server.clearScript();
      let note = 10;
      const back = (server: PresenceServer) =>
        eventually(
          'a document arrives',
          async () => {
            await publish(pua, `user${++note}`, note);
            return notes(server);
          },
          (held) => held.includes(note),
        );
      await back(busy.server);
      expect(busy.server.requests[1]!.at - refused!.at).toBeGreaterThanOrEqual(PATIENCE_S * 1000);

      // The first one has come to life: all that is new goes there.
      healed = await dead.heal();
      await back(healed.server);
      const before = healed.server.requests.length;
      await publish(pua, 'erin', 1);
      expect(healed.server.requests).toHaveLength(before + 1);
      const first = () =>
        notes(well.server)
          .filter((note) => note < 10)
          .sort();
      // A server's document is modified and removed where it is.
      await publish(pua, 'alice', 5);
      expect(first()).toEqual([2, 3, 5]);
      await pua.sendPublish({
        presUri: 'sip:alice@example.com',
        event: 'presence',
        sourceFlag: 'RPC_PUBLISH',
        expires: 0,
      }).result;
      expect(first()).toEqual([2, 3]);
      expect(pua.stats().hops.every(({ setAsideMs }) => setAsideMs === 0)).toBe(true);
    } finally {
      await pua.stop(0);
      await dead.close();
      for (const { server } of [busy, well, ...(healed ? [healed] : [])]) await server.stop();
    }
  }, 30_000);
});
