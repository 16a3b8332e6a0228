/** Starts a process on the other side of the wire, and asks it things. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Order, PeerReport } from './peer.js';

export interface Peer {
  /** On 127.0.0.1. */
  readonly port: number;
  /** Microseconds of CPU so far. */
  cpu(): Promise<number>;
  /** Resolves when it has been heard. */
  order(order: Order): Promise<void>;
  stop(): Promise<void>;
}

export type PeerName = 'answerer' | 'notifier' | 'drachtio-server' | 'registrar';

export async function startPeer(name: PeerName, ...args: string[]): Promise<Peer> {
  // Profilers asked for on the command line concern the one that is measured.
  const child = fork(join(__dirname, `${name}.js`), args, { execArgv: [] });
  const ended = once(child, 'exit');
  const report = (): Promise<PeerReport> =>
    Promise.race([
      once(child, 'message').then(([message]) => message as PeerReport),
      ended.then(() => Promise.reject(new Error(`the process ${name} has ended`))),
    ]);
  const order = (what: Order): Promise<PeerReport> => {
    child.send(what);
    return report();
  };
  const { port } = await report();
  return {
    port,
    cpu: async () => (await order({})).cpu,
    order: async (what) => void (await order(what)),
    async stop() {
      child.kill();
      await ended;
    },
  };
}
