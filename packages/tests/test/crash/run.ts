/** A run: many lives of one program on one file and one port, each ended by kill -9, and a calm end. */
import { createSocket } from 'node:dgram';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SimRandom } from '@pua/testkit';
import type { Line, Mutant, Setup, Wanted } from '../../dist/crash/protocol';
import { Ledger } from './ledger';
import { Life } from './life';
import { startPeer } from './peer';
import { readTable } from './table';
import { userOf } from './wire';

export interface RunOptions {
  readonly seed: number;
  readonly rounds: number;
  /** `life`: while it works; `start`: most kills hit it while it opens the table, reads it back, sends its first requests. */
  readonly kill: 'life' | 'start';
  readonly mutant?: Mutant;
}

export interface RunResult {
  readonly violations: readonly string[];
  readonly summary: string;
  readonly counts: Ledger['counts'] & { readonly jumps: number; readonly requests: number };
}

const USERS = 40;
/** Longest lifetime the server grants, seconds: so long an orphan may live. */
const GRANT = 8;
const LIFE_MS = [20, 400] as const;
/** With kills at the start, every such many lives one that works, so that there is something to start with. */
const WORKING = 4;
const NOTES_PER_LIFE = 1_000_000;
/** The first life always works for a while. */
const FIRST_LIFE_MS = 300;
const PATIENCE_MS = 10_000;

async function freePort(): Promise<number> {
  const socket = createSocket('udp4');
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  const { port } = socket.address();
  await new Promise<void>((resolve) => socket.close(() => resolve()));
  return port;
}

const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** What the owners asked for last. */
class Wishes {
  readonly users = new Map<string, { note: number | null; subscribed: boolean }>();

  hear(lines: readonly Line[]): void {
    for (const line of lines) {
      if (line.is !== 'deed') continue;
      const wish = this.users.get(line.user) ?? { note: null, subscribed: false };
      this.users.set(line.user, wish);
      if (line.deed === 'publish') wish.note = line.note;
      else if (line.deed === 'unpublish') wish.note = null;
      else wish.subscribed = line.deed === 'subscribe';
    }
  }

  all(): Wanted[] {
    return [...this.users].map(([user, wish]) => ({ user, ...wish }));
  }
}

export async function run({ seed, rounds, kill, mutant }: RunOptions): Promise<RunResult> {
  const random = new SimRandom(seed);
  const folder = mkdtempSync(join(tmpdir(), 'pua-crash-'));
  const peer = await startPeer(random, GRANT);
  const { server, wire } = peer;
  const setup: Setup = {
    database: join(folder, 'pua.db'),
    port: await freePort(),
    server: peer.uri,
    ...(mutant ? { mutant } : {}),
  };
  const ledger = new Ledger(server, wire);
  const wishes = new Wishes();
  // The next one loads its modules while this one lives.
  let next = new Life(setup);
  let startMs = 0;
  const violations = () => [...ledger.violations, ...wire.violations];

  async function live(round: number): Promise<void> {
    const life = next;
    await life.says('ready');
    next = new Life(setup);
    wire.newLife();
    const began = performance.now();
    life.tell({ do: 'live', seed: seed + round, firstNote: round * NOTES_PER_LIFE, users: USERS });
    if (kill === 'start' && round % WORKING !== 0) await sleep(random.uniform() * 1.3 * startMs);
    else {
      await life.says('started');
      startMs = performance.now() - began;
      await sleep(round === 0 ? FIRST_LIFE_MS : LIFE_MS[0] + random.uniform() * (LIFE_MS[1] - LIFE_MS[0]));
    }
    await life.kill();
    await peer.drained();
    wishes.hear(life.lines);
    ledger.killed(life.lines, readTable(setup.database));
  }

  try {
    for (let round = 0; round < rounds; round++) {
      await live(round);
      if (mutant && violations().length > 0) break;
    }
    if (!mutant) ledger.violations.push(...(await settled()));
  } finally {
    await next.kill();
    await peer.stop();
    rmSync(folder, { recursive: true, force: true });
  }
  const counts = { ...ledger.counts, jumps: wire.jumps, requests: wire.requests };
  return { violations: violations(), counts, summary: `PUA_SEED=${seed}: ${JSON.stringify(counts)}` };

  /** No more kills: when the longest lifetime has passed the server holds just what is wanted, and so does the table. */
  async function settled(): Promise<string[]> {
    const life = next;
    await life.says('ready');
    wire.newLife();
    const wanted = wishes.all();
    life.tell({ do: 'settle', wanted });
    await life.says('started');
    const until = performance.now() + GRANT * 1000 + PATIENCE_MS;
    let faults = differences(wanted);
    while (faults.length > 0 && performance.now() < until) {
      await sleep(50);
      faults = differences(wanted);
    }
    // The newest entity-tags are written, and the stop is clean.
    life.tell({ do: 'stop' });
    const code = await life.ended();
    if (code !== 0) faults.push(`exit code ${code}`);
    for (const line of life.lines) if (line.is === 'fault') faults.push(line.text);
    const table = readTable(setup.database);
    const held = new Set([...server.publications.map((p) => p.etag), ...server.subscriptions.map((s) => s.callId)]);
    for (const [key, row] of table)
      if (!held.has(row.etag || row.callId)) faults.push(`${key}: the server does not hold it`);
    const rows = wanted.reduce((sum, { note, subscribed }) => sum + (note === null ? 0 : 1) + (subscribed ? 1 : 0), 0);
    if (table.size !== rows) faults.push(`${table.size} rows for ${rows} records`);
    return faults.map((fault) => `at the end: ${fault}`);
  }

  function differences(wanted: readonly Wanted[]): string[] {
    const notes = new Map<string, string[]>();
    for (const { presentity, body } of server.publications) {
      const user = userOf(presentity);
      notes.set(user, [...(notes.get(user) ?? []), /<note>([^<]*)</.exec(body.text())?.[1] ?? '']);
    }
    const dialogs = new Map<string, number>();
    for (const { presentity } of server.subscriptions)
      dialogs.set(userOf(presentity), (dialogs.get(userOf(presentity)) ?? 0) + 1);
    const found: string[] = [];
    for (const { user, note, subscribed } of wanted) {
      const held = (notes.get(user) ?? []).join();
      if (held !== (note === null ? '' : String(note)))
        found.push(`${user}: the server holds [${held}], wanted is ${note}`);
      const count = dialogs.get(user) ?? 0;
      if (count !== (subscribed ? 1 : 0)) found.push(`${user}: ${count} subscriptions, wanted is ${subscribed}`);
      notes.delete(user);
      dialogs.delete(user);
    }
    for (const user of [...notes.keys(), ...dialogs.keys()]) found.push(`${user}: held, and nobody asked for it`);
    return found;
  }
}
