/** The presence server of the crash tests, on a real UDP socket; its answers take a while, so that kills meet them on their way. */
import { type BindDatagram, embeddedSip, nodeDatagram } from '@pua/sip';
import { DatagramGate, PresenceServer, type SimRandom } from '@pua/testkit';
import { Wire } from './wire';

const MAX_DELAY_MS = 25;

export interface Peer {
  readonly server: PresenceServer;
  readonly wire: Wire;
  readonly uri: string;
  /** Resolves when what the process that has ended had sent is dealt with. */
  drained(): Promise<void>;
  stop(): Promise<void>;
}

/** @param grant longest lifetime, seconds */
export async function startPeer(random: SimRandom, grant: number): Promise<Peer> {
  const wire = new Wire();
  const timers = new Set<NodeJS.Timeout>();
  let datagrams = 0;
  const slow: BindDatagram = async (host, port, receive) => {
    const socket = await nodeDatagram(host, port, (data, from, fromPort) => {
      datagrams++;
      wire.received(data);
      receive(data, from, fromPort);
    });
    return {
      ...socket,
      send: (data, toPort, to, failed) => {
        const copy = Buffer.from(data);
        wire.answered(copy);
        const timer = setTimeout(() => {
          timers.delete(timer);
          wire.sent(copy);
          socket.send(copy, toPort, to, failed);
        }, random.uniform() * MAX_DELAY_MS);
        timers.add(timer);
      },
    };
  };
  const gate = new DatagramGate();
  const sip = embeddedSip({ listen: ['udp:127.0.0.1:0'], bindDatagram: gate.wrap(slow) });
  const server = new PresenceServer({ sip, gate, limits: { max: grant }, logLimit: 0 });
  await server.start();
  return {
    server,
    wire,
    uri: `sip:127.0.0.1:${sip.addresses[0]!.port}`,
    drained: async () => {
      // On loopback a datagram is in our socket when send() has returned: some quiet turns of the loop mean all was read.
      for (let quiet = 0, seen = datagrams; quiet < 5; quiet = seen === datagrams ? quiet + 1 : 0) {
        seen = datagrams;
        await new Promise((resolve) => setImmediate(resolve));
      }
    },
    stop: async () => {
      await server.stop(0);
      for (const timer of timers) clearTimeout(timer);
    },
  };
}
