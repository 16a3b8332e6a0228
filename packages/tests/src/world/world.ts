/**
 * One PUA on the real SIP engine, its presence servers, a network with faults, one clock: everything a run does follows
 * from its seed.
 */
import type { Pua, PuaHandle, PuaOptions } from '@pua/core';
import { presence } from '@pua/documents';
import { type EmbeddedSip, embeddedSip } from '@pua/sip';
import {
  type Faults,
  type PresenceServer,
  SimClock,
  SimNetwork,
  SimRandom,
  simulatePresenceServer,
} from '@pua/testkit';
import { SimProcess } from './process.js';
import { SimDisk, SimStore } from './store.js';
import { observed, WireMonitor } from './wire.js';

export type CreatePua = (options: PuaOptions) => Pua;

export interface WorldOptions {
  readonly seed: number;
  readonly createPua: CreatePua;
  readonly pua?: Partial<PuaOptions>;
  /** Longest lifetime the servers grant, seconds. */
  readonly grant?: number;
  /** Outbound proxies, in order of preference. Default 1. */
  readonly servers?: number;
  readonly faults?: Faults;
  readonly etagsByUri?: boolean;
  /** Requests and NOTIFYs that each server keeps in its log, and requests that the monitor keeps. Default 10000. */
  readonly logLimit?: number;
}

const PUA_HOST = '10.0.0.1';
const SERVER_HOST = (index: number) => `10.0.0.${9 + index}`;
/** What the monitor of the wire takes for granted when the options say nothing else: DEFAULT_POLICY of core. */
const LIMITS = { retryAfterCap: 3_600_000, maxMinExpires: 86_400 };

export const document = (user: string, note: number | string) =>
  `<?xml version="1.0"?><presence xmlns="urn:ietf:params:xml:ns:pidf" entity="sip:${user}@example.com">` +
  `<tuple><status><basic>open</basic></status><note>${note}</note></tuple></presence>`;

export class World {
  readonly clock = new SimClock();
  readonly random: SimRandom;
  readonly network: SimNetwork;
  readonly wire: WireMonitor;
  readonly disk = new SimDisk();
  readonly options: WorldOptions;
  readonly servers: PresenceServer[] = [];
  pua!: Pua;
  sip!: EmbeddedSip;
  store!: SimStore;
  process!: SimProcess;
  readonly #uris: string[] = [];

  private constructor(options: WorldOptions) {
    this.options = options;
    this.random = new SimRandom(options.seed);
    this.network = new SimNetwork(this.clock, this.random);
    this.wire = new WireMonitor(this.clock, {
      etagsByUri: options.etagsByUri ?? true,
      limits: { ...LIMITS, ...options.pua?.policy },
      ...(options.logLimit === undefined ? {} : { logLimit: options.logLimit }),
    });
    this.network.setFaults(options.faults ?? {});
  }

  static async start(options: WorldOptions): Promise<World> {
    const world = new World(options);
    const { clock, random, network } = world;
    const settings = { limits: { max: options.grant ?? 3600 }, logLimit: options.logLimit ?? 10_000 };
    for (let index = 0; index < (options.servers ?? 1); index++) {
      const host = SERVER_HOST(index);
      const { server, uri } = await simulatePresenceServer({ clock, random, network, host, ...settings });
      world.servers.push(server);
      world.#uris.push(uri);
    }
    await world.startPua();
    return world;
  }

  get server(): PresenceServer {
    return this.servers[0]!;
  }

  async startPua(): Promise<void> {
    this.process = new SimProcess(this.clock, this.network, this.wire);
    const { process } = this;
    const { clock, bindDatagram } = process;
    this.sip = embeddedSip({ listen: [`udp:${PUA_HOST}:5060`], clock, random: this.random, bindDatagram });
    const ended = (key: string) => this.wire.ended(key.startsWith('p|') ? 'PUBLISH' : 'SUBSCRIBE', key.split('|')[3]!);
    this.store = new SimStore(this.disk, clock, () => this.random.uniform() * 50, ended);
    this.pua = this.options.createPua({
      sip: observed(this.sip, (request) => process.alive && this.wire.over(request)),
      store: this.store,
      outboundProxy: this.#uris,
      updatePeriod: 0,
      ...this.options.pua,
    });
    this.pua.addEvent(presence);
    await this.pua.start();
  }

  /** A process is about to end, or to be killed. */
  onStop: () => void = () => {};

  async stopPua(): Promise<void> {
    this.onStop();
    const stopped = this.pua.stop(0);
    await this.clock.advanceAsync(1_000);
    await stopped;
    this.wire.restarted(this.disk.rows.values());
  }

  /** kill -9; what was not on the disk is lost. */
  kill(): void {
    this.onStop();
    this.process.kill();
    this.wire.restarted(this.disk.rows.values());
  }

  publish(
    user: string,
    note: number | string,
    more: { id?: string; expires?: number; insert?: boolean } = {},
  ): PuaHandle {
    return this.pua.sendPublish({
      presUri: `sip:${user}@example.com`,
      event: 'presence',
      sourceFlag: 'RPC_PUBLISH',
      body: document(user, note),
      expires: more.expires ?? -1,
      ...(more.id === undefined ? {} : { id: more.id }),
      ...(more.insert ? { flag: 'insert' as const } : {}),
    });
  }

  unpublish(user: string, id?: string): PuaHandle {
    const base = {
      presUri: `sip:${user}@example.com`,
      event: 'presence',
      sourceFlag: 'RPC_PUBLISH',
      expires: 0,
    } as const;
    return this.pua.sendPublish(id === undefined ? base : { ...base, id });
  }

  subscribe(user: string, expires = -1): PuaHandle {
    return this.pua.sendSubscribe({
      presUri: `sip:${user}@example.com`,
      watcherUri: 'sip:watcher@example.com',
      event: 'presence',
      sourceFlag: 'RPC_SUBSCRIBE',
      expires,
    });
  }

  advance(ms: number): Promise<void> {
    return this.clock.advanceAsync(ms);
  }

  /** Notes of the documents the servers hold, by user. */
  published(): Map<string, string[]> {
    const found = new Map<string, string[]>();
    for (const publication of this.servers.flatMap((server) => server.publications)) {
      const user = /sip:([^@]+)@/.exec(publication.presentity)?.[1] ?? publication.presentity.split('@')[0]!;
      const note = /<note>([^<]*)</.exec(publication.body.text())?.[1] ?? '';
      found.set(user, [...(found.get(user) ?? []), note].sort());
    }
    return found;
  }

  async stop(): Promise<void> {
    this.network.setFaults({});
    this.network.heal();
    this.onStop();
    const stopped = Promise.all([this.pua.stop(0), ...this.servers.map((server) => server.stop(0))]);
    await this.clock.advanceAsync(1_000);
    await stopped;
  }
}
