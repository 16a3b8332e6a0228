/** The embedded engine: SipPort of @pua/core on carriers, transactions and the resolver. */
import { isIPv6 } from 'node:net';
import {
  type Clock,
  type Hop,
  type IncomingRequest,
  type Outcome,
  type OutgoingRequest,
  PuaError,
  type Random,
  type SipPort,
} from '@pua/core';
import { readMessage } from './message/parse.js';
import { escapeUser, parseUri } from './message/uri.js';
import type { EmbeddedSipOptions } from './options.js';
import { systemNames } from './resolve/names.js';
import { Resolver } from './resolve/resolver.js';
import { systemClock, systemRandom } from './runtime.js';
import { Counters, type SipStats } from './stats.js';
import { ClientTransactions } from './transaction/client.js';
import { Congestion } from './transaction/congestion.js';
import type { Capabilities } from './transaction/local.js';
import { ServerTransactions } from './transaction/server.js';
import type { Carrier } from './transport/carrier.js';
import { BoundCarriers } from './transport/carriers.js';
import { parseAdvertise, parseListen } from './transport/listen.js';
import { TlsSettings } from './transport/tls.js';
import { UDP_MAX_MESSAGE } from './transport/udp.js';
import { TimerWheel } from './wheel.js';

export interface EmbeddedSip extends SipPort, Capabilities {
  /** What is really bound, after start(). */
  readonly addresses: readonly Hop[];
  stats(): SipStats;
}

/** RFC 3261 18.1.1: what fits into a datagram without fragments when the path MTU is unknown. */
const UDP_MTU = 1300;

function positive(name: string, value: number): number {
  if (Number.isFinite(value) && value > 0) return value;
  throw new PuaError('PUA_ERR_OPTION', `${name} must be a number above 0, not ${value}`);
}

class Engine implements EmbeddedSip {
  readonly clock: Clock;
  readonly random: Random;
  readonly maxMessageBytes = UDP_MAX_MESSAGE;
  allow: () => readonly string[];
  accept: () => readonly string[];
  allowEvents: () => readonly string[];
  supported: () => readonly string[];
  private readonly carriers: BoundCarriers;
  private readonly wheel: TimerWheel;
  private readonly client: ClientTransactions;
  private readonly server: ServerTransactions;
  private readonly resolver: Resolver;
  private readonly counters = new Counters();
  private state: 'stopped' | 'starting' | 'running' | 'stopping' = 'stopped';
  private opened: Promise<void> = Promise.resolve();
  private ended: Promise<void> = Promise.resolve();

  constructor(options: EmbeddedSipOptions) {
    const listen = options.listen.map(parseListen);
    if (listen.length === 0) {
      throw new PuaError('PUA_ERR_OPTION', 'listen is empty: give at least one address, such as udp:127.0.0.1:5060');
    }
    const tls = new TlsSettings(options.tls);
    const secure = listen.find(({ transport }) => transport === 'tls' || transport === 'wss');
    if (secure && !tls.canListen) {
      throw new PuaError('PUA_ERR_OPTION', `listen "${secure.text}": needs a certificate; give tls.cert and tls.key`);
    }
    const advertised = options.advertise ? parseAdvertise(options.advertise) : undefined;
    const agent = options.userAgent ?? '';
    if (/[^\x20-\x7e]/.test(agent)) {
      throw new PuaError('PUA_ERR_OPTION', 'userAgent must be printable ASCII');
    }
    this.clock = options.clock ?? systemClock;
    this.random = options.random ?? systemRandom;
    this.allow = options.allow ?? (() => ['OPTIONS', 'NOTIFY']);
    this.accept = options.accept ?? (() => ['*/*']);
    this.allowEvents = options.allowEvents ?? (() => []);
    this.supported = options.supported ?? (() => []);
    const timers = {
      t1: positive('t1', options.t1 ?? 500),
      t2: positive('t2', options.t2 ?? 4000),
      t4: positive('t4', options.t4 ?? 5000),
    };
    const limits = {
      unanswered: positive('maxServerTransactions', options.maxServerTransactions ?? 100_000),
      kept: positive('maxKeptAnswers', options.maxKeptAnswers ?? 100_000),
    };
    const { clock, counters } = this;
    this.wheel = new TimerWheel(clock, Math.max(1, Math.min(10, Math.floor(timers.t1 / 50))));
    const udpMtu = options.udpMtu ?? UDP_MTU;
    if (!(udpMtu > 0)) throw new PuaError('PUA_ERR_OPTION', `udpMtu must be a number of bytes above 0, not ${udpMtu}`);
    this.carriers = new BoundCarriers({
      listen,
      advertised,
      tls,
      webSocketOrigins: (options.webSocketOrigins ?? []).map((origin) => origin.toLowerCase()),
      bindDatagram: options.bindDatagram,
      maxConnections: positive('maxConnections', options.maxConnections ?? 10_000),
      clock,
      random: this.random,
      wheel: this.wheel,
      counters,
    });
    this.client = new ClientTransactions(
      this.carriers,
      this.wheel,
      clock,
      counters,
      timers,
      new Congestion(clock, udpMtu),
      agent,
      this.random.token(),
    );
    this.server = new ServerTransactions(this.wheel, clock, counters, timers, limits, this, agent, this.random.token());
    const families = [...new Set(listen.map(({ host }): 4 | 6 => (isIPv6(host) ? 6 : 4)))];
    this.resolver = new Resolver(options.names ?? systemNames(), clock, this.random, () => families);
  }

