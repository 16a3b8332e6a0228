/** The sockets of a WirePeer: datagrams, or connections with messages framed by Content-Length. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import type { Hop } from '@pua/core';

/** A message came in; `answer` sends back where it came from. */
export type Receive = (message: Buffer, answer: (text: string) => void) => void;

export interface WireSocket {
  readonly hop: Hop;
  /** Where a message to that address seems to come from, once it has been sent. */
  source(host: string, port: number): Hop;
  send(text: string, host: string, port: number): void;
  close(): Promise<void>;
}

/** A burst of long requests must not overflow the default of 208 KiB. */
const BUFFER_BYTES = 4 << 20;

export async function openUdp(receive: Receive): Promise<WireSocket> {
  const socket = createSocket({ type: 'udp4', recvBufferSize: BUFFER_BYTES });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const { address: host, port } = socket.address();
  const hop: Hop = { transport: 'udp', host, port };
  socket.on('message', (bytes, from) => receive(bytes, (text) => socket.send(text, from.port, from.address)));
  return {
    hop,
    source: () => hop,
    send: (text, toHost, toPort) => socket.send(text, toPort, toHost),
    close: () => new Promise((done) => socket.close(done)),
  };
}

export async function openTcp(receive: Receive): Promise<WireSocket> {
  const all = new Set<Socket>();
  const own = new Map<string, Socket>();
  const take = (socket: Socket) => {
    all.add(socket);
    let rest = Buffer.alloc(0);
    socket.setNoDelay(true);
    socket.on('error', () => undefined);
    socket.on('close', () => all.delete(socket));
    socket.on('data', (bytes) => {
      rest = Buffer.concat([rest, bytes]);
      for (let end = messageEnd(rest); end > 0; end = messageEnd(rest)) {
        receive(rest.subarray(0, end), (text) => socket.write(text));
        rest = rest.subarray(end);
      }
    });
    return socket;
  };
  const server = createServer(take);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { address, port } = server.address() as AddressInfo;
  return {
    hop: { transport: 'tcp', host: address, port },
    source(toHost, toPort) {
      const { localAddress: host = '', localPort = 0 } = own.get(`${toHost}:${toPort}`)!;
      return { transport: 'tcp', host, port: localPort };
    },
    send(text, toHost, toPort) {
      const name = `${toHost}:${toPort}`;
      const socket = own.get(name) ?? take(connect(toPort, toHost));
      own.set(name, socket);
      socket.write(text);
    },
    close: () =>
      new Promise((done) => {
        server.close(() => done());
        for (const socket of all) socket.destroy();
      }),
  };
}

/** Length of the first message, line ends before it included; 0: it is not complete. */
function messageEnd(bytes: Buffer): number {
  const start = bytes.findIndex((byte) => byte !== 0x0d && byte !== 0x0a);
  const head = start < 0 ? -1 : bytes.indexOf('\r\n\r\n', start);
  if (head < 0) return 0;
  const size = /\r\n(?:Content-Length|l)[ \t]*:[ \t]*(\d+)/i.exec(bytes.toString('latin1', start, head))?.[1];
  const end = head + 4 + Number(size ?? 0);
  return end <= bytes.length ? end : 0;
}
