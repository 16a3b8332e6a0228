import type { Clock, Random } from '@pua/core';
import type { BindDatagram, DatagramSocket } from '@pua/sip';

/** What a link does to datagrams. */
export interface Faults {
  /** Probability of loss, 0..1. Default 0. */
  readonly loss?: number;
  /** Milliseconds on the way, uniform between the two; a range reorders. Default [0, 0]. */
  readonly delay?: readonly [min: number, max: number];
  /** Probability that a datagram arrives twice, each copy with a delay of its own. Default 0. */
  readonly duplicate?: number;
}

/** One direction. Each end is a host (`10.0.0.1`) or a host with port (`10.0.0.1:5060`, `[::1]:5060`). */
export interface Link {
  readonly from: string;
  readonly to: string;
}

/** `delivered`: handed to a socket; the others say why it was not. */
export type Fate = 'delivered' | 'lost' | 'partitioned' | 'nobody';

export interface Datagram {
  /** Clock time at which it was sent, milliseconds. */
  readonly sentAt: number;
  /** Clock time at which its fate was known. */
  readonly at: number;
  /** `host:port` */
  readonly from: string;
  readonly to: string;
  readonly data: Uint8Array;
  readonly fate: Fate;
}

interface Endpoint {
  readonly host: string;
  readonly port: number;
  readonly name: string;
  readonly receive: (data: Uint8Array, host: string, port: number) => void;
}

const FIRST_FREE_PORT = 49152;

/** `host:port`, an IPv6 address in brackets. */
export function addressOf(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/**
 * A datagram network in memory, under a simulated (or real) clock: give `network.bind` to embeddedSip() as
 * `bindDatagram`. A datagram takes at least one turn of the clock, never the sender's own call.
 */
export class SimNetwork {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #endpoints = new Map<string, Endpoint>();
  readonly #links = new Map<string, Faults>();
  readonly #partitioned = new Set<string>();
  readonly #taps = new Set<(datagram: Datagram) => void>();
  #faults: Faults = {};
  #nextPort = FIRST_FREE_PORT;

  constructor(clock: Clock, random: Random) {
    this.#clock = clock;
    this.#random = random;
  }

  /** Faults of every link, or of one direction of one link (which then replace those of every link). */
  setFaults(faults: Faults, link?: Link): void {
    for (const [name, value] of Object.entries({ loss: faults.loss, duplicate: faults.duplicate })) {
      if (value !== undefined && !(value >= 0 && value <= 1)) {
        throw new RangeError(`SimNetwork.setFaults: ${name} is a probability in 0..1, not ${value}`);
      }
    }
    if (faults.delay && !(faults.delay[0] >= 0 && faults.delay[1] >= faults.delay[0])) {
      throw new RangeError(`SimNetwork.setFaults: delay is [min, max] with 0 <= min <= max, not [${faults.delay}]`);
    }
    if (link) this.#links.set(`${link.from} ${link.to}`, faults);
    else this.#faults = faults;
  }

  /** Nothing reaches or leaves that host (or host:port) any more, datagrams on their way included. */
  partition(host: string): void {
    this.#partitioned.add(host);
  }

  /** Ends a partition; without a host: all of them. */
  heal(host?: string): void {
    if (host === undefined) this.#partitioned.clear();
    else this.#partitioned.delete(host);
  }

  /** Shows every datagram when its fate is known. Returns a function that ends it. */
  tap(listener: (datagram: Datagram) => void): () => void {
    this.#taps.add(listener);
    return () => this.#taps.delete(listener);
  }

  /** Sockets that are open, for leak tests. */
  get sockets(): number {
    return this.#endpoints.size;
  }

  /** Opens a socket; port 0 takes a free one. Rejects for an address that is in use. */
  readonly bind: BindDatagram = async (host, port, receive) => {
    if (host === '0.0.0.0' || host === '::') {
      throw new Error(`SimNetwork: bind to one address, not to ${host}; any address will do, such as 10.0.0.1`);
    }
    const chosen = port === 0 ? this.#freePort(host) : port;
    const name = addressOf(host, chosen);
    if (this.#endpoints.has(name)) {
      throw Object.assign(new Error(`SimNetwork: ${name} is in use`), { code: 'EADDRINUSE' });
    }
    const endpoint: Endpoint = { host, port: chosen, name, receive };
    this.#endpoints.set(name, endpoint);
    const socket: DatagramSocket = {
      host,
      port: chosen,
      send: (data, toPort, toHost) => {
        if (this.#endpoints.get(name) === endpoint) this.#send(endpoint, toHost, toPort, data);
      },
      close: () => {
        if (this.#endpoints.get(name) === endpoint) this.#endpoints.delete(name);
      },
    };
    return socket;
  };

  #freePort(host: string): number {
    while (this.#endpoints.has(addressOf(host, this.#nextPort))) this.#nextPort++;
    return this.#nextPort++;
  }

  #send(from: Endpoint, host: string, port: number, data: Uint8Array): void {
    // The sender may reuse its buffer at once.
    const copy = new Uint8Array(data);
    const to = addressOf(host, port);
    const sentAt = this.#clock.now();
    const tell = (fate: Fate) => this.#tell({ sentAt, at: this.#clock.now(), from: from.name, to, data: copy, fate });
    if (this.#isCut(from.host, from.name) || this.#isCut(host, to)) {
      tell('partitioned');
      return;
    }
    const faults = this.#faultsOf(from, host, to);
    if (this.#chance(faults.loss)) {
      tell('lost');
      return;
    }
    const copies = this.#chance(faults.duplicate) ? 2 : 1;
    for (let i = 0; i < copies; i++) {
      const [min, max] = faults.delay ?? [0, 0];
      const delay = max > min ? min + this.#random.uniform() * (max - min) : min;
      this.#clock.after(delay, () => {
        const cut = this.#isCut(from.host, from.name) || this.#isCut(host, to);
        const endpoint = cut ? undefined : this.#endpoints.get(to);
        tell(cut ? 'partitioned' : endpoint ? 'delivered' : 'nobody');
        endpoint?.receive(copy, from.host, from.port);
      });
    }
  }

  #chance(probability: number | undefined): boolean {
    return probability !== undefined && probability > 0 && this.#random.uniform() < probability;
  }

  #isCut(host: string, name: string): boolean {
    return this.#partitioned.size > 0 && (this.#partitioned.has(host) || this.#partitioned.has(name));
  }

  #faultsOf(from: Endpoint, toHost: string, to: string): Faults {
    if (this.#links.size === 0) return this.#faults;
    for (const source of [from.name, from.host]) {
      for (const target of [to, toHost]) {
        const faults = this.#links.get(`${source} ${target}`);
        if (faults) return faults;
      }
    }
    return this.#faults;
  }

  #tell(datagram: Datagram): void {
    for (const listener of this.#taps) listener(datagram);
  }
}
