/** UDP sockets: the interface the engine needs, and node:dgram behind it. */
import { createSocket, type Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';

export interface DatagramSocket {
  /** What is bound: an IP address (an IPv6 address without brackets) and the real port. */
  readonly host: string;
  readonly port: number;
  /** May throw when it can't send. `failed` (optional to support) tells of an error that shows up later. */
  send(data: Uint8Array, port: number, host: string, failed?: (error: Error) => void): void;
  close(): Promise<void> | void;
  /** For a socket bound to a wildcard address: the address under which `peer` sees us. Optional to support. */
  localHost?(peer: string): string;
}

export type BindDatagram = (
  host: string,
  port: number,
  receive: (data: Uint8Array, host: string, port: number) => void,
) => Promise<DatagramSocket>;

/** Asked for; the system gives what its limits allow. A burst of answers must not overflow the default of 208 KiB. */
const SOCKET_BUFFER = 4 << 20;

type Lookup = (host: string, options: unknown, callback: (e: null, address: string, family: number) => void) => void;

/** Hosts are IP addresses always: answering here and now saves a turn of the event loop for each datagram. */
const lookup4: Lookup = (host, _options, callback) => callback(null, host, 4);
const lookup6: Lookup = (host, _options, callback) => callback(null, host, 6);

function socketFor(host: string): Socket {
  const v6 = isIPv6(host);
  return createSocket({
    type: v6 ? 'udp6' : 'udp4',
    // IPv4 peers belong to an IPv4 socket, not to `::ffff:` addresses of this one.
    ipv6Only: v6,
    recvBufferSize: SOCKET_BUFFER,
    sendBufferSize: SOCKET_BUFFER,
    lookup: (v6 ? lookup6 : lookup4) as unknown as NonNullable<Parameters<typeof createSocket>[0] & object>['lookup'],
  });
}

/** The kernel's choice: the local address of a socket that is connected to the peer; nothing is sent. */
export function localHostToward(peer: string): string | undefined {
  const probe = socketFor(peer);
  probe.on('error', () => undefined);
  try {
    probe.connect(9, peer);
    return probe.address().address;
  } catch {
    return undefined;
  } finally {
    probe.close();
  }
}

/** How long a host that took a datagram is believed to take the next ones. */
const TRUST_MS = 100;
const TRUSTED_HOSTS = 10_000;

/**
 * Asking node:dgram for the fate of a datagram costs as much as sending it. So under load only some are watched: those
 * to a host where none went well in the last 100 ms. What is missed in between shows when it is sent again.
 */
class Watch {
  private readonly until = new Map<string, number>();

  constructor(private readonly socket: Socket) {}

  send(data: Uint8Array, port: number, host: string, failed: (error: Error) => void): void {
    const until = this.until.get(host);
    const now = performance.now();
    if (until !== undefined && until > now) {
      this.socket.send(data, port, host);
      return;
    }
    this.socket.send(data, port, host, (error) => {
      if (error) {
        this.until.delete(host);
        failed(error);
        return;
      }
      if (this.until.size >= TRUSTED_HOSTS) this.until.clear();
      this.until.set(host, now + TRUST_MS);
    });
  }
}

/** Datagrams that go out in one go: enough to spread the cost of waking the peer, too few to flood its socket. */
const BATCH = 32;

interface Outgoing {
  readonly data: Uint8Array;
  readonly port: number;
  readonly host: string;
  readonly failed: ((error: Error) => void) | undefined;
}

/**
 * What is sent within one turn of the event loop leaves together at its end. Sent one by one, each datagram wakes a peer
 * that has just gone to sleep, and on a busy machine that peer takes the CPU away from us each time.
 */
class Outbox {
  private waiting: Outgoing[] = [];
  private armed = false;
  private readonly watch: Watch;

  constructor(private readonly socket: Socket) {
    this.watch = new Watch(socket);
  }

  send(data: Uint8Array, port: number, host: string, failed?: (error: Error) => void): void {
    this.waiting.push({ data, port, host, failed });
    if (this.waiting.length >= BATCH) this.flush();
    else if (!this.armed) {
      this.armed = true;
      setImmediate(this.turn);
    }
  }

  flush(): void {
    const { waiting } = this;
    this.waiting = [];
    for (const { data, port, host, failed } of waiting) {
      try {
        if (failed) this.watch.send(data, port, host, failed);
        else this.socket.send(data, port, host);
      } catch (error) {
        // The sender may still be within send().
        if (failed) queueMicrotask(() => failed(error as Error));
      }
    }
  }

  private readonly turn = (): void => {
    this.armed = false;
    this.flush();
  };
}

export const nodeDatagram: BindDatagram = (host, port, receive) =>
  new Promise((resolve, reject) => {
    const socket = socketFor(host);
    socket.once('error', reject);
    socket.bind({ address: host, port, exclusive: true }, () => {
      socket.off('error', reject);
      // Errors of single datagrams come to their own callback; what is left here concerns none of them.
      socket.on('error', () => undefined);
      const bound = socket.address();
      const outbox = new Outbox(socket);
      socket.on('message', (data, from) => receive(data, from.address, from.port));
      resolve({
        host: bound.address,
        port: bound.port,
        send: (data, toPort, toHost, failed) => outbox.send(data, toPort, toHost, failed),
        close: () => {
          outbox.flush();
          return new Promise((closed) => socket.close(closed));
        },
        localHost: (peer) => localHostToward(peer) ?? bound.address,
      });
    });
  });
