/** What the presence server's socket really carried, as it happens. */
import { type BindDatagram, type ParsedRequest, type ParsedResponse, parseMessage } from '@pua/sip';

export interface WireMessage {
  /** Seen from the server. */
  readonly direction: 'in' | 'out';
  readonly message: ParsedRequest | ParsedResponse;
}

interface Waiter {
  readonly matches: (seen: WireMessage) => boolean;
  readonly done: (seen: WireMessage) => void;
}

/** Messages that are kept for waits that begin in the past. */
const KEPT = 500;

export class Wire {
  #seen: WireMessage[] = [];
  #dropped = 0;
  readonly #waiters = new Set<Waiter>();

  constructor(private readonly onMessage: (seen: WireMessage) => void) {}

  /** Between the server's engine and its socket. */
  wrap(inner: BindDatagram): BindDatagram {
    return async (host, port, receive) => {
      const socket = await inner(host, port, (data, fromHost, fromPort) => {
        this.#note('in', data);
        receive(data, fromHost, fromPort);
      });
      return {
        ...socket,
        send: (data, toPort, toHost, failed) => {
          this.#note('out', data);
          socket.send(data, toPort, toHost, failed);
        },
      };
    };
  }

  /** Everything that is seen from now on. */
  mark(): number {
    return this.#dropped + this.#seen.length;
  }

  /** Everything that was seen after a message. */
  after(seen: WireMessage): number {
    return this.#dropped + this.#seen.indexOf(seen) + 1;
  }

  since(mark: number): readonly WireMessage[] {
    return this.#seen.slice(Math.max(0, mark - this.#dropped));
  }

  /** The first message since `mark` that matches; undefined when none comes within `ms`. */
  next(mark: number, matches: (seen: WireMessage) => boolean, ms: number): Promise<WireMessage | undefined> {
    const found = this.since(mark).find(matches);
    if (found) return Promise.resolve(found);
    return new Promise((resolve) => {
      const end = (seen: WireMessage | undefined) => {
        clearTimeout(timer);
        this.#waiters.delete(waiter);
        resolve(seen);
      };
      const waiter: Waiter = { matches, done: end };
      const timer = setTimeout(() => end(undefined), ms);
      this.#waiters.add(waiter);
    });
  }

  #note(direction: 'in' | 'out', data: Uint8Array): void {
    // A copy: the engine may use the memory again.
    const message = parseMessage(Buffer.from(data));
    if (message.kind === 'error') return;
    const seen: WireMessage = { direction, message };
    this.#seen.push(seen);
    if (this.#seen.length > KEPT) {
      this.#dropped += this.#seen.length - KEPT;
      this.#seen = this.#seen.slice(-KEPT);
    }
    this.onMessage(seen);
    // Whoever waits goes on in a later turn, when the server has dealt with the message.
    for (const waiter of this.#waiters) if (waiter.matches(seen)) waiter.done(seen);
  }
}
