/**
 * All the machines of the circle on loopback, each a process of its own:
 *
 *   phones -> Kamailio, registrar and proxy -> pua run -> Kamailio, presence server -> watchers
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { embeddedSip } from '@pua/sip';
import {
  type KamailioOptions,
  type KamailioProxyOptions,
  type LaunchedKamailio,
  type LaunchedKamailioProxy,
  type LaunchedMariadb,
  launchKamailio,
  launchKamailioProxy,
  launchMariadb,
  Phone,
  type PhoneOptions,
  type PresentityRow,
  Watcher,
} from '@pua/testkit';
import { eventually } from '../../kamailio/support/eventually';
import { Program } from '../../kamailio/support/program';
import { call } from '../../kamailio/support/rpc';
import { Lamp, type LampEvent, OFF } from './lamp';
import { Relay } from './relay';

export const DOMAIN = 'example.com';
export const uriOf = (user: string): string => `sip:${user}@${DOMAIN}`;

type Section = Readonly<Record<string, unknown>>;
type ProxyOptions = Omit<KamailioProxyOptions, 'mariadb'>;

export interface SceneOptions {
  /** REGISTERs are copied to us and calls are posted (the default), or we read the tables of the proxy. */
  readonly by?: 'wire' | 'tables';
  readonly proxy?: ProxyOptions;
  /** More parameters of our modules and sources. */
  readonly usrloc?: Section;
  readonly reginfo?: Section;
  readonly dialoginfo?: Section;
  readonly registrar?: Section;
  readonly webhook?: Section;
}

export class Scene {
  mariadb!: LaunchedMariadb;
  presence!: LaunchedKamailio;
  proxy!: LaunchedKamailioProxy;
  relay!: Relay;
  program!: Program;
  readonly #options: SceneOptions;
  readonly #folder = mkdtempSync(join(tmpdir(), 'pua-circle-test-'));
  readonly #opened: { stop(): Promise<unknown> }[] = [];
  readonly #lamps: Lamp[] = [];
  readonly #phones: Phone[] = [];
  #watcher!: Watcher;

  private constructor(options: SceneOptions) {
    this.#options = options;
  }

  static async open(options: SceneOptions = {}): Promise<Scene> {
    const scene = new Scene(options);
    try {
      await scene.#open();
      return scene;
    } catch (error) {
      await scene.stop();
      throw error;
    }
  }

