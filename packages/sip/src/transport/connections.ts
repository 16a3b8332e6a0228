/** All connections: one per hop that we have opened, and those that were accepted. */
import { isIP, type Socket } from 'node:net';
import type { Clock, Hop, Random } from '@pua/core';
import type { Counters } from '../stats.js';
import type { TimerWheel } from '../wheel.js';
import type { LocalVia, Receive, Sender } from './carrier.js';
import { Connection, type ConnectionHost } from './connection.js';
import { CONNECT_MS, MAX_HALF_READ_BYTES } from './limits.js';
import type { Link, LinkOwner } from './link.js';
import { Backlog } from './output.js';
import { StreamLink } from './stream.js';
import type { TlsSettings } from './tls.js';
import { WebSocketLink } from './websocket.js';

/** What a connection to a hop is opened with. */
export interface Origin {
  readonly via: LocalVia;
  /** Local address; undefined: the system chooses. */
  readonly from: string | undefined;
}

const hopKey = ({ transport, host, port, serverName }: Hop): string =>
  `${transport} ${host} ${port} ${serverName ?? ''}`;

export class Connections implements ConnectionHost {
  private readonly opened = new Map<string, Connection>();
  private readonly accepted = new Map<string, Connection>();
  /** Of everybody who has connected, handshakes that are not over included. */
  private readonly sockets = new Set<Socket>();
  readonly backlog = new Backlog();
  private heldBytes = 0;
  private receive: Receive = () => undefined;
  private running = false;

  constructor(
    readonly clock: Clock,
    readonly wheel: TimerWheel,
    readonly random: Random,
    private readonly counters: Counters,
    private readonly tls: TlsSettings,
    /** Most connections that are accepted, and most that are opened. */
    private readonly limit: number,
    private readonly originOf: (hop: Hop) => Origin,
  ) {}

  get openedCount(): number {
    return this.opened.size;
  }
  get acceptedCount(): number {
    return this.sockets.size;
  }

  start(receive: Receive): void {
    this.receive = receive;
    this.running = true;
  }

  /** The connection to a hop: one that is there, else a new one. Who has connected is reached at its address. */
  toward(hop: Hop, connectMs = CONNECT_MS): Connection | Error {
    const key = hopKey(hop);
    const known = this.opened.get(key) ?? this.accepted.get(key);
    if (known) return known;
    if (!this.running) return new Error('the SIP engine is not running');
    if (isIP(hop.host) === 0) return new Error(`hop ${hop.host} is not an IP address; resolve() gives those`);
    if (this.opened.size >= this.limit) {
      return new Error(`no connection to ${hop.host}: there are ${this.limit} already; see maxConnections`);
    }
    const { via, from } = this.originOf(hop);
    const dial = hop.transport === 'ws' || hop.transport === 'wss' ? WebSocketLink.dial : StreamLink.dial;
    try {
      const connection = new Connection(this, { hop, key, ours: true, via, connectMs }, (owner) =>
        dial(hop, from, this.tls, owner),
      );
      this.opened.set(key, connection);
      return connection;
    } catch (error) {
      return error as Error;
    }
  }

  /** Counts a socket that has connected; false when there are too many and it was closed. */
  admit(socket: Socket): boolean {
    // Its end is seen by whoever reads from it; here it must only not be fatal.
    socket.on('error', () => undefined);
    if (!this.running || this.sockets.size >= this.limit) {
      this.counters.connections.refused++;
      socket.destroy();
      return false;
    }
    this.sockets.add(socket);
    socket.once('close', () => this.sockets.delete(socket));
    return true;
  }

  /** A connection whose handshakes are over. */
  accept(transport: Hop['transport'], socket: Socket, via: LocalVia, makeLink: (owner: LinkOwner) => Link): void {
    const { remoteAddress: host, remotePort: port } = socket;
    if (!this.running || host === undefined || port === undefined) {
      socket.destroy();
      return;
    }
    const hop: Hop = { transport, host, port };
    const key = hopKey(hop);
    const connection = new Connection(this, { hop, key, ours: false, via, connectMs: CONNECT_MS }, makeLink);
    this.accepted.set(key, connection);
    connection.opened();
  }

  /** A handshake that did not come to its end. */
  failed(): void {
    this.counters.connections.broken++;
  }

  async close(): Promise<void> {
    this.running = false;
    await Promise.all([...this.opened.values(), ...this.accepted.values()].map((connection) => connection.end()));
    for (const socket of this.sockets) socket.destroy();
  }

  // For the connections

  message(bytes: Buffer, connection: Connection): void {
    const { host, port } = connection.options.hop;
    this.receive(bytes, host, port, connection);
  }

  ping(): void {
    this.counters.dropped.keepAlive++;
  }

  /** Who holds most must go: the others' messages arrive in pieces, too. */
  held(change: number): void {
    this.heldBytes += change;
    if (this.heldBytes <= MAX_HALF_READ_BYTES) return;
    let largest: Connection | undefined;
    for (const table of [this.accepted, this.opened]) {
      for (const one of table.values()) if (!largest || one.heldBytes > largest.heldBytes) largest = one;
    }
    largest?.broken('too many messages of all connections are incomplete');
  }

  closed(connection: Connection, broken: boolean): void {
    const { ours, key } = connection.options;
    const table = ours ? this.opened : this.accepted;
    if (table.get(key) === connection) table.delete(key);
    if (broken) this.failed();
  }

  answer(message: Uint8Array, from: Connection, host: string, port: number, sender: Sender): void {
    const { hop, ours } = from.options;
    const { transport } = hop;
    // Where we had gone we can go again. Who has come by WebSocket can't be called back: browsers don't listen.
    const lost = !ours && (transport === 'ws' || transport === 'wss');
    const other = lost ? undefined : this.toward(ours ? hop : { transport, host, port });
    if (other instanceof Connection) other.send(message, host, port, sender);
    else queueMicrotask(() => sender.failed(other ?? new Error('the connection is gone'), false));
  }
}
