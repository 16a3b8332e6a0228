/** The UDP carrier (RFC 3261 18). */
import type { Carrier, LocalVia, Receive, Sender } from './carrier.js';
import type { DatagramSocket } from './datagram.js';
import type { LocalAddress } from './local.js';

/** 65 507 bytes is what IPv4 carries in a datagram; proxies on the way add their Via and Record-Route. */
export const UDP_MAX_MESSAGE = 64_000;

export class UdpCarrier implements Carrier {
  readonly transport = 'udp';
  readonly reliable = false;
  readonly maxMessageBytes = UDP_MAX_MESSAGE;
  private sending = false;
  private readonly early: (() => void)[] = [];

  constructor(
    private readonly socket: DatagramSocket,
    readonly local: LocalAddress,
    private readonly receive: Receive,
  ) {}

  via(peer: string): LocalVia {
    return this.local.via(peer);
  }

  send(message: Uint8Array, host: string, port: number, sender: Sender): void {
    this.sending = true;
    try {
      // A datagram the system refuses has not left the machine.
      this.socket.send(message, port, host, (error) => sender.failed(error, false));
    } catch (error) {
      queueMicrotask(() => sender.failed(error instanceof Error ? error : new Error(String(error)), false));
    } finally {
      this.sending = false;
    }
  }

  release(): boolean {
    return true;
  }

  unanswered(): void {}

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
}