  async #open(): Promise<void> {
    this.mariadb = this.#opening(await launchMariadb());
    // What has run out there is removed, and told, within a second.
    const modparams: KamailioOptions['modparams'] = [['presence', 'clean_period', 1]];
    this.presence = this.#opening(await launchKamailio({ mariadb: this.mariadb, modparams, children: 1 }));
    this.relay = this.#opening(await Relay.open(this.presence.port));
    const sip = embeddedSip({ listen: ['udp:127.0.0.1:0'] });
    this.#watcher = this.#opening(new Watcher({ sip, server: this.presence.uri }));
    await this.#watcher.start();
    // Whichever of the two has to know where the other one is comes second.
    if (this.#options.by === 'tables') {
      await this.#launchProxy();
      await this.startProgram();
    } else {
      await this.startProgram();
      const webhook = { url: `${this.program.url}/events/dialogs` };
      await this.#launchProxy({ tap: this.program.sip.replace('udp', 'sip'), webhook });
    }
    this.#opening({ stop: () => this.program.end('SIGKILL') });
  }

  async #launchProxy(told: ProxyOptions = {}): Promise<void> {
    const own = { mariadb: this.mariadb, domains: [DOMAIN] };
    // A row of dialog goes with the transaction that ended it.
    const modparams: KamailioProxyOptions['modparams'] = [['tm', 'wt_timer', 500]];
    this.proxy = this.#opening(await launchKamailioProxy({ ...own, modparams, ...told, ...this.#options.proxy }));
  }

  async stop(): Promise<void> {
    for (const one of this.#opened.reverse()) await one.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #opening<T extends { stop(): Promise<unknown> }>(one: T): T {
    this.#opened.push(one);
    return one;
  }

  // -------------------------------------------------------------------------------------------------- us

  /** On the addresses of its former life. */
  async startProgram(): Promise<void> {
    const config = join(this.#folder, 'pua.yaml');
    // JSON is YAML.
    writeFileSync(config, JSON.stringify(this.#settings()), { mode: 0o600 });
    this.program = await Program.start(config);
  }

  /** Ends it without notice, when everything it was told is on the disk. */
  async killProgram(): Promise<void> {
    await eventually(
      'written',
      () => call(this.program.url, 'pua.stats', {}),
      ({ store }) => (store as { pending: number }).pending === 0,
    );
    await this.program.end('SIGKILL');
  }

  /** Documents that we publish or want to, of one user or of all. */
  async wanted(event: LampEvent, user?: string): Promise<string[]> {
    const filter = { event, ...(user === undefined ? {} : { uri: uriOf(user) }) };
    const { records } = (await call(this.program.url, 'pua.list', filter)) as { records: readonly { key: string }[] };
    const shown = await Promise.all(records.map(({ key }) => call(this.program.url, 'pua.show', { key })));
    return shown.map(({ body }) => String(body));
  }

  /** No PUBLISH is on its way. */
  async answered(): Promise<void> {
    await eventually(
      'answers',
      () => this.relay.publishes().filter(({ status }) => status === 0),
      ({ length }) => length === 0,
    );
  }

  #settings(): Section {
    const { by = 'wire', usrloc = {}, reginfo = {}, dialoginfo = {}, registrar = {}, webhook = {} } = this.#options;
    const sources =
      by === 'wire'
        ? {
            bindings: { type: 'registrar', trusted: ['127.0.0.1/32'], ...registrar },
            calls: { type: 'webhook', ...webhook },
          }
        : {
            bindings: { type: 'location', db_url: this.proxy.database.url, poll_interval: 50 },
            calls: { type: 'dialog', db_url: this.proxy.database.url, poll_interval: 50 },
          };
    return {
      sip: { listen: [this.program?.sip ?? 'udp:127.0.0.1:0'] },
      pua: { db_url: `sqlite:${join(this.#folder, 'pua.db')}`, outbound_proxy: this.relay.uri },
      modules: {
        usrloc: { sources: [sources.bindings], ...usrloc },
        reginfo: { terminated_lifetime: 1, ...reginfo },
        dialoginfo: {
          sources: [sources.calls],
          // Short times, so that nobody has to wait.
          ...{ terminated_lifetime: 1, heartbeat_interval: 1, heartbeat_grace: 0 },
          ...dialoginfo,
        },
        mi: { listen: this.program ? new URL(this.program.url).host : '127.0.0.1:0' },
      },
    };
  }

  // ---------------------------------------------------------------------------------------------- the others

  async phone(user: string, more: Partial<PhoneOptions> = {}): Promise<Phone> {
    const phone = this.#opening(await Phone.start({ aor: uriOf(user), server: this.proxy.uri, ...more }));
    this.#phones.push(phone);
    return phone;
  }

  /** A phone that has registered. */
  async registered(user: string, more: Partial<PhoneOptions> = {}): Promise<Phone> {
    const phone = await this.phone(user, more);
    await accepted(phone.register());
    return phone;
  }

  /** All phones that have been started. */
  async unregisterAll(): Promise<void> {
    await Promise.all(this.#phones.map((phone) => phone.unregister()));
  }

  async lamp(user: string, event: LampEvent): Promise<Lamp> {
    const lamp = await Lamp.watch(this.#watcher, uriOf(user), event);
    this.#lamps.push(lamp);
    return lamp;
  }

  /** Of several users at once. */
  lamps(event: LampEvent, ...users: readonly string[]): Promise<Lamp[]> {
    return Promise.all(users.map((user) => this.lamp(user, event)));
  }

  /** What the presence server has of a user and an event, once it is so many. */
  async publications(user: string, event: LampEvent, count: number): Promise<PresentityRow[]> {
    const of = (rows: readonly PresentityRow[]) => rows.filter((row) => row.username === user && row.event === event);
    return of(await this.presence.waitForPresentity((rows) => of(rows).length === count, 10_000));
  }

  /** Nothing is published of them any more, and so a new watcher is shown. */
  async off(event: LampEvent, ...users: readonly string[]): Promise<void> {
    for (const user of users) {
      await this.publications(user, event, 0);
      await (await this.lamp(user, event)).shows(OFF);
    }
  }

  /** Documents that watchers have got. */
  documents(event: LampEvent): string[] {
    return this.#lamps.filter((lamp) => lamp.event === event).flatMap(({ documents }) => documents);
  }
}

/** The answer to a REGISTER, which must be 200. */
export async function accepted(answer: Promise<{ readonly status: number }>): Promise<void> {
  const { status } = await answer;
  if (status !== 200) throw new Error(`REGISTER was answered ${status}`);
}
