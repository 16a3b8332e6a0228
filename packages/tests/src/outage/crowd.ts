/** Many publications of one PUA, on the real engine and a simulated network, and presence servers that may go away. */
import { createPua, type OutgoingRequest, type Pua, type PuaOptions, type PuaStats } from '@pua/core';
import { presence } from '@pua/documents';
import { type BindDatagram, type EmbeddedSip, embeddedSip } from '@pua/sip';
import { type PresenceServer, SimClock, SimNetwork, SimRandom, settle, simulatePresenceServer } from '@pua/testkit';
import { observed } from '../world/wire.js';
import { Meter } from './meter.js';

/** Sees every datagram of the PUA. */
export interface Watch {
  sent(data: Uint8Array, to: string): void;
  received(data: Uint8Array): void;
  /** The engine has given up a request without an answer. */
  over(request: OutgoingRequest): void;
}

export interface CrowdOptions {
  readonly users: number;
  readonly ceiling: { readonly perSecond: number; readonly inFlight: number };
  /** Longest lifetime the servers grant, seconds. */
  readonly grant: number;
  /** Presence servers, all of them outbound proxies in this order. */
  readonly servers?: number;
  readonly pua?: Partial<PuaOptions>;
  readonly watch?: (clock: SimClock) => Watch;
}

const PUA_HOST = '10.0.0.1';
/** Each way. It is the same for all, so that the network keeps the order. */
const DELAY_MS = 2;
const STEP_MS = 1_000;

const document = (user: string, note: number) =>
  `<?xml version="1.0"?><presence xmlns="urn:ietf:params:xml:ns:pidf" entity="sip:${user}@example.com">` +
  `<tuple id="t"><status><basic>open</basic></status><note>${note}</note></tuple></presence>`;

const watched =
  (bind: BindDatagram, watch: Watch): BindDatagram =>
  async (host, port, receive) => {
    const socket = await bind(host, port, (data, from, fromPort) => {
      watch.received(data);
      receive(data, from, fromPort);
    });
    const send: typeof socket.send = (data, toPort, to, failed) => {
      watch.sent(data, `${to}:${toPort}`);
      socket.send(data, toPort, to, failed);
    };
    return { ...socket, send };
  };

export class Crowd {
  readonly clock = new SimClock();
  readonly random = new SimRandom(7);
  readonly network = new SimNetwork(this.clock, this.random);
  readonly servers: PresenceServer[] = [];
  readonly meters: Meter[] = [];
  /** Newest note of each user; absent: nothing is to be published. */
  readonly wanted = new Map<string, number>();
  /** Most of each since the start, seen once per second. */
  readonly most = { queued: 0, inFlight: 0, scheduled: 0, transactions: 0 };
  pua!: Pua;
  sip!: EmbeddedSip;

  static async start(options: CrowdOptions): Promise<Crowd> {
    const crowd = new Crowd();
    const { clock, random, network } = crowd;
    network.setFaults({ delay: [DELAY_MS, DELAY_MS] });
    const uris: string[] = [];
    for (let i = 0; i < (options.servers ?? 1); i++) {
      const host = `10.0.0.${11 + i}`;
      const started = await simulatePresenceServer({
        clock,
        random,
        network,
        host,
        limits: { max: options.grant },
        logLimit: 0,
      });
      crowd.servers.push(started.server);
      crowd.meters.push(new Meter(network, `${host}:5060`));
      uris.push(started.uri);
    }
    const watch = options.watch?.(clock);
    const bindDatagram = watch ? watched(network.bind, watch) : network.bind;
    crowd.sip = embeddedSip({ listen: [`udp:${PUA_HOST}:5060`], clock, random, bindDatagram });
    crowd.pua = createPua({
      sip: watch ? observed(crowd.sip, (request) => watch.over(request)) : crowd.sip,
      outboundProxy: uris,
      updatePeriod: 0,
      ceiling: options.ceiling,
      ...options.pua,
    });
    crowd.pua.addEvent(presence);
    await crowd.pua.start();
    for (let i = 0; i < options.users; i++) crowd.publish(`u${i}`, 0);
    return crowd;
  }

  get server(): PresenceServer {
    return this.servers[0]!;
  }

  get meter(): Meter {
    return this.meters[0]!;
  }

  publish(user: string, note: number): void {
    this.wanted.set(user, note);
    const body = document(user, note);
    this.pua.sendPublish({ presUri: `sip:${user}@example.com`, event: 'presence', sourceFlag: 'RPC_PUBLISH', body });
  }

  unpublish(user: string): void {
    this.wanted.delete(user);
    this.pua.sendPublish({
      presUri: `sip:${user}@example.com`,
      event: 'presence',
      sourceFlag: 'RPC_PUBLISH',
      expires: 0,
    });
  }

  /** Lets the time pass, second by second. */
  async advance(ms: number): Promise<void> {
    const end = this.clock.now() + ms;
    while (this.clock.now() < end) {
      this.clock.advanceTo(Math.min(end, this.clock.now() + STEP_MS));
      await settle();
      this.#look();
    }
  }

  /** @returns the simulated milliseconds it took; at most `limitMs` */
  async until(done: () => boolean, limitMs: number): Promise<number> {
    const start = this.clock.now();
    while (!done() && this.clock.now() - start < limitMs) await this.advance(STEP_MS);
    return this.clock.now() - start;
  }

  #look(): PuaStats {
    const stats = this.pua.stats();
    const { most } = this;
    most.queued = Math.max(most.queued, stats.queued);
    most.inFlight = Math.max(most.inFlight, stats.inFlight);
    most.scheduled = Math.max(most.scheduled, stats.scheduled);
    most.transactions = Math.max(most.transactions, this.sip.stats().clientTransactions);
    return stats;
  }

  /** Records that rest with what the server has granted. */
  get resting(): number {
    return this.pua.stats().states['publication published'] ?? 0;
  }

  /** Where the servers, together, do not hold just the newest document of each user, once. */
  differences(): string[] {
    const left = new Map(this.wanted);
    const found: string[] = [];
    for (const server of this.servers) {
      for (const { presentity, body } of server.publications) {
        const user = presentity.slice(0, presentity.indexOf('@'));
        const note = /<note>(\d+)</.exec(body.text())![1];
        if (left.get(user) === Number(note)) left.delete(user);
        else found.push(`${user}: note ${note} is held, wanted is ${this.wanted.get(user)}, once`);
      }
    }
    for (const [user, note] of left) found.push(`${user}: note ${note} is not held`);
    return found.slice(0, 10);
  }

  async stop(): Promise<void> {
    const stopped = Promise.all([this.pua.stop(0), ...this.servers.map((server) => server.stop(0))]);
    await this.clock.advanceAsync(1_000);
    await stopped;
  }
}
