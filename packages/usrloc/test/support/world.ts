/** A PUA with usrloc on the real SIP engine, a presence server, a network and a clock that are simulated. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import {
  type Clock,
  createPua,
  type Pua,
  type PuaModule,
  type PuaOptions,
  type PuaRow,
  type RowSource,
  type StorePort,
  type Timer,
} from '@pua/core';
import { type BindDatagram, embeddedSip } from '@pua/sip';
import {
  type Faults,
  type PresenceServer,
  SimClock,
  SimNetwork,
  SimRandom,
  simulatePresenceServer,
} from '@pua/testkit';
import { type Usrloc, type UsrlocOptions, usrloc } from '@pua/usrloc';
import { FakeRegistrar } from './registrar';

/** A disk that outlives processes. */
class SimStore implements StorePort {
  #alive = true;

  constructor(readonly rows: Map<string, PuaRow>) {}

  async open() {
    return { rows: this.rows.size, unclean: false };
  }

  async load(_pageSize: number, onPage: (rows: readonly PuaRow[]) => void) {
    onPage([...this.rows.values()]);
  }

  changed(source: RowSource): number {
    if (!this.#alive) return 0;
    const row = source.row();
    if (row) this.rows.set(source.key, row);
    else this.rows.delete(source.key);
    return 0;
  }

  kill(): void {
    this.#alive = false;
  }

  status() {
    return { durable: 0, last: 0, pending: 0, error: null };
  }

  onDurable(): void {}
  onLeaseLost(): void {}
  async flush() {}
  async close() {}
}

export interface WorldOptions {
  readonly seed?: number;
  readonly faults?: Faults;
  readonly pua?: Partial<PuaOptions>;
  readonly usrloc?: UsrlocOptions;
  readonly registrar?: FakeRegistrar;
  /** Used after usrloc, and so stopped before it. */
  readonly modules?: readonly PuaModule[];
  /** Longest lifetime the server grants, seconds. */
  readonly grant?: number;
}

export interface Sent {
  readonly at: number;
  readonly uri: string;
  readonly ifMatch: string | undefined;
  readonly expires: number;
  readonly body: string;
  readonly status: number | undefined;
}

export class World {
  readonly clock = new SimClock();
  readonly random: SimRandom;
  readonly network: SimNetwork;
  readonly registrar: FakeRegistrar;
  readonly rows = new Map<string, PuaRow>();
  readonly faults: { where: string; error: Error }[] = [];
  readonly options: WorldOptions;
  server!: PresenceServer;
  pua!: Pua;
  module!: Usrloc;
  #kill: () => void = () => {};
  #outboundProxy = '';
  readonly #onFault = (message: unknown) => void this.faults.push(message as { where: string; error: Error });

  private constructor(options: WorldOptions) {
    this.options = options;
    this.registrar = options.registrar ?? new FakeRegistrar();
    this.random = new SimRandom(options.seed ?? 1);
    this.network = new SimNetwork(this.clock, this.random);
    this.network.setFaults(options.faults ?? {});
    subscribe('pua:fault', this.#onFault);
  }

  static async start(options: WorldOptions = {}): Promise<World> {
    const world = new World(options);
    const { clock, random, network } = world;
    const limits = { max: options.grant ?? 7200 };
    const { server, uri } = await simulatePresenceServer({ clock, random, network, limits, logLimit: 100_000 });
    world.server = server;
    world.#outboundProxy = uri;
    await world.startPua();
    return world;
  }

  /** A new process on the same disk. */
  async startPua(options: UsrlocOptions = this.options.usrloc ?? {}): Promise<void> {
    const { random, network } = this;
    const timers = new Set<Timer>();
    const sockets: { close(): unknown }[] = [];
    let alive = true;
    const clock: Clock = {
      now: () => this.clock.now(),
      wall: () => this.clock.wall(),
      after: (ms, run) => {
        const timer = this.clock.after(ms, () => {
          timers.delete(timer);
          run();
        });
        timers.add(timer);
        if (!alive) timer.cancel();
        return timer;
      },
    };
    const bindDatagram: BindDatagram = async (host, port, receive) => {
      const socket = await network.bind(host, port, receive);
      sockets.push(socket);
      return socket;
    };
    const sip = embeddedSip({ listen: ['udp:10.0.0.1:5060'], clock, random, bindDatagram });
    const store = new SimStore(this.rows);
    this.module = usrloc(options.source || options.sources ? options : { ...options, source: this.registrar });
    const outboundProxy = this.#outboundProxy;
    this.pua = createPua({ sip, store, outboundProxy, updatePeriod: 0, ...this.options.pua }).use(this.module);
    for (const module of this.options.modules ?? []) this.pua.use(module);
    await this.pua.start();
    await this.clock.advanceAsync(1);
    let isReconciled = false;
    void this.module.reconciled.then(() => {
      isReconciled = true;
    });
    await this.clock.runUntil(() => isReconciled, 10_000);
    this.#kill = () => {
      alive = false;
      store.kill();
      this.registrar.listeners.clear();
      for (const socket of sockets) socket.close();
      for (const timer of timers) timer.cancel();
    };
  }

  async stopPua(): Promise<void> {
    const stopped = this.pua.stop(0);
    await this.advance(1_000);
    await stopped;
  }

  /** kill -9 */
  async kill(): Promise<void> {
    this.#kill();
    await this.advance(1);
  }

  advance(ms: number): Promise<void> {
    return this.clock.advanceAsync(ms);
  }

  /** All PUBLISHes the server got so far. */
  get sent(): Sent[] {
    return this.server.requests.map(({ at, uri, headers, body, status }) => ({
      at,
      uri,
      ifMatch: headers.get('SIP-If-Match'),
      expires: Number(headers.get('Expires')),
      body: body?.text() ?? '',
      status,
    }));
  }

  /** Documents the server holds, by presentity. */
  get documents(): Map<string, string[]> {
    const found = new Map<string, string[]>();
    for (const { presentity, body } of this.server.publications)
      found.set(presentity, [...(found.get(presentity) ?? []), body.text()]);
    return found;
  }

  async stop(): Promise<void> {
    this.network.setFaults({});
    unsubscribe('pua:fault', this.#onFault);
    const stopped = Promise.all([this.pua.stop(0), this.server.stop(0)]);
    await this.advance(1_000);
    await stopped;
  }
}

/** A story in a world of its own; afterwards nothing is left behind, and no fault was told that it does not expect. */
export async function inWorld(
  options: WorldOptions,
  story: (world: World) => Promise<void>,
  faults: readonly RegExp[] = [],
): Promise<void> {
  const world = await World.start(options);
  await story(world);
  await world.stop();
  expect(world.clock.pending).toBe(0);
  expect(world.faults.map(({ where, error }) => `${where}: ${error.message}`)).toEqual(
    faults.map((fault) => expect.stringMatching(fault)),
  );
}
