/** A listener of a stream transport: a socket, the handshakes that its transport asks for, then a connection. */
import { createServer, isIPv6, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import type { Timer } from '@pua/core';
import type { Connections } from './connections.js';
import { CONNECT_MS } from './limits.js';
import type { LinkOwner } from './link.js';
import type { ListenAddress } from './listen.js';
import type { LocalAddress } from './local.js';
import { StreamLink } from './stream.js';
import type { TlsSettings } from './tls.js';
import { WebSocketLink, webSocketServer } from './websocket.js';

export interface HandshakeOptions {
  readonly tls: TlsSettings;
  /** Whose pages may connect by WebSocket, in lower case; `*`: anybody's. */
  readonly webSocketOrigins: readonly string[];
}

type Step = (socket: Socket) => void;

export class StreamListener {
  private constructor(
    private readonly server: Server,
    readonly local: LocalAddress,
  ) {}

  /** Binds and accepts. `localOf` gets the port that was really bound. */
  static async open(
    address: ListenAddress,
    localOf: (port: number) => LocalAddress,
    connections: Connections,
    { tls, webSocketOrigins }: HandshakeOptions,
  ): Promise<StreamListener> {
    const { transport } = address;
    const viaOf = (socket: Socket) => local.via(socket.remoteAddress ?? '');
    // From the last step to the first.
    let step: Step =
      transport === 'ws' || transport === 'wss'
        ? webSocketStep(connections, webSocketOrigins, (socket, makeLink) =>
            connections.accept(transport, socket, viaOf(socket), makeLink),
          )
        : (socket) => connections.accept(transport, socket, viaOf(socket), (owner) => new StreamLink(socket, owner));
    if (transport === 'tls' || transport === 'wss') step = tlsStep(connections, tls, step);
    const server = createServer({ noDelay: true }, (socket) => {
      if (connections.admit(socket)) step(socket);
    });
    const local = localOf(await bind(server, address));
    return new StreamListener(server, local);
  }

  /** Takes no more connections. */
  close(): void {
    this.server.close();
  }
}

/** Resolves with the port that was really bound. */
function bind(server: Server, { host, port }: ListenAddress): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port, exclusive: true, ipv6Only: isIPv6(host) }, () => {
      server.off('error', reject);
      // What befalls single connections on their way in, such as too many open files.
      server.on('error', () => undefined);
      resolve((server.address() as { port: number }).port);
    });
  });
}

function tlsStep(connections: Connections, tls: TlsSettings, next: Step): Step {
  const server = createTlsServer({ ...tls.listening, handshakeTimeout: CONNECT_MS }, next);
  server.on('tlsClientError', (_error, socket) => {
    connections.failed();
    socket.destroy();
  });
  return (socket) => server.emit('connection', socket);
}

function webSocketStep(
  connections: Connections,
  origins: readonly string[],
  next: (socket: Socket, makeLink: (owner: LinkOwner) => WebSocketLink) => void,
): Step {
  const deadlines = new WeakMap<Socket, Timer>();
  const server = webSocketServer(origins, (webSocket, socket) => {
    deadlines.get(socket)?.cancel();
    next(socket, (owner) => new WebSocketLink(webSocket, socket, owner));
  });
  return (socket) => {
    const deadline = connections.clock.after(CONNECT_MS, () => {
      connections.failed();
      socket.destroy();
    });
    deadlines.set(socket, deadline);
    socket.once('close', () => deadline.cancel());
    server.emit('connection', socket);
  };
}
