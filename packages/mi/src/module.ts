/** The companion: registers events and commands, serves the commands over HTTP. */
import type { PuaApi, PuaModule } from '@pua/core';
import { events } from '@pua/documents';
import { HttpAdapter, type HttpAddress } from './adapters/http.js';
import { register } from './commands/command.js';
import { publishCommands } from './commands/publish.js';
import { recordCommands } from './commands/records.js';
import { subscribeCommands } from './commands/subscribe.js';
import { healthOf } from './health.js';
import { type MiOptions, type Settings, settle } from './options.js';
import { Gate } from './waiting.js';

export interface MiModule extends PuaModule {
  /** What is really bound, from start() to stop(); else null. */
  readonly address: HttpAddress | null;
  /** Calls in progress. */
  readonly waiting: number;
}

class Mi implements MiModule {
  readonly name = 'mi';
  readonly #settings: Settings;
  readonly #gate: Gate;
  #address: HttpAddress | null = null;
  #pua: PuaApi | undefined;
  #http: HttpAdapter | undefined;
  #stopping = false;

  constructor(options: MiOptions) {
    this.#settings = settle(options);
    this.#gate = new Gate(this.#settings.maxWaiting);
  }

  get address(): HttpAddress | null {
    return this.#address;
  }

  get waiting(): number {
    return this.#gate.inside;
  }

  setup(pua: PuaApi): void {
    this.#pua = pua;
    const { waitMs, checks } = this.#settings;
    for (const event of events) pua.addEvent(event);
    for (const command of [...publishCommands, ...subscribeCommands, ...recordCommands]) {
      register(pua, command, waitMs);
    }
    const dispatcher = { command: (name: string) => pua.command(name), gate: this.#gate };
    this.#http = new HttpAdapter(this.#settings, dispatcher, (ready) => healthOf(pua, checks, ready && this.#stopping));
  }

  async start(): Promise<void> {
    this.#address = (await this.#http?.start(this.#pua?.routes() ?? [])) ?? null;
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#http?.stop();
    this.#address = null;
  }
}

/**
 * Commands over HTTP (Kamailio pua_rpc, OpenSIPS pua_mi): `pua.use(mi({ listen: '127.0.0.1:8060' }))`.
 * @throws PuaError `PUA_ERR_OPTION`, also for an address that is not loopback without a token
 */
export function mi(options: MiOptions = {}): MiModule {
  return new Mi(options);
}
