/** A relay between an engine and a peer, whose connections can be cut. */
import { connect, createServer, type Socket } from 'node:net';

export interface Relay {
  readonly port: number;
  /** Connections so far. */
  readonly count: number;
  /** Ends all connections at once, as a network does. */
  cut(): void;
  close(): Promise<void>;
}

export function startRelay(target: { readonly host: string; readonly port: number }): Promise<Relay> {
  const sockets = new Set<Socket>();
  let count = 0;
  const server = createServer((near) => {
    count++;
    const far = connect(target.port, target.host);
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(one);
      one.on('error', () => undefined);
      one.on('close', () => {
        sockets.delete(one);
        other.destroy();
      });
      one.pipe(other);
    }
  });
  const cut = () => {
    for (const socket of sockets) socket.resetAndDestroy();
  };
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () =>
      resolve({
        port: (server.address() as { port: number }).port,
        get count() {
          return count;
        },
        cut,
        close: () => {
          cut();
          return new Promise((closed) => server.close(() => closed()));
        },
      }),
    );
  });
}
