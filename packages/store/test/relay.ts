import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** A network between a store and its database that fails at will. */
export class Relay {
  port = 0;
  #server: Server | null = null;
  readonly #sockets = new Set<Socket>();
  #seen: ((request: string) => void) | null = null;
  #cutBefore: { readonly pattern: RegExp; left: number } | null = null;
  #loseAnswerTo: { readonly text: string; readonly lost: () => void } | null = null;

  private constructor(private readonly to: { readonly host: string; readonly port: number }) {}

  static async to(target: { readonly host: string; readonly port: number }): Promise<Relay> {
    const relay = new Relay(target);
    await relay.back();
    return relay;
  }

  /** All connections break. */
  cut(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  /** All connections break, new ones are refused. */
  async away(): Promise<void> {
    const closed = this.#server && once(this.#server, 'close');
    this.#server?.close();
    this.#server = null;
    this.cut();
    await closed;
  }

  async back(): Promise<void> {
    const server = createServer((socket) => this.#connect(socket));
    server.listen(this.port, '127.0.0.1');
    await once(server, 'listening');
    this.port = (server.address() as AddressInfo).port;
    this.#server = server;
  }

  /** The next request with this text reaches the database; its answer, and the connection, are lost. */
  loseAnswerTo(text: string): Promise<void> {
    return new Promise((lost) => {
      this.#loseAnswerTo = { text, lost };
    });
  }

  /** Nothing gets through, and nobody is told. */
  hang(): void {
    for (const socket of this.#sockets) socket.pause();
  }

  resume(): void {
    for (const socket of this.#sockets) socket.resume();
  }

  /** Requests from here on. */
  see(listener: (request: string) => void): void {
    this.#seen = listener;
  }

  /** The connection breaks before the request that is the `count`th to match. */
  cutBefore(pattern: RegExp, count: number): void {
    this.#cutBefore = { pattern, left: count };
  }

  #connect(client: Socket): void {
    const server = connect(this.to.port, this.to.host);
    let losing: (() => void) | null = null;
    const end = () => {
      for (const socket of [client, server]) {
        this.#sockets.delete(socket);
        socket.destroy();
      }
    };
    for (const socket of [client, server]) {
      this.#sockets.add(socket);
      socket.on('error', end).on('close', end);
    }
    client.on('data', (data) => {
      this.#seen?.(data.toString('latin1'));
      if (this.#cutBefore?.pattern.test(data.toString('latin1')) && --this.#cutBefore.left === 0) {
        end();
        return;
      }
      if (this.#loseAnswerTo !== null && data.includes(this.#loseAnswerTo.text)) {
        losing = this.#loseAnswerTo.lost;
        this.#loseAnswerTo = null;
      }
      server.write(data);
    });
    server.on('data', (data) => {
      if (losing === null) client.write(data);
      else {
        end();
        losing();
      }
    });
  }
}
