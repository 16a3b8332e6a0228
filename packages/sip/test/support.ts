/** A clock that stands still until it is told to go on, and a network in memory. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Clock, IncomingRequest, Outcome, OutgoingRequest, Timer } from '@pua/core';
import {
  type BindDatagram,
  type EmbeddedSip,
  type EmbeddedSipOptions,
  embeddedSip,
  type ParsedMessage,
  parseMessage,
} from '@pua/sip';

export class ManualClock implements Clock {
  time = 0;
  private readonly timers = new Set<{ at: number; run: () => void }>();

  now(): number {
    return this.time;
  }
  wall(): number {
    return this.time;
  }
  get pending(): number {
    return this.timers.size;
  }
  after(ms: number, run: () => void): Timer {
    const timer = { at: this.time + ms, run };
    this.timers.add(timer);
    return { cancel: () => this.timers.delete(timer) };
  }
  advance(ms: number): void {
    const end = this.time + ms;
    for (;;) {
      const [next] = [...this.timers].filter((timer) => timer.at <= end).sort((a, b) => a.at - b.at);
      if (!next) break;
      this.timers.delete(next);
      this.time = Math.max(this.time, next.at);
      next.run();
    }
    this.time = end;
  }
}

export interface Seen {
  readonly at: number;
  readonly bytes: Buffer;
  readonly text: string;
  readonly message: ParsedMessage;
  readonly host: string;
  readonly port: number;
}

/** Everything that was sent to an address that no engine has, and a way to send from there. */
export class Peer {
  readonly seen: Seen[] = [];
  constructor(
    private readonly net: MemoryNet,
    readonly host: string,
    readonly port: number,
  ) {}
  get last(): Seen {
    return this.seen.at(-1)!;
  }
  send(message: string | Uint8Array, to = this.net.engineAddress): void {
    const data = typeof message === 'string' ? Buffer.from(message, 'utf8') : message;
    this.net.deliver(data, to, this.host, this.port);
  }
  /** The head of an answer to the request seen last. */
  answer(status: string, extra = '', request = this.last): void {
    const { headers } = request.message as Extract<ParsedMessage, { kind: 'request' }>;
    const copied = ['Via', 'From', 'To', 'Call-ID', 'CSeq'].map((name) => `${name}: ${headers.get(name)}\r\n`);
    this.send(`SIP/2.0 ${status}\r\n${copied.join('')}${extra}Content-Length: 0\r\n\r\n`);
  }
}

export class MemoryNet {
  engineAddress = '';
  /** Thrown by the next sends, when set. */
  failure: Error | undefined;
  private free = 40_000;
  private readonly engines = new Map<string, (data: Uint8Array, host: string, port: number) => void>();
  private readonly peers = new Map<string, Peer>();

  constructor(private readonly clock: Clock) {}

  get sockets(): number {
    return this.engines.size;
  }

  readonly bind: BindDatagram = async (host, port, receive) => {
    const real = port || this.free++;
    const name = `${host}:${real}`;
    if (this.engines.has(name)) throw new Error(`EADDRINUSE ${name}`);
    this.engines.set(name, receive);
    this.engineAddress ||= name;
    return {
      host,
      port: real,
      send: (data, toPort, toHost) => {
        if (this.failure) throw this.failure;
        this.deliver(data, `${toHost}:${toPort}`, host, real);
      },
      close: () => {
        this.engines.delete(name);
      },
    };
  };

  peer(host: string, port: number): Peer {
    const peer = new Peer(this, host, port);
    this.peers.set(`${host}:${port}`, peer);
    return peer;
  }

  deliver(data: Uint8Array, to: string, host: string, port: number): void {
    this.engines.get(to)?.(data, host, port);
    this.peers.get(to)?.seen.push({
      at: this.clock.now(),
      bytes: Buffer.from(data),
      text: Buffer.from(data).toString('utf8'),
      message: parseMessage(Buffer.from(data)),
      host,
      port,
    });
  }
}

export interface Bench {
  readonly clock: ManualClock;
  readonly net: MemoryNet;
  readonly engine: EmbeddedSip;
  readonly peer: Peer;
  readonly requests: IncomingRequest[];
}

/** One engine at 10.0.0.1:5060 and a peer at 10.0.0.2:5070. */
export async function bench(
  options: Partial<EmbeddedSipOptions> = {},
  handler?: (request: IncomingRequest) => void,
): Promise<Bench> {
  const clock = new ManualClock();
  const net = new MemoryNet(clock);
  const requests: IncomingRequest[] = [];
  const engine = embeddedSip({ listen: ['udp:10.0.0.1:5060'], clock, bindDatagram: net.bind, ...options });
  await engine.start((request) => {
    requests.push(request);
    handler?.(request);
  });
  return { clock, net, engine, peer: net.peer('10.0.0.2', 5070), requests };
}

export function publish(change: Partial<OutgoingRequest> = {}): OutgoingRequest {
  return {
    method: 'PUBLISH',
    uri: 'sip:alice@example.com',
    callId: 'call-1',
    cseq: 7,
    from: { uri: 'sip:alice@example.com', tag: 'ours' },
    to: { uri: 'sip:alice@example.com' },
    routes: [],
    headers: [
      ['Event', 'presence'],
      ['Expires', '3600'],
    ],
    hop: { transport: 'udp', host: '10.0.0.2', port: 5070 },
    ...change,
  };
}

/** Sends and collects outcomes in order. */
export function sender(engine: EmbeddedSip): { outcomes: Outcome[]; send(change?: Partial<OutgoingRequest>): void } {
  const outcomes: Outcome[] = [];
  return { outcomes, send: (change) => engine.request(publish(change), (outcome) => outcomes.push(outcome)) };
}

let branches = 0;

/** A request as a peer at 10.0.0.2:5070 sends it; `change` replaces whole header lines, '' leaves one out. */
export function incoming(method: string, change: Readonly<Record<string, string>> = {}, body = ''): string {
  const lines: Record<string, string> = {
    Via: `SIP/2.0/UDP 10.0.0.2:5070;branch=z9hG4bKpeer${branches++};rport`,
    'Max-Forwards': '70',
    From: '<sip:bob@example.com>;tag=theirs',
    To: '<sip:alice@example.com>',
    'Call-ID': 'incoming-1',
    CSeq: `1 ${method}`,
    ...change,
    'Content-Length': change['Content-Length'] ?? String(Buffer.byteLength(body)),
  };
  const head = Object.entries(lines).filter(([, value]) => value !== '');
  return `${method} sip:alice@10.0.0.1 SIP/2.0\r\n${head.map(([n, v]) => `${n}: ${v}\r\n`).join('')}\r\n${body}`;
}

export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Lets the event loop turn until it is so; the test's own time limit ends what never happens. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await settled();
}

/** Bytes of the heap that are in use. */
export function heap(): number {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  return process.memoryUsage().heapUsed;
}

// Globals are slow to reach from within jest.
const { floor, imul } = Math;

/** Repeatable chance: whole numbers from 0 to below `limit` (mulberry32). */
export function seeded(seed: number): (limit: number) => number {
  let state = seed | 0;
  return (limit) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + imul(mixed ^ (mixed >>> 7), mixed | 61);
    return floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * limit);
  };
}
