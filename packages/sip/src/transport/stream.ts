/** Byte streams: TCP and, where it says so, TLS on it. */
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { Hop } from '@pua/core';
import { Framing } from './framing.js';
import type { Link, LinkOwner } from './link.js';
import type { TlsSettings } from './tls.js';

const PING = '\r\n\r\n';

/** A socket that is being connected. `from`: local address, undefined for the system's choice. */
export function connectSocket(hop: Hop, from: string | undefined, tls: TlsSettings): Socket {
  const { host, port, transport } = hop;
  const options = { host, port, noDelay: true, ...(from === undefined ? {} : { localAddress: from }) };
  return transport === 'tls' || transport === 'wss' ? connectTls({ ...options, ...tls.toward(hop) }) : connect(options);
}

export class StreamLink implements Link {
  constructor(
    private readonly socket: Socket,
    owner: LinkOwner,
  ) {
    const framing = new Framing(owner);
    let cause: Error | undefined;
    socket.on('error', (error) => {
      cause = error;
    });
    socket.on('close', () => owner.closed(cause));
    socket.on('data', (chunk: Buffer) => {
      const fault = framing.push(chunk);
      if (fault === undefined) owner.arrived(framing.held);
      else owner.broken(fault);
    });
  }

  /** One that opens when its handshake is over. */
  static dial(hop: Hop, from: string | undefined, tls: TlsSettings, owner: LinkOwner): StreamLink {
    const socket = connectSocket(hop, from, tls);
    socket.once(hop.transport === 'tls' ? 'secureConnect' : 'connect', () => owner.opened());
    return new StreamLink(socket, owner);
  }

  write(messages: readonly Uint8Array[], taken: (error?: Error | null) => void): void {
    this.socket.write(messages.length === 1 ? messages[0]! : Buffer.concat(messages), taken);
  }

  ping(): void {
    this.socket.write(PING);
  }

  end(): void {
    this.socket.end();
  }

  destroy(): void {
    this.socket.destroy();
  }
}
