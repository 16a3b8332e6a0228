/** The UDP carrier (RFC 3261 18). */
import { isIP } from 'node:net';
import type { Clock } from '@pua/core';
import { bracketed } from '../message/uri.js';
import type { Carrier, LocalVia, Receive, SendFailed } from './carrier.js';
import type { DatagramSocket } from './datagram.js';

/** 65 507 bytes is what IPv4 carries in a datagram; proxies on the way add their Via and Record-Route. */
export const UDP_MAX_MESSAGE = 64_000;

/** The address toward a peer is asked for again after this time: interfaces come and go. */
const LOCAL_HOST_MS = 30_000;
const LOCAL_HOSTS = 1000;

export interface Advertised {
  readonly host: string;
  readonly port?: number;
}

export class UdpCarrier implements Carrier {
  readonly transport = 'udp';
  readonly reliable = false;
  readonly maxMessageBytes = UDP_MAX_MESSAGE;
  readonly host: string;
  readonly port: number;
  private readonly wildcard: boolean;
  private readonly fixed: LocalVia | undefined;
  private readonly local = new Map<string, { readonly via: LocalVia; readonly until: number }>();
  private sending = false;
  private readonly early: (() => void)[] = [];

  constructor(
    private readonly socket: DatagramSocket,
    private readonly advertised: Advertised | undefined,
    private readonly clock: Clock,
    private readonly receive: Receive,
  ) {
    this.host = socket.host;
    this.port = socket.port;
    this.wildcard = socket.localHost !== undefined && (socket.host === '0.0.0.0' || socket.host === '::');
    if (advertised || !this.wildcard) this.fixed = this.localVia(advertised?.host ?? socket.host);
  }

  via(peer: string): LocalVia {
    if (this.fixed) return this.fixed;
    const known = this.local.get(peer);
    const now = this.clock.now();
    if (known && known.until > now) return known.via;
    const via = this.localVia(this.socket.localHost!(peer));
    if (this.local.size >= LOCAL_HOSTS) this.local.clear();
    this.local.set(peer, { via, until: now + LOCAL_HOST_MS });
    return via;
  }

  isOwn(host: string, port: number): boolean {
    if (port !== (this.advertised?.port ?? this.port)) return false;
    if (this.advertised || !this.wildcard)
      return host.toLowerCase() === (this.advertised?.host ?? this.host).toLowerCase();
    // An address of this host is reached from itself.
    return isIP(host) === isIP(this.host) && this.socket.localHost!(host) === host;
  }

  send(message: Uint8Array, host: string, port: number, failed: SendFailed): void {
    this.sending = true;
    try {
      // A datagram the system refuses has not left the machine.
      this.socket.send(message, port, host, (error) => failed(error, false));
    } catch (error) {
      queueMicrotask(() => failed(error instanceof Error ? error : new Error(String(error)), false));
    } finally {
      this.sending = false;
    }
  }

  /** A datagram came in. One that a simulated network delivers within send() waits until the sender has finished. */
  take(data: Uint8Array, host: string, port: number): void {
    const bytes = Buffer.isBuffer(data) ? data : Buffer.from(data.buffer, data.byteOffset, data.byteLength);
    if (!this.sending && this.early.length === 0) {
      this.receive(bytes, host, port, this);
      return;
    }
    this.early.push(() => this.receive(bytes, host, port, this));
    if (this.early.length === 1) queueMicrotask(() => this.takeEarly());
  }

  private takeEarly(): void {
    for (let i = 0; i < this.early.length; i++) this.early[i]!();
    this.early.length = 0;
  }

  close(): Promise<void> | void {
    return this.socket.close();
  }

  private localVia(host: string): LocalVia {
    const sentBy = `${bracketed(host)}:${this.advertised?.port ?? this.port}`;
    return { sentBy, start: `SIP/2.0/UDP ${sentBy};branch=` };
  }
}
