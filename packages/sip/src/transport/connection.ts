/**
 * A connection to one peer, as a carrier: what is sent while it opens waits, what is sent within one turn leaves
 * together, and when it is lost, everybody hears of it who awaits an answer.
 *
 *   connecting --opened--> open --> closed       by the peer, by a fault, when idle, or by us
 *        '------ refused, too slow ------'
 */
import type { Clock, Hop, Random, Timer, Transport } from '@pua/core';
import { bracketed } from '../message/uri.js';
import { type TimerWheel, WheelNode } from '../wheel.js';
import type { Carrier, LocalVia, Sender } from './carrier.js';
import * as limits from './limits.js';
import type { Link, LinkOwner } from './link.js';
import { type Backlog, Output } from './output.js';

/** The set of connections that one belongs to. */
export interface ConnectionHost {
  readonly clock: Clock;
  readonly wheel: TimerWheel;
  readonly random: Random;
  readonly backlog: Backlog;
  message(bytes: Buffer, connection: Connection): void;
  /** A keep-alive came. */
  ping(): void;
  /** The half-read bytes of all connections change. */
  held(change: number): void;
  /** It is no longer open; `broken`: by a fault of the peer. */
  closed(connection: Connection, broken: boolean): void;
  /** An answer whose connection is gone (RFC 3261 18.2.2). */
  answer(message: Uint8Array, from: Connection, host: string, port: number, sender: Sender): void;
}

export interface ConnectionOptions {
  /** The peer; of an accepted connection without a serverName. */
  readonly hop: Hop;
  /** Under which its host keeps it. */
  readonly key: string;
  /** Opened by us, or accepted. */
  readonly ours: boolean;
  readonly via: LocalVia;
  /** Until it must be open, milliseconds. */
  readonly connectMs: number;
}

const NEVER = Number.POSITIVE_INFINITY;
/** The answer to a keep-alive (RFC 5626 4.4.1). */
const PONG = Buffer.from('\r\n');

export class Connection extends WheelNode implements Carrier, LinkOwner {
  readonly reliable = true;
  readonly maxMessageBytes = limits.STREAM_MAX_MESSAGE;
  readonly transport: Transport;
  private state: 'connecting' | 'open' | 'closed' = 'connecting';
  private readonly link: Link;
  private readonly output: Output;
  private armed = false;
  private pongOwed = false;
  private pinged = false;
  /** The peer has answered a ping: it will answer the next one too, or is gone. */
  private answersPings = false;
  private held = 0;
  private lastInput: number;
  private lastMessage: number;
  // Deadlines, in milliseconds of the clock.
  private openBy: number;
  private completeBy = NEVER;
  private takenBy = NEVER;
  private pingAt = NEVER;
  private pongBy = NEVER;
  private goodbye: Timer | undefined;
  private ended: (() => void) | undefined;

  constructor(
    private readonly host: ConnectionHost,
    readonly options: ConnectionOptions,
    makeLink: (owner: LinkOwner) => Link,
  ) {
    super();
    this.output = new Output(host.backlog);
    this.transport = options.hop.transport;
    const now = host.clock.now();
    this.lastInput = now;
    this.lastMessage = now;
    this.openBy = now + options.connectMs;
    this.link = makeLink(this);
    host.wheel.schedule(this, this.openBy, now);
  }

  /** Bytes of a message whose end has not come yet. */
  get heldBytes(): number {
    return this.held;
  }

  via(): LocalVia {
    return this.options.via;
  }

  // For the transactions

  send(message: Uint8Array, host: string, port: number, sender: Sender): void {
    if (this.state === 'closed') {
      this.host.answer(message, this, host, port, sender);
      return;
    }
    if (!this.output.push(message, sender)) {
      const cause = this.fault(`too much waits for it or for all peers, ${this.output.bytes} bytes for it`);
      queueMicrotask(() => sender.failed(cause, false));
      return;
    }
    this.arm();
  }

  release(sender: Sender): boolean {
    return this.output.release(sender);
  }

  unanswered(): void {
    const silence = this.host.clock.now() - this.lastInput;
    if (this.state === 'open' && silence >= limits.SILENT_PEER_MS) {
      this.lose(this.fault(`has been silent for ${Math.round(silence / 1000)} s`));
    }
  }

  /** Sends what waits and says goodbye; resolves when the connection is closed. */
  end(): Promise<void> {
    if (this.state === 'closed') return Promise.resolve();
    return new Promise((resolve) => {
      this.ended = resolve;
      this.leave();
    });
  }

  // From the link

  opened(): void {
    if (this.state !== 'connecting') return;
    this.state = 'open';
    const now = this.host.clock.now();
    this.lastInput = now;
    this.lastMessage = now;
    this.openBy = NEVER;
    if (this.options.ours) this.planPing(now);
    this.expire(now);
    if (!this.output.isEmpty) this.arm();
  }

