/** Peers of an engine that are nothing but TCP sockets, and a relay whose connections can be cut. */
import { connect, createServer, type Server, type Socket } from 'node:net';
import { Worker } from 'node:worker_threads';
import { until } from './support';

/** One end of a TCP connection, with what came over it. */
export class RawEnd {
  text = '';
  closed = false;

  constructor(readonly socket: Socket) {
    socket.setEncoding('latin1');
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.closed = true;
    });
    socket.on('data', (text: string) => {
      this.text += text;
    });
  }

  static async connect({ host, port }: { host: string; port: number }): Promise<RawEnd> {
    const end = new RawEnd(connect(port, host));
    await new Promise<void>((resolve, reject) => {
      end.socket.once('connect', resolve).once('error', reject);
    });
    return end;
  }

  send(text: string): void {
    this.socket.write(text, 'latin1');
  }

  /** Answers the last request that came. */
  answer(status: string): void {
    const request = this.text.slice(this.text.lastIndexOf(' SIP/2.0\r\n'));
    const copied = ['Via', 'From', 'To', 'Call-ID', 'CSeq'].map(
      (name) => new RegExp(`\r\n${name}: .*`).exec(request)![0],
    );
    this.send(`SIP/2.0 ${status}${copied.join('')}\r\nContent-Length: 0\r\n\r\n`);
  }

  /** All of a match that came or will come. */
  async until(pattern: RegExp): Promise<RegExpExecArray> {
    await until(() => pattern.test(this.text));
    return pattern.exec(this.text)!;
  }
}

function listening(server: Server, port = 0): Promise<number> {
  return new Promise((resolve) => {
    server.listen(port, '127.0.0.1', () => resolve((server.address() as { port: number }).port));
  });
}

/** Takes connections and says nothing by itself. */
export class RawServer {
  readonly ends: RawEnd[] = [];
  port = 0;
  private readonly server = createServer((socket) => this.ends.push(new RawEnd(socket)));

  static async start(port = 0): Promise<RawServer> {
    const server = new RawServer();
    server.port = await listening(server.server, port);
    return server;
  }

  /** The next connection that has not been asked for, in their order. */
  async end(number: number): Promise<RawEnd> {
    await until(() => this.ends.length > number);
    return this.ends[number]!;
  }

  close(): Promise<void> {
    for (const { socket } of this.ends) socket.destroy();
    return new Promise((closed) => this.server.close(() => closed()));
  }
}

export interface Relay {
  readonly port: number;
  /** Connections so far. */
  readonly count: number;
  /** Ends all connections at once, as a network does. */
  cut(): void;
  close(): Promise<void>;
}

export async function startRelay(target: { readonly host: string; readonly port: number }): Promise<Relay> {
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
  return {
    port: await listening(server),
    get count() {
      return count;
    },
    cut,
    close: () => {
      cut();
      return new Promise((closed) => server.close(() => closed()));
    },
  };
}

const DEAF = `
const { parentPort } = require('node:worker_threads');
const server = require('node:net').createServer();
server.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
  parentPort.postMessage(server.address().port);
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
});`;

/** A port on which nobody takes connections: when those are there that Linux keeps for later, it is silent. */
export async function startDeafPort(): Promise<{ port: number; close(): Promise<void> }> {
  const worker = new Worker(DEAF, { eval: true });
  const port = await new Promise<number>((resolve) => worker.once('message', resolve));
  const kept = [await RawEnd.connect({ host: '127.0.0.1', port }), await RawEnd.connect({ host: '127.0.0.1', port })];
  return {
    port,
    close: async () => {
      for (const { socket } of kept) socket.destroy();
      await worker.terminate();
    },
  };
}
