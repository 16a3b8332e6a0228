/** Nodes with reginfo on the real SIP engine, a presence server, a network and a clock that are simulated. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import {
  createPua,
  type Pua,
  type PuaModule,
  type PuaOptions,
  type PuaRow,
  type RowSource,
  type StorePort,
} from '@pua/core';
import { type RegInfo, readRegInfo } from '@pua/documents';
import { type Reginfo, type ReginfoOptions, reginfo } from '@pua/reginfo';
import { embeddedSip } from '@pua/sip';
import {
  type Faults,
  type PresenceServer,
  type ServerSubscription,
  SimClock,
  SimNetwork,
  SimRandom,
  simulatePresenceServer,
} from '@pua/testkit';

export const SERVER_ADDRESS = 'sip:reg@a.example.com';

/** A disk that outlives processes. */
class SimStore implements StorePort {
  constructor(readonly rows: Map<string, PuaRow>) {}

  async open() {
    return { rows: this.rows.size, unclean: false };
  }

  async load(_pageSize: number, onPage: (rows: readonly PuaRow[]) => void) {
    onPage([...this.rows.values()]);
  }

  changed(source: RowSource): number {
    const row = source.row();
    if (row) this.rows.set(source.key, row);
    else this.rows.delete(source.key);
    return 0;
  }

  status() {
    return { durable: 0, last: 0, pending: 0, error: null };
  }

  onDurable(): void {}
  onLeaseLost(): void {}
  async flush() {}
  async close() {}
}

export interface NodeOptions extends ReginfoOptions {
  readonly host?: string;
  readonly pua?: Partial<PuaOptions>;
  readonly rows?: Map<string, PuaRow>;
  /** Used before reginfo, as sources and sinks are. */
  readonly before?: readonly PuaModule[];
}

export interface Node {
  readonly pua: Pua;
  readonly module: Reginfo;
  readonly rows: Map<string, PuaRow>;
}

/** A PUBLISH as the server saw it. */
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
  readonly faults: { where: string; error: Error }[] = [];
  readonly nodes: Node[] = [];
  server!: PresenceServer;
  #uri = '';
  readonly #onFault = (message: unknown) => void this.faults.push(message as { where: string; error: Error });

  private constructor(seed: number, faults: Faults) {
    this.random = new SimRandom(seed);
    this.network = new SimNetwork(this.clock, this.random);
    this.network.setFaults(faults);
    subscribe('pua:fault', this.#onFault);
  }

  static async start(options: { seed?: number; faults?: Faults; grant?: number } = {}): Promise<World> {
    const world = new World(options.seed ?? 1, options.faults ?? {});
    const { clock, random, network } = world;
    const limits = { max: options.grant ?? 7200 };
    const { server, uri } = await simulatePresenceServer({ clock, random, network, limits, logLimit: 100_000 });
    world.server = server;
    world.#uri = uri;
    return world;
  }

  async node(options: NodeOptions = {}): Promise<Node> {
    const { host = '10.0.0.1', pua: more = {}, rows = new Map<string, PuaRow>(), before = [], ...own } = options;
    const { clock, random, network } = this;
    const sip = embeddedSip({ listen: [`udp:${host}:5060`], clock, random, bindDatagram: network.bind });
    const store = new SimStore(rows);
    const pua = createPua({ sip, store, outboundProxy: this.#uri, updatePeriod: 0, ...more });
    const module = reginfo(own);
    for (const one of [...before, module]) pua.use(one);
    const started = pua.start();
    await this.advance(20);
    await started;
    const node = { pua, module, rows };
    this.nodes.push(node);
    return node;
  }

  async stopNode(node: Node): Promise<void> {
    this.nodes.splice(this.nodes.indexOf(node), 1);
    const stopped = node.pua.stop(0);
    await this.advance(1_000);
    await stopped;
  }

  advance(ms: number): Promise<void> {
    return this.clock.advanceAsync(ms);
  }

  get publishes(): Sent[] {
    return this.server.requests
      .filter(({ method }) => method === 'PUBLISH')
      .map(({ at, uri, headers, body, status }) => ({
        at,
        uri,
        ifMatch: headers.get('SIP-If-Match'),
        expires: Number(headers.get('Expires')),
        body: body?.text() ?? '',
        status,
      }));
  }

  get last(): Sent {
    return this.publishes.at(-1)!;
  }

  get document(): RegInfo {
    return readRegInfo(this.last.body);
  }

  get subscription(): ServerSubscription {
    return this.server.subscriptions.at(-1)!;
  }

  /** One NOTIFY; resolves with the status that it got. */
  async notify(body: string | null, more: { state?: string; type?: string } = {}): Promise<unknown> {
    const { type = 'application/reginfo+xml', ...rest } = more;
    const sent = this.server.notify(this.subscription, {
      ...rest,
      body: body === null ? null : { type, content: body },
    });
    await this.advance(50);
    const outcome = await sent;
    return outcome.kind === 'response' ? outcome.status : outcome.kind;
  }

  async stop(): Promise<void> {
    this.network.setFaults({});
    const stopped = Promise.all([...this.nodes.map(({ pua }) => pua.stop(0)), this.server.stop(0)]);
    await this.advance(1_000);
    await stopped;
    unsubscribe('pua:fault', this.#onFault);
    expect({ pending: this.clock.pending, sockets: this.network.sockets }).toEqual({ pending: 0, sockets: 0 });
  }
}
