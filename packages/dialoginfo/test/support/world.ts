/** dialoginfo in a whole PUA, under a simulated clock, and the presence server it publishes to. */
import { createPua, type Pua, type PuaOptions, type PuaRow } from '@pua/core';
import { type Dialoginfo, type DialoginfoOptions, dialoginfo } from '@pua/dialoginfo';
import { type DialogInfo, readDialogInfo } from '@pua/documents';
import { embeddedSip } from '@pua/sip';
import { type PresenceServer, SimClock, SimNetwork, SimRandom, simulatePresenceServer } from '@pua/testkit';
import { FakeSource } from './source';
import { MemoryStore } from './store';

export interface WorldOptions {
  readonly seed?: number;
  readonly source?: FakeSource;
  readonly pua?: Partial<PuaOptions>;
  readonly dialoginfo?: DialoginfoOptions;
  /** Largest lifetime the server grants. */
  readonly grant?: number;
}

/** A PUBLISH as the server got it. */
export interface Published {
  readonly at: number;
  readonly uri: string;
  readonly expires: number;
  readonly initial: boolean;
  readonly body: string;
  /** undefined: a refresh or a removal. */
  readonly document: DialogInfo | undefined;
}

export class World {
  readonly clock = new SimClock();
  readonly network: SimNetwork;
  readonly rows = new Map<string, PuaRow>();
  source: FakeSource;
  server!: PresenceServer;
  pua!: Pua;
  module!: Dialoginfo;
  #uri = '';
  readonly #random: SimRandom;
  readonly #options: WorldOptions;

  private constructor(options: WorldOptions) {
    this.#options = options;
    this.#random = new SimRandom(options.seed ?? 1);
    this.network = new SimNetwork(this.clock, this.#random);
    this.source = options.source ?? new FakeSource();
  }

  static async start(options: WorldOptions = {}): Promise<World> {
    const world = new World(options);
    const { clock, network } = world;
    const limits = { max: options.grant ?? 86_400 };
    const started = await simulatePresenceServer({ clock, random: world.#random, network, limits, logLimit: 100_000 });
    world.server = started.server;
    world.#uri = started.uri;
    await world.startPua();
    return world;
  }

  async startPua(more: DialoginfoOptions = {}): Promise<void> {
    const { clock, network, source } = this;
    this.module = dialoginfo({ source, ...this.#options.dialoginfo, ...more });
    this.pua = createPua({
      sip: embeddedSip({ listen: ['udp:10.0.0.1:5060'], clock, random: this.#random, bindDatagram: network.bind }),
      store: new MemoryStore(this.rows),
      outboundProxy: this.#uri,
      updatePeriod: 0,
      ...this.#options.pua,
    });
    this.pua.use(this.module);
    await this.pua.start();
  }

  async stopPua(): Promise<void> {
    const stopped = this.pua.stop(0);
    await this.clock.advanceAsync(100);
    await stopped;
  }

  advance(ms: number): Promise<void> {
    return this.clock.advanceAsync(ms);
  }

  /** What happens at once, and what of it goes over the wire. */
  settle(): Promise<void> {
    return this.advance(1);
  }

  get published(): Published[] {
    return this.server.requests
      .filter(({ method }) => method === 'PUBLISH')
      .map(({ at, uri, headers, body }) => {
        const text = body?.text() ?? '';
        return {
          at,
          uri,
          expires: Number(headers.get('Expires')),
          initial: headers.get('SIP-If-Match') === undefined,
          body: text,
          get document() {
            return text === '' ? undefined : readDialogInfo(text);
          },
        };
      });
  }

  /** One line per PUBLISH since the last call: `alice initiator early`, `bob removed`, `bob refreshed 300`. */
  told(): string[] {
    const lines = this.published.map(line);
    this.server.clearLog();
    return lines;
  }

  /** The newest document of a user that went out. */
  document(user: string): DialogInfo {
    return this.published.findLast(({ uri, document }) => userOf(uri) === user && document)!.document!;
  }

  /** States of the dialogs the server holds, by user. */
  lamps(): Record<string, string[]> {
    const lamps: Record<string, string[]> = {};
    for (const { presentity, body } of this.server.publications) {
      const states = readDialogInfo(body.text()).dialogs.map(({ state }) => state);
      const user = userOf(presentity);
      lamps[user] = [...(lamps[user] ?? []), ...states].sort();
    }
    return lamps;
  }

  async stop(): Promise<void> {
    const stopped = Promise.all([this.pua.stop(0), this.server.stop(0)]);
    await this.clock.advanceAsync(1_000);
    await stopped;
    expect(this.clock.pending).toBe(0);
    expect(this.source.listeners).toBe(0);
  }
}

export const userOf = (uri: string) => /^(?:sip:)?([^@]+)@/.exec(uri)?.[1] ?? uri;

function line({ uri, expires, document }: Published): string {
  if (!document) return `${userOf(uri)} ${expires === 0 ? 'removed' : `refreshed ${expires}`}`;
  const dialogs = document.dialogs.map(({ direction, state, event, code }) =>
    [direction, state, event, code].filter((part) => part !== undefined).join(' '),
  );
  return `${userOf(uri)} ${dialogs.join(', ')}`;
}

let world: World | undefined;

/** A world that is stopped when the test is over. */
export async function inWorld(options: WorldOptions = {}): Promise<World> {
  world = await World.start(options);
  return world;
}

afterEach(async () => {
  const last = world;
  world = undefined;
  await last?.stop();
});