  message(bytes: Buffer): void {
    if (this.state !== 'open') return;
    this.lastMessage = this.host.clock.now();
    this.completeBy = NEVER;
    this.host.message(bytes, this);
  }

  ping(): void {
    this.host.ping();
    if (this.options.ours) return;
    // However many come at once: one answer says that we are alive.
    this.pongOwed = true;
    this.arm();
  }

  pong(): void {
    if (this.pinged) this.answersPings = true;
  }

  arrived(held: number): void {
    if (this.state !== 'open') return;
    const now = this.host.clock.now();
    this.lastInput = now;
    this.pinged = false;
    this.pongBy = NEVER;
    if (held === 0) this.completeBy = NEVER;
    else if (this.completeBy === NEVER) {
      this.completeBy = now + limits.HALF_READ_MS;
      this.watch(this.completeBy, now);
    }
    if (held === this.held) return;
    const change = held - this.held;
    this.held = held;
    this.host.held(change);
  }

  broken(fault: string): void {
    this.lose(this.fault(fault), true);
  }

  closed(cause: Error | undefined): void {
    const what = this.state === 'connecting' ? 'no connection' : 'the connection was closed';
    this.lose(this.fault(cause?.message ?? what, cause));
    this.goodbye?.cancel();
    this.ended?.();
  }

  // Time

  override expire(now: number): void {
    if (now >= this.openBy) return this.lose(this.fault(`no connection within ${this.options.connectMs / 1000} s`));
    if (now >= this.completeBy) return this.broken('a message was not completed in time');
    if (now >= this.takenBy) return this.broken('the peer does not read');
    if (now >= this.pongBy) return this.lose(this.fault('does not answer keep-alives any more'));
    const idleAt = this.options.ours
      ? this.lastMessage + limits.OPENED_IDLE_MS
      : this.lastInput + limits.ACCEPTED_IDLE_MS;
    if (this.state === 'open' && now >= idleAt) return this.leave();
    if (now >= this.pingAt) {
      this.link.ping();
      this.pinged = true;
      if (this.answersPings) this.pongBy = now + limits.PONG_MS;
      this.planPing(now);
    }
    const { openBy, completeBy, takenBy, pongBy, pingAt } = this;
    this.host.wheel.schedule(this, Math.min(openBy, completeBy, takenBy, pongBy, pingAt, idleAt), now);
  }

  private planPing(now: number): void {
    const spread = limits.PING_MAX_MS - limits.PING_MIN_MS;
    this.pingAt = now + limits.PING_MIN_MS + this.host.random.uniform() * spread;
  }

  /** Makes sure that expire() comes no later than `due`. */
  private watch(due: number, now: number): void {
    if (due < this.due) this.host.wheel.schedule(this, due, now);
  }

  // Output

  private arm(): void {
    if (this.armed || this.state !== 'open') return;
    this.armed = true;
    setImmediate(this.flush);
  }

  private readonly flush = (): void => {
    this.armed = false;
    // While the system has not taken the last batch, nothing more is given to it.
    if (this.state !== 'open' || this.takenBy !== NEVER) return;
    const batch = this.output.nextBatch();
    if (this.pongOwed) batch.unshift(PONG);
    this.pongOwed = false;
    if (batch.length === 0) return;
    const now = this.host.clock.now();
    this.lastMessage = now;
    this.takenBy = now + limits.STALLED_MS;
    this.watch(this.takenBy, now);
    this.link.write(batch, this.taken);
  };

  private readonly taken = (error?: Error | null): void => {
    // Then the end follows: what still waits has not left, and must not be given to a dead socket now.
    if (error) return;
    this.takenBy = NEVER;
    if (!this.output.isEmpty || this.pongOwed) this.flush();
  };

  // The end

  /** With what still waits, and a goodbye. */
  private leave(): void {
    const open = this.state === 'open';
    const batch: Uint8Array[] = [];
    while (open && !this.output.isEmpty) batch.push(...this.output.nextBatch());
    if (batch.length > 0) this.link.write(batch, () => undefined);
    this.lose(this.fault('the connection was closed by us'), false, open);
  }

  private lose(cause: Error, broken = false, politely = false): void {
    if (this.state === 'closed') return;
    this.state = 'closed';
    const { host } = this;
    host.wheel.cancel(this);
    host.held(-this.held);
    host.closed(this, broken);
    if (politely) {
      this.link.end();
      this.goodbye = host.clock.after(limits.GOODBYE_MS, () => this.link.destroy());
    } else this.link.destroy();
    this.output.fail(cause);
  }

  private fault(what: string, cause?: Error): Error {
    const { transport, host, port } = this.options.hop;
    return new Error(`${transport}:${bracketed(host)}:${port}: ${what}`, { cause });
  }
}
