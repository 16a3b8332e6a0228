/** A database server that is killed, stopped, and started under load, and connections that are cut: nothing is lost. */
import type { PuaRow } from '@pua/core';
import { launchMariadb, launchPostgres, peersReady, type StartedServer, startPresenceServer } from '@pua/testkit';
import { Program } from './program';

jest.setTimeout(60_000);

const USERS = 150;
/** While the database is away, and between its faults. */
const SOME = 100;

interface Database {
  readonly url: string;
  sql(statement: string): Promise<Record<string, unknown>[]>;
  /** Cuts all connections but our own. */
  cut(): Promise<void>;
  interrupt(how: 'stop' | 'kill'): Promise<void>;
  resume(): Promise<void>;
  stop(): Promise<void>;
}

async function mariadb(): Promise<Database> {
  const server = await launchMariadb({ own: true, durable: true });
  const database = await server.createDatabase();
  const sql = async (statement: string) => {
    const connection = await database.connect();
    try {
      const [rows] = await connection.query(statement);
      return Array.isArray(rows) ? (rows as unknown as Record<string, unknown>[]) : [];
    } finally {
      await connection.end();
    }
  };
  const others = `select id from information_schema.processlist where db = '${database.name}' and id <> connection_id()`;
  return {
    url: database.url,
    sql,
    cut: async () => {
      for (const { id } of await sql(others)) await sql(`kill ${id}`);
    },
    interrupt: (how) => server.interrupt(how),
    resume: () => server.resume(),
    stop: () => server.stop(),
  };
}

async function postgres(): Promise<Database> {
  const server = await launchPostgres({ own: true, durable: true });
  const database = await server.createDatabase();
  const sql = async (statement: string) => {
    const client = await database.connect();
    try {
      return (await client.query<Record<string, unknown>>(statement)).rows;
    } finally {
      await client.end();
    }
  };
  return {
    url: database.url,
    sql,
    cut: async () => {
      await sql(
        'select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()',
      );
    },
    interrupt: (how) => server.interrupt(how),
    resume: () => server.resume(),
    stop: () => server.stop(),
  };
}

/** As PuaRow has it: the databases keep text as bytes. */
const asRow = (found: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(found).flatMap(([name, value]) =>
      name === 'id' ? [] : [[name, Buffer.isBuffer(value) ? value.toString() : value]],
    ),
  );

const timeless = ({ expires: _, ...row }: PuaRow) => row;

const byKey = (a: { record_key?: unknown }, b: { record_key?: unknown }): number =>
  String(a.record_key) < String(b.record_key) ? -1 : 1;

describe.each([
  ['MariaDB', 'mariadb', mariadb],
  ['PostgreSQL', 'postgres', postgres],
] as const)('%s', (_, peer, launch) => {
  (peersReady([peer]) ? test : test.skip)(
    'killed, stopped, cut off under load: every row is as in memory',
    async () => {
      const ended: (() => Promise<unknown>)[] = [];
      try {
        const presence: StartedServer = await startPresenceServer();
        ended.push(() => presence.server.stop());
        const database = await launch();
        ended.push(() => database.stop());
        const setup = { databaseUrl: database.url, server: presence.uri, users: USERS };
        const { program, started } = await Program.start(setup);
        ended.push(() => program.kill());
        expect(started).toMatchObject({ unclean: false, records: [] });
        program.tell('live');
        await program.writes(SOME);

        const away = async (how: 'stop' | 'kill') => {
          await database.interrupt(how);
          const status = await program.goesOnWithout(SOME);
          // One entry per record, however often it has changed; a user has two records.
          expect(status.pending).toBeLessThanOrEqual(2 * USERS);
          expect(status.last).toBeGreaterThan(status.durable);
        };
        await away('stop');
        await database.resume();
        await program.writes(SOME);
        for (let i = 0; i < 5; i++) {
          await database.cut();
          await program.writes(SOME);
        }
        await away('kill');
        // What changed last is not changed again: it has to come from the backlog.
        program.tell('rest');
        const said = program.says('rows');
        await database.resume();
        const { rows } = await said;

        const kept = (await database.sql('select * from pua')).map(asRow).sort(byKey) as unknown as PuaRow[];
        expect(kept.length).toBeGreaterThan(USERS / 2);
        const wanted = [...rows].sort(byKey);
        expect(kept.map(timeless)).toEqual(wanted.map(timeless));
        // Both are read off a clock at moments of their own, and rounded to seconds.
        for (const [index, { expires }] of kept.entries())
          expect(Math.abs(expires - wanted[index]!.expires)).toBeLessThanOrEqual(1);

        await program.kill();
        const next = await Program.start(setup);
        ended.push(() => next.program.kill());
        expect(next.started.unclean).toBe(true);
        // What the server has accepted is what the new process holds.
        const etags = next.started.records.flatMap(({ etag }) => (etag === '' ? [] : [etag]));
        expect(etags.sort()).toEqual(presence.server.publications.map(({ etag }) => etag).sort());
        const callIds = next.started.records.flatMap(({ callId }) => (callId === '' ? [] : [callId]));
        expect(callIds.sort()).toEqual(presence.server.subscriptions.map(({ callId }) => callId).sort());
      } finally {
        for (const end of ended.reverse()) await end();
      }
    },
  );
});
