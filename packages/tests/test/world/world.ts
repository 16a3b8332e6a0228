/**
 * One PUA on the real SIP engine, one presence server, a network with faults, one clock: everything a run does
 * follows from its seed.
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
import { SimProcess } from './process';
import { SimDisk, SimStore } from './store';
import { WireMonitor } from './wire';

export type CreatePua = (options: PuaOptions) => Pua;

export interface WorldOptions {
  readonly seed: number;
  readonly createPua: CreatePua;
  readonly pua?: Partial<PuaOptions>;
  /** Longest lifetime the server grants, seconds. */
  readonly grant?: number;
  readonly faults?: Faults;
  readonly etagsByUri?: boolean;
}

const PUA_HOST = '10.0.0.1';

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
  server!: PresenceServer;
  pua!: Pua;
  sip!: EmbeddedSip;
  store!: SimStore;
  process!: SimProcess;
  #serverUri = '';

  private constructor(options: WorldOptions) {
    this.options = options;
    this.random = new SimRandom(options.seed);
    this.network = new SimNetwork(this.clock, this.random);
    this.wire = new WireMonitor(this.clock, options.etagsByUri ?? true);
    this.network.setFaults(options.faults ?? {});
  }

  static async start(options: WorldOptions): Promise<World> {
    const world = new World(options);
    const { clock, random, network } = world;
    const limits = { max: options.grant ?? 3600 };
    const { server, uri } = await simulatePresenceServer({ clock, random, network, limits });
    world.server = server;
    world.#serverUri = uri;
    await world.startPua();
    return world;
  }

  async startPua(): Promise<void> {
    this.process = new SimProcess(this.clock, this.network, this.wire);
    const { clock, bindDatagram } = this.process;
    this.sip = embeddedSip({ listen: [`udp:${PUA_HOST}:5060`], clock, random: this.random, bindDatagram });
    this.store = new SimStore(this.disk, clock, () => this.random.uniform() * 50);
    this.pua = this.options.createPua({
      sip: this.sip,
      store: this.store,
      outboundProxy: this.#serverUri,
      updatePeriod: 0,
      ...this.options.pua,
    });
    this.pua.addEvent(presence);
    await this.pua.start();
  }

  /** kill -9; what was not on the disk is lost. */
  kill(): void {
    this.process.kill();
    const known = new Map<string, string>();
    for (const row of this.disk.rows.values())
      if (row.watcher_uri === '' && row.etag !== '') known.set(row.pres_uri, row.etag);
    this.wire.forgetEtags(known);
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

  /** Notes of the documents the server holds, by user. */
  published(): Map<string, string[]> {
    const found = new Map<string, string[]>();
    for (const publication of this.server.publications) {
      const user = /sip:([^@]+)@/.exec(publication.presentity)?.[1] ?? publication.presentity.split('@')[0]!;
      const note = /<note>([^<]*)</.exec(publication.body.text())?.[1] ?? '';
      found.set(user, [...(found.get(user) ?? []), note].sort());
    }
    return found;
  }

  async stop(): Promise<void> {
    this.network.setFaults({});
    this.network.heal();
    const stopped = Promise.all([this.pua.stop(0), this.server.stop(0)]);
    await this.clock.advanceAsync(1_000);
    await stopped;
  }
}
