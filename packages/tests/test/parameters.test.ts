/**
 * The documented parameters by their documented names, and what each does: from the configuration file to the wire or
 * the table. `hash_size` and `db_table_lock_write` concern several nodes on one database (`db_mode` 2): here they are
 * read and checked.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseConfig } from '@pua/bundle';
import { createPua, type Pua, type PuaOptions, type PublInfo, type StorePort } from '@pua/core';
import { events } from '@pua/documents';
import { embeddedSip } from '@pua/sip';
import { openStore } from '@pua/store';
import { type PresenceServer, SimClock, SimNetwork, SimRandom, simulatePresenceServer } from '@pua/testkit';
import Database from 'better-sqlite3';

const ALICE = 'sip:alice@example.com';
const PIDF =
  '<presence xmlns="urn:ietf:params:xml:ns:pidf" entity="sip:alice@example.com"><tuple><status/></tuple></presence>';
const publication = { presUri: ALICE, event: 'presence', sourceFlag: 'RPC_PUBLISH', body: PIDF } as const;
const subscription = {
  presUri: ALICE,
  watcherUri: 'sip:bob@example.com',
  event: 'presence',
  sourceFlag: 'RPC_SUBSCRIBE',
} as const;

interface World {
  readonly pua: Pua;
  readonly clock: SimClock;
  /** By host: 10.0.0.9, 10.0.0.10. */
  readonly servers: readonly PresenceServer[];
  readonly warnings: readonly string[];
  /** Values of a header field in all that came in, in order. */
  header(name: string): (string | undefined)[];
}

const worlds: World[] = [];

/** A Pua with the section `pua` of a configuration file, and two presence servers. */
async function run(section: Record<string, unknown>, more: Partial<PuaOptions> = {}): Promise<World> {
  const given = { db_url: 'memory:', outbound_proxy: 'sip:10.0.0.9', ...section };
  const { config, warnings } = parseConfig(JSON.stringify({ pua: given }), 'pua.yaml');
  const { dbUrl: _url, dbTable: _table, ...parameters } = config.pua;
  const clock = new SimClock();
  const random = new SimRandom('parameters');
  const network = new SimNetwork(clock, random);
  const servers: PresenceServer[] = [];
  for (const host of ['10.0.0.9', '10.0.0.10']) {
    const { server } = await simulatePresenceServer({ clock, random, network, host, limits: { max: 100_000 } });
    servers.push(server);
  }
  const sip = embeddedSip({ listen: ['udp:10.0.0.1:5060'], clock, random, bindDatagram: network.bind });
  const told = [...warnings];
  const pua = createPua({ ...parameters, sip, warn: (message) => void told.push(message), ...more });
  for (const event of events) pua.addEvent(event);
  await pua.start();
  const header = (name: string) => servers.flatMap((server) => server.requests.map(({ headers }) => headers.get(name)));
  const world = { pua, clock, servers, warnings: told, header };
  worlds.push(world);
  return world;
}

async function publish(world: World, more: Partial<PublInfo> = {}) {
  world.pua.sendPublish({ ...publication, ...more });
  await world.clock.advanceAsync(1_000);
}

afterEach(async () => {
  for (const { pua, clock, servers } of worlds.splice(0)) {
    const stopped = Promise.all([pua.stop(0), ...servers.map((server) => server.stop(0))]);
    await clock.advanceAsync(1_000);
    await stopped;
  }
});

test('default_expires: the lifetime when none is given; below 60 s it is honoured with a warning', async () => {
  const world = await run({ default_expires: 599 });
  await publish(world);
  await publish(world, { id: 'own', expires: 1200 });
  expect([world.header('Expires'), world.warnings]).toEqual([['599', '1200'], []]);
  expect((await run({ default_expires: 30 })).warnings).toEqual([expect.stringContaining('default_expires 30')]);
});

test('min_expires: non-zero lifetimes of both requests are raised to it, 0 stays 0', async () => {
  const world = await run({ min_expires: 300 });
  await publish(world, { expires: 60 });
  await publish(world, { expires: 0 });
  world.pua.sendSubscribe({ ...subscription, expires: 60 });
  await world.clock.advanceAsync(1_000);
  expect(world.header('Expires')).toEqual(['300', '0', '300']);
});

