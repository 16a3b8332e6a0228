/** SIP over WebSocket (RFC 7118): one message per frame, subprotocol `sip`. */
import { isUtf8 } from 'node:buffer';
import { createServer, type Server } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Hop } from '@pua/core';
import { WebSocket, WebSocketServer } from 'ws';
import { bracketed } from '../message/uri.js';
import { GOODBYE_MS, STREAM_MAX_MESSAGE } from './limits.js';
import type { Link, LinkOwner } from './link.js';
import { connectSocket } from './stream.js';
import type { TlsSettings } from './tls.js';

const SUBPROTOCOL = 'sip';
const GOING_AWAY = 1001;
const OPTIONS = { perMessageDeflate: false, maxPayload: STREAM_MAX_MESSAGE, closeTimeout: GOODBYE_MS };
const ONLY_LINE_ENDS = /^[\r\n]*$/;

/** Bytes before the payload of a ping or pong (RFC 6455 5.2); those of clients are masked. */
const CONTROL_HEADER = 2;
const MASK = 4;

export class WebSocketLink implements Link {
  private socket: Duplex | undefined;
  /** Bytes of frames whose message has not ended, and how many of those in the present chunk belong to ended ones. */
  private held = 0;
  private ended = 0;

  /** `socket`: what is beneath, of a connection that was accepted. */
  constructor(
    private readonly webSocket: WebSocket,
    socket: Duplex | undefined,
    private readonly owner: LinkOwner,
  ) {
    const controlHeader = CONTROL_HEADER + (socket ? MASK : 0);
    let cause: Error | undefined;
    webSocket.on('error', (error: NodeJS.ErrnoException) => {
      cause = error;
      // Frames that are none, or larger than they may be.
      if (error.code?.startsWith('WS_ERR_')) owner.broken(error.message);
    });
    webSocket.on('close', () => owner.closed(cause));
    webSocket.on('ping', (data: Buffer) => {
      this.ended += controlHeader + data.length;
    });
    webSocket.on('pong', (data: Buffer) => {
      this.ended += controlHeader + data.length;
      owner.pong();
    });
    webSocket.on('message', (data: Buffer) => {
      this.ended = Number.POSITIVE_INFINITY;
      if (data.length > 4 || !ONLY_LINE_ENDS.test(data.toString('latin1'))) owner.message(data);
      // Some clients keep the connection open as on TCP.
      else if (data.length === 4) owner.ping();
    });
    if (socket) this.over(socket);
  }

  /**
   * The library keeps frames whose message has not ended, and doesn't tell: what comes is counted here, after the library
   * has looked at it. What follows the end of a message in the same chunk is left out.
   */
  private over(socket: Duplex): void {
    this.socket = socket;
    socket.on('data', (chunk: Buffer) => {
      this.held = Math.max(0, this.held + chunk.length - this.ended);
      this.ended = 0;
      this.owner.arrived(this.held);
    });
  }

  static dial(hop: Hop, from: string | undefined, tls: TlsSettings, owner: LinkOwner): WebSocketLink {
    // For the Host field only, where the zone of a link-local address means nothing.
    const name = (hop.serverName ?? hop.host).replace(/%.*/, '');
    const url = `${hop.transport}://${bracketed(name)}:${hop.port}/`;
    const webSocket = new WebSocket(url, [SUBPROTOCOL], {
      ...OPTIONS,
      createConnection: () => connectSocket(hop, from, tls),
    });
    const link = new WebSocketLink(webSocket, undefined, owner);
    let socket: Duplex;
    webSocket.once('upgrade', (response) => {
      socket = response.socket;
    });
    webSocket.once('open', () => {
      link.over(socket);
      owner.opened();
    });
    return link;
  }

  write(messages: readonly Uint8Array[], taken: (error?: Error | null) => void): void {
    this.socket?.cork();
    for (const [i, message] of messages.entries()) {
      // RFC 7118 5: what is not UTF-8 goes as a binary frame; browsers like text.
      const binary = !isUtf8(message);
      this.webSocket.send(message, { binary }, i === messages.length - 1 ? taken : undefined);
    }
    this.socket?.uncork();
  }

  ping(): void {
    this.webSocket.ping();
  }

  end(): void {
    this.webSocket.close(GOING_AWAY);
  }

  destroy(): void {
    this.webSocket.terminate();
  }
}

/**
 * Reads the handshakes of sockets that it is given with `emit('connection', socket)`. Pages in browsers say where they are
 * from (RFC 6455 10.2) and are let in from `origins` only: else any page could speak SIP to what its reader can reach.
 */
export function webSocketServer(
  origins: readonly string[],
  opened: (webSocket: WebSocket, socket: Socket) => void,
): Server {
  const upgrader = new WebSocketServer({
    ...OPTIONS,
    noServer: true,
    clientTracking: false,
    handleProtocols: () => SUBPROTOCOL,
  });
  const server = createServer((_request, response) => {
    response.writeHead(426, { Connection: 'close', Upgrade: 'websocket' }).end('SIP over WebSocket only (RFC 7118)\n');
  });
  server.on('clientError', (_error, socket) => socket.destroy());
  server.on('upgrade', (request, socket, head) => {
    const { origin, 'sec-websocket-protocol': protocols = '' } = request.headers;
    const offered = protocols.split(',').map((name) => name.trim());
    if (origin !== undefined && !origins.includes(origin.toLowerCase()) && !origins.includes('*')) {
      refuse(socket, '403 Forbidden', 'pages of this origin may not connect; see webSocketOrigins\n');
    } else if (!offered.includes(SUBPROTOCOL)) {
      refuse(socket, '400 Bad Request', 'the subprotocol must be sip (RFC 7118)\n');
    } else upgrader.handleUpgrade(request, socket, head, (webSocket) => opened(webSocket, socket as Socket));
  });
  return server;
}

function refuse(socket: Duplex, status: string, text: string): void {
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: ${text.length}\r\n\r\n${text}`);
}
