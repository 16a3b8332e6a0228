/** Where the demo plays: a folder, a presence server, a PUA, and the questions asked of them. */

import { createSocket } from 'node:dgram';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openStore } from '@pua/store';
import { stringify } from 'yaml';
import { callRpc } from '../commands/client.js';
import { Failure } from '../exit.js';
import { ACCOUNTS, DOMAIN, HEARTBEAT } from './accounts.js';
import { PuaChild } from './child.js';
import { summary } from './ladder.js';
import { type DemoServer, startDemoServer } from './server.js';
import type { WireMessage } from './wire.js';

/** How long anything may take, milliseconds; refreshes come by themselves within it. */
export const DEADLINE_MS = 15_000;

export interface RecordLine {
  readonly key: string;
  readonly etag: string;
  readonly callId: string;
  readonly state: string;
}

export class Stage {
  #child: PuaChild | undefined;
  #starting: Promise<PuaChild> | undefined;
  #struck = false;
  #step = '';
  #number = 0;

  private constructor(
    readonly folder: string,
    readonly config: string,
    readonly presence: DemoServer,
    readonly persistent: boolean,
    private readonly print: (text: string) => void,
  ) {}

  static async set(print: (text: string) => void): Promise<Stage> {
    const folder = mkdtempSync(join(tmpdir(), 'pua-demo-'));
    try {
      const noSqlite = await sqliteFault(folder);
      if (noSqlite !== undefined)
        print(`Note: SQLite can't be used here (${noSqlite}).\nThe PUA runs on the in-memory store.\n`);
      const began = performance.now();
      const presence = await startDemoServer(print, () => (performance.now() - began) / 1000);
      const config = join(folder, 'pua.yaml');
      const values = {
        // The same port before and after the kill: the notifier knows it as the address of its watcher.
        sip: { listen: [`udp:127.0.0.1:${await freeUdpPort()}`] },
        pua: {
          db_url: noSqlite === undefined ? `sqlite:${join(folder, 'pua.db')}` : 'memory:',
          outbound_proxy: presence.uri,
        },
        modules: {
          usrloc: { sources: [{ type: 'registrar', domains: [DOMAIN], users: ACCOUNTS }] },
          reginfo: {},
          dialoginfo: { terminated_lifetime: 1, sources: [{ type: 'webhook', heartbeat: HEARTBEAT }] },
          mi: { listen: '127.0.0.1:0' },
        },
      };
      writeFileSync(config, stringify(values));
      return new Stage(folder, config, presence, noSqlite === undefined, print);
    } catch (error) {
      rmSync(folder, { recursive: true, force: true });
      throw error;
    }
  }

  /** Begins a step; what fails from here on names it. */
  step(title: string, ...explanation: string[]): void {
    this.#step = title;
    if (this.#struck) return;
    this.print(`\n${++this.#number}. ${title}\n${explanation.map((line) => `   ${line}\n`).join('')}`);
  }

  note(text: string): void {
    if (!this.#struck) this.print(`   ${text}\n`);
  }

  /** @throws Failure that names the step */
  assert(holds: boolean, expected: string, seen: string): void {
    if (holds) return;
    throw new Failure(`step ${this.#number} (${this.#step}) failed: expected ${expected}; seen instead: ${seen}`);
  }

  /** @throws Failure that names the step and what was on the wire instead */
  async seen(from: number, expected: string, matches: (seen: WireMessage) => boolean): Promise<WireMessage> {
    const { wire } = this.presence;
    const found = await wire.next(from, matches, DEADLINE_MS);
    const others = wire.since(from).map(summary);
    const instead = others.length === 0 ? 'no message at all' : others.slice(-6).join(' | ');
    this.assert(found !== undefined, `${expected} within ${DEADLINE_MS / 1000} s`, instead);
    return found!;
  }

  async startPua(): Promise<PuaChild> {
    if (this.#struck) throw new Failure('the demo is over');
    this.#starting = PuaChild.start(this.config);
    this.#child = await this.#starting;
    return this.#child;
  }

  get pua(): PuaChild {
    if (!this.#child) throw new Failure('the PUA of the demo does not run');
    return this.#child;
  }

  rpc<T>(method: string, params: Readonly<Record<string, unknown>> = {}): Promise<T> {
    return callRpc<T>({ url: this.pua.started.http }, method, params);
  }

  async record(kind: 'publication' | 'subscription'): Promise<RecordLine> {
    const { records } = await this.rpc<{ records: RecordLine[] }>('pua.list', { kind });
    this.assert(records.length === 1, `one ${kind} in the PUA`, `${records.length} of them`);
    return records[0]!;
  }

  /** Resolves when all that the PUA knows is on disk. */
  async durable(): Promise<void> {
    const until = performance.now() + DEADLINE_MS;
    for (;;) {
      const { store } = await this.rpc<{ store: { durable: number; last: number; error: string | null } }>('pua.stats');
      if (store.durable >= store.last) return;
      this.assert(
        performance.now() < until,
        'everything on disk',
        `${store.last - store.durable} changes wait (${store.error})`,
      );
    }
  }

  /** Ends everything; gives how the PUA ended. */
  async strike(): Promise<number | NodeJS.Signals | undefined> {
    this.#struck = true;
    // An interruption may come while it is being started.
    const child = await this.#starting?.catch(() => undefined);
    const how = await child?.stop();
    await this.presence.stop();
    rmSync(this.folder, { recursive: true, force: true });
    return how;
  }

  /** At once, without a word to anybody. */
  tearDown(): void {
    if (this.#child) {
      try {
        process.kill(this.#child.pid, 'SIGKILL');
      } catch {
        // It has ended already.
      }
    }
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Why SQLite can't be used; undefined when it can. */
async function sqliteFault(folder: string): Promise<string | undefined> {
  const store = openStore(`sqlite:${join(folder, 'probe.db')}`);
  try {
    await store.open();
    await store.close();
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

function freeUdpPort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const socket = createSocket('udp4');
    socket.once('error', reject);
    socket.bind(0, '127.0.0.1', () => {
      const { port } = socket.address();
      socket.close(() => resolve(port));
    });
  });
}