test('outbound_proxy: the next hop when the request names none, a list in order of preference', async () => {
  const world = await run({ outbound_proxy: ['sip:10.0.0.10', 'sip:10.0.0.9'] });
  await publish(world);
  await publish(world, { presUri: 'sip:carol@example.com', outboundProxy: 'sip:10.0.0.9' });
  expect(world.servers.map((server) => server.requests.map(({ uri }) => uri))).toEqual([
    ['sip:carol@example.com'],
    [ALICE],
  ]);
  world.servers[1]!.answerNext({ method: 'PUBLISH', status: 503 });
  await publish(world, { presUri: 'sip:dave@example.com' });
  expect(world.servers[0]!.requests.map(({ uri }) => uri)).toContain('sip:dave@example.com');
});

describe.each([
  [
    'dlginfo_increase_version',
    'dialog',
    '<dialog-info xmlns="urn:ietf:params:xml:ns:dialog-info" version="7" state="full" entity="sip:a@b"/>',
  ],
  ['reginfo_increase_version', 'reg', '<reginfo xmlns="urn:ietf:params:xml:ns:reginfo" version="7" state="full"/>'],
])('%s', (name, event, body) => {
  const versions = async (value: number) => {
    const world = await run({ [name]: value });
    for (let n = 0; n < 3; n++) await publish(world, { event, body });
    return world.servers[0]!.requests.map((request) => /version="(\d+)"/.exec(request.body?.text() ?? '')?.[1]);
  };

  test('0: documents go out as they are', async () => {
    expect(await versions(0)).toEqual(['7', '7', '7']);
  });

  test('1: the root version counts from 0', async () => {
    expect(await versions(1)).toEqual(['0', '1', '2']);
  });
});

test('check_remote_contact: 1 keeps dialogs with different remote targets apart, 0 does not', async () => {
  const dialogs = async (value: number) => {
    const world = await run({ check_remote_contact: value });
    for (const host of ['10.0.0.9', '10.0.0.10']) {
      world.pua.sendSubscribe({ ...subscription, remoteTarget: `sip:alice@${host}` });
      await world.clock.advanceAsync(1_000);
    }
    return [...world.pua.list({ kind: 'subscription' })].length;
  };
  expect([await dialogs(1), await dialogs(0)]).toEqual([2, 1]);
});

test('update_period: how often the table is swept; 0: not at all', async () => {
  const sweeps = async (update_period: number) => {
    const world = await run({ update_period });
    let found = 0;
    const cleanup = world.pua.cleanup.bind(world.pua);
    world.pua.cleanup = () => {
      found++;
      return cleanup();
    };
    await world.clock.advanceAsync(35_000);
    return found;
  };
  expect([await sweeps(10), await sweeps(1), await sweeps(0), await sweeps(-5)]).toEqual([3, 35, 0, 0]);
});

test('fetch_rows: rows are read so many at a time', async () => {
  const pages: number[] = [];
  const empty = async () => {};
  const store: StorePort = {
    open: async () => ({ rows: 0, unclean: false }),
    load: async (pageSize) => void pages.push(pageSize),
    changed: () => 0,
    status: () => ({ durable: 0, last: 0, pending: 0, error: null }),
    onDurable: () => {},
    onLeaseLost: () => {},
    flush: empty,
    close: empty,
  };
  await run({ fetch_rows: 7 }, { store });
  expect(pages).toEqual([7]);
});

test('db_mode: 1 is reserved, 0 is used with a warning; 2 is refused with what to use instead', async () => {
  expect((await run({ db_mode: 1 })).warnings).toEqual([expect.stringContaining('db_mode 1 is reserved')]);
  expect(() => parseConfig('pua: { db_mode: 2 }', 'pua.yaml')).toThrow(/db_mode.*use 0/);
});

test('db_url, db_table: where the records are kept', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'pua-parameters-'));
  const file = join(folder, 'pua.db');
  const { config } = parseConfig(`pua: { db_url: 'sqlite:${file}', db_table: presentities }`, 'pua.yaml');
  const store = openStore(config.pua.dbUrl, { table: config.pua.dbTable });
  const world = await run({}, { store });
  await publish(world);
  await store.flush();
  const db = new Database(file, { readonly: true });
  expect(db.prepare('select pres_uri from presentities').all()).toEqual([{ pres_uri: ALICE }]);
  db.close();
  await store.close();
  rmSync(folder, { recursive: true });
});

test.each([
  ['hash_size', 21, 'must be 20 or less, not 21'],
  ['db_table_lock_write', 2, 'must be one of 0, 1, not 2'],
])('%s is checked', (name, value, message) => {
  expect(() => parseConfig(JSON.stringify({ pua: { [name]: value } }), 'pua.yaml')).toThrow(message);
});
