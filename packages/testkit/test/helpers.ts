import type { EmbeddedSip } from '@pua/sip';
import { embeddedSip } from '@pua/sip';
import {
  Ladder,
  type PresenceServer,
  ScriptedClient,
  type ServerSettings,
  SimClock,
  SimNetwork,
  SimRandom,
  simulatePresenceServer,
  Watcher,
} from '@pua/testkit';

export const ALICE = 'sip:alice@example.com';
export const SERVER = 'sip:10.0.0.9:5060';
export const CLIENT_HOST = '10.0.0.1';

/** A server, a raw client and a watcher on one simulated network. */
export interface World {
  readonly clock: SimClock;
  readonly random: SimRandom;
  readonly network: SimNetwork;
  readonly ladder: Ladder;
  readonly server: PresenceServer;
  readonly client: ScriptedClient;
  readonly watcher: Watcher;
  /** Runs the clock until a promise settles. */
  settled<T>(promise: Promise<T>, limitMs?: number): Promise<T>;
  close(): Promise<void>;
}

export async function createWorld(
  settings: ServerSettings = {},
  credentials?: { username: string; password: string },
): Promise<World> {
  const clock = new SimClock();
  const random = new SimRandom('testkit');
  const network = new SimNetwork(clock, random);
  network.setFaults({ delay: [1, 5] });
  const ladder = new Ladder(network);
  const sip = (host: string): EmbeddedSip =>
    embeddedSip({ listen: [`udp:${host}:5060`], clock, random, bindDatagram: network.bind });
  const { server } = await simulatePresenceServer({ clock, random, network, ...settings });
  const more = credentials ? { credentials } : {};
  const client = new ScriptedClient({ sip: sip(CLIENT_HOST), server: SERVER, ...more });
  const watcher = new Watcher({ sip: sip('10.0.0.2'), server: SERVER, ...more });
  await client.start();
  await watcher.start();
  return {
    clock,
    random,
    network,
    ladder,
    server,
    client,
    watcher,
    async settled(promise, limitMs = 60_000) {
      let done = false;
      const end = () => {
        done = true;
      };
      promise.then(end, end);
      await clock.runUntil(() => done, limitMs);
      return promise;
    },
    async close() {
      await client.stop();
      await watcher.stop();
      await server.stop();
    },
  };
}

export function pidf(note: string): string {
  return `<presence xmlns="urn:ietf:params:xml:ns:pidf" entity="${ALICE}"><tuple id="a"><status><basic>${note}</basic></status></tuple></presence>`;
}
