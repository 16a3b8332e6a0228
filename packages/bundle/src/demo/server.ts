/** The demo's presence server: the one of the test kit on a real socket, with a tap on it. */
import { embeddedSip, nodeDatagram } from '@pua/sip';
import { DatagramGate, PresenceServer } from '@pua/testkit';
import { ladderLine } from './ladder.js';
import { Wire, type WireMessage } from './wire.js';

export interface DemoServer {
  readonly server: PresenceServer;
  readonly wire: Wire;
  readonly port: number;
  /** For outbound_proxy. */
  readonly uri: string;
  /** The longest lifetime it grants from now on, seconds. */
  grant(seconds: number): void;
  stop(): Promise<void>;
}

export async function startDemoServer(print: (text: string) => void, seconds: () => number): Promise<DemoServer> {
  const show = (seen: WireMessage) => print(`${ladderLine(seen, seconds())}\n`);
  const wire = new Wire(show);
  const gate = new DatagramGate();
  const sip = embeddedSip({ listen: ['udp:127.0.0.1:0'], bindDatagram: gate.wrap(wire.wrap(nodeDatagram)) });
  const server = new PresenceServer({ sip, gate });
  await server.start();
  const { port } = sip.addresses[0]!;
  return {
    server,
    wire,
    port,
    uri: `sip:127.0.0.1:${port}`,
    grant: (max) => {
      server.publishLimits.max = max;
      server.subscribeLimits.max = max;
    },
    stop: () => server.stop(),
  };
}