  get addresses(): readonly Hop[] {
    return this.carriers.addresses;
  }

  async start(onRequest: (request: IncomingRequest) => void): Promise<void> {
    if (this.state !== 'stopped') throw new PuaError('PUA_ERR_STATE', `start: the SIP engine is ${this.state} already`);
    this.opened = this.open(onRequest);
    return this.opened;
  }

  private async open(onRequest: (request: IncomingRequest) => void): Promise<void> {
    this.state = 'starting';
    this.server.onRequest = onRequest;
    try {
      await this.carriers.open((bytes, host, port, carrier) => this.receive(bytes, host, port, carrier));
    } catch (error) {
      this.state = 'stopped';
      throw error;
    }
    this.state = 'running';
    this.resolver.open();
    this.client.closed = undefined;
    this.server.closing = false;
  }

  async stop(graceMs: number): Promise<void> {
    this.resolver.close();
    if (this.state === 'starting') await this.opened.catch(() => undefined);
    if (this.state === 'running') {
      this.state = 'stopping';
      this.client.closed = new Error('the SIP engine has been stopped');
      this.server.closing = true;
      this.ended = this.wind(graceMs);
    }
    return this.ended;
  }

  resolve(uri: string): readonly Hop[] | Promise<readonly Hop[]> {
    return this.resolver.resolve(uri);
  }

  contact(user: string, hop: Hop): string {
    const address = this.carriers.contact(hop);
    if (address === undefined) {
      throw new PuaError('PUA_ERR_STATE', 'contact: the SIP engine is not running, so it has no address yet');
    }
    return `sip:${escapeUser(user)}@${address}`;
  }

  isOwnContact(uri: string): boolean {
    const parsed = parseUri(uri);
    if (parsed?.scheme !== 'sip') return false;
    const transport = (parsed.parameters.get('transport') ?? 'udp').toLowerCase();
    return this.carriers.isOwn(transport, parsed.host, parsed.port ?? 5060);
  }

  request(request: OutgoingRequest, done: (outcome: Outcome) => void): void {
    this.client.request(request, done);
  }

  /** Dialogs of this engine are bound to nothing that it would tell of. */
  onUnbound(): void {}

  stats(): SipStats {
    const { sent, received, requests, responses, dropped, refused } = this.counters;
    return {
      clientTransactions: this.client.size,
      serverTransactions: this.server.size,
      unanswered: this.server.unanswered,
      sent,
      received,
      retransmitted: { requests, responses },
      connections: { ...this.carriers.alive, ...this.counters.connections },
      dropped: { ...dropped },
      refused: { ...refused },
    };
  }

  private receive(bytes: Buffer, host: string, port: number, carrier: Carrier): void {
    if (this.state === 'stopped') return;
    this.counters.received++;
    if (isKeepAlive(bytes)) {
      this.counters.dropped.keepAlive++;
      return;
    }
    const message = readMessage(bytes);
    switch (message.kind) {
      case 'response':
        this.client.response(message);
        break;
      case 'request':
        this.server.request(message, carrier, host, port);
        break;
      case 'error':
        if (message.of === 'request') this.server.refuse(message, carrier, host, port);
        else this.counters.dropped.malformed++;
    }
  }

  private async wind(graceMs: number): Promise<void> {
    await this.idle(graceMs);
    this.client.endAll(this.client.closed ?? new Error('the SIP engine has been stopped'));
    this.server.endAll();
    this.wheel.stop();
    await this.carriers.close();
    this.state = 'stopped';
  }

  /** Until nothing runs any more, at most `graceMs` milliseconds. */
  private idle(graceMs: number): Promise<void> {
    const { client, server } = this;
    const busy = () => client.size > 0 || server.unanswered > 0;
    if (!busy() || !(graceMs > 0)) return Promise.resolve();
    return new Promise((resolve) => {
      const end = () => {
        timer.cancel();
        client.emptied = undefined;
        server.emptied = undefined;
        resolve();
      };
      const timer = this.clock.after(graceMs, end);
      const look = () => {
        if (!busy()) end();
      };
      client.emptied = look;
      server.emptied = look;
    });
  }
}

/** Line ends alone (RFC 5626 4.4.1), an empty datagram, NULs, STUN: what keeps a NAT binding open. */
function isKeepAlive(bytes: Buffer): boolean {
  const first = bytes[0];
  if (first === undefined || first < 0x0a) return true;
  if (first > 0x20 || bytes.length > 8) return false;
  return bytes.every((byte) => byte === 0x0d || byte === 0x0a);
}

/**
 * The embedded engine: a non-INVITE user agent on UDP, TCP, TLS and WebSocket (RFC 3261 7, 8, 17.1.2, 17.2.2, 18; RFC
 * 3581, 4320, 5626 keep-alives, 5922, 7118).
 * @throws PuaError `PUA_ERR_OPTION`
 */
export function embeddedSip(options: EmbeddedSipOptions): EmbeddedSip {
  return new Engine(options);
}
