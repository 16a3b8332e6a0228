/** Databases with the tables of Kamailio, for each kind that the sources read. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Knex, openDatabase } from '@pua/store';
import { launchMariadb, launchPostgres, type PeerName } from '@pua/testkit';

export interface Kind {
  readonly name: 'MariaDB' | 'PostgreSQL' | 'SQLite';
  readonly peers: readonly PeerName[];
  /** Seconds that the zone of a session is ahead of UTC: another one than ours, where the kind has zones. */
  readonly zone: number;
  /** A time as Kamailio writes it, seconds since 1970. */
  time(seconds: number): string | number;
  start(): Promise<Server>;
}

export interface Server {
  create(): Promise<Fresh>;
  /** Ends it at once, and brings it back. */
  readonly interrupt?: () => Promise<void>;
  readonly resume?: () => Promise<void>;
  stop(): Promise<void>;
}

export interface Fresh {
  readonly url: string;
  readonly db: Knex;
  /** Without rows. */
  clear(): Promise<void>;
  drop(): Promise<void>;
}

/** Local time of a zone so many seconds ahead of UTC. */
export const local = (seconds: number, zone: number): string =>
  new Date((seconds + zone) * 1000).toISOString().slice(0, 19).replace('T', ' ');

/** As of Kamailio's own scripts for databases whose package is not installed here. */
const tables = (time: string, key: string, number: string): string[] => [
  `CREATE TABLE location (
     id ${key}, ruid VARCHAR(64) DEFAULT '' NOT NULL UNIQUE, username VARCHAR(64) DEFAULT '' NOT NULL, domain VARCHAR(64),
     contact VARCHAR(512) DEFAULT '' NOT NULL, received VARCHAR(128), path VARCHAR(512), expires ${time} NOT NULL,
     q REAL DEFAULT 1.0 NOT NULL, callid VARCHAR(255) DEFAULT 'Default-Call-ID' NOT NULL, cseq INTEGER DEFAULT 1 NOT NULL,
     last_modified ${time} NOT NULL, cflags INTEGER DEFAULT 0 NOT NULL, user_agent VARCHAR(255) DEFAULT '' NOT NULL,
     instance VARCHAR(255), reg_id INTEGER DEFAULT 0 NOT NULL)`,
  `CREATE TABLE dialog (
     id ${key}, hash_entry ${number} NOT NULL, hash_id ${number} NOT NULL, callid VARCHAR(255) NOT NULL,
     from_uri VARCHAR(255) NOT NULL, from_tag VARCHAR(128) NOT NULL, to_uri VARCHAR(255) NOT NULL,
     to_tag VARCHAR(128) NOT NULL, caller_cseq VARCHAR(20) NOT NULL, callee_cseq VARCHAR(20) NOT NULL,
     caller_contact VARCHAR(255) NOT NULL, callee_contact VARCHAR(255) NOT NULL, caller_sock VARCHAR(64) NOT NULL,
     callee_sock VARCHAR(64) NOT NULL, state INTEGER NOT NULL, start_time INTEGER NOT NULL,
     timeout INTEGER DEFAULT 0 NOT NULL, sflags INTEGER DEFAULT 0 NOT NULL, req_uri VARCHAR(255) NOT NULL)`,
  `CREATE TABLE dialog_vars (
     id ${key}, hash_entry ${number} NOT NULL, hash_id ${number} NOT NULL, dialog_key VARCHAR(128) NOT NULL,
     dialog_value VARCHAR(512) NOT NULL)`,
];

const NEW_YORK = -5 * 3600;
const KOLKATA = 5.5 * 3600;

export const mariadb: Kind = {
  name: 'MariaDB',
  peers: ['mariadb', 'kamailio'],
  zone: NEW_YORK,
  time: (seconds) => local(seconds, NEW_YORK),
  async start() {
    const server = await launchMariadb({ own: true, arguments: ['--default-time-zone=-05:00'] });
    return {
      async create() {
        const { url, connect, drop } = await server.createDatabase();
        const connection = await connect();
        for (const name of ['standard', 'usrloc', 'dialog']) {
          await connection.query(readFileSync(`/usr/share/kamailio/mysql/${name}-create.sql`, 'utf8'));
        }
        await connection.end();
        return fresh(url, drop);
      },
      interrupt: () => server.interrupt('kill'),
      resume: () => server.resume(),
      stop: () => server.stop(),
    };
  },
};

export const postgres: Kind = {
  name: 'PostgreSQL',
  peers: ['postgres'],
  zone: KOLKATA,
  time: (seconds) => local(seconds, KOLKATA),
  async start() {
    const server = await launchPostgres();
    return {
      async create() {
        const { name, url, drop } = await server.createDatabase();
        const made = fresh(url, drop);
        await made.db.raw(`ALTER DATABASE "${name}" SET timezone TO 'Asia/Kolkata'`);
        for (const statement of tables('TIMESTAMP WITHOUT TIME ZONE', 'SERIAL PRIMARY KEY', 'BIGINT')) {
          await made.db.raw(statement);
        }
        return made;
      },
      stop: () => server.stop(),
    };
  },
};

export const sqlite: Kind = {
  name: 'SQLite',
  peers: [],
  zone: 0,
  // Julian days, as of its module db_sqlite.
  time: (seconds) => (seconds - 0.5) / 86_400 + 2_440_587.5,
  async start() {
    return {
      async create() {
        const folder = mkdtempSync(join(tmpdir(), 'pua-tables-'));
        const made = fresh(`sqlite:${join(folder, 'kamailio.db')}`, async () =>
          rmSync(folder, { recursive: true, force: true }),
        );
        await made.db.raw('pragma journal_mode = wal');
        for (const statement of tables('TIMESTAMP', 'INTEGER PRIMARY KEY AUTOINCREMENT', 'INTEGER')) {
          await made.db.raw(statement);
        }
        return made;
      },
      stop: async () => undefined,
    };
  },
};

function fresh(url: string, drop: () => Promise<unknown>): Fresh {
  const db = openDatabase(url);
  return {
    ...{ url, db },
    async clear() {
      for (const table of ['location', 'dialog', 'dialog_vars']) await db(table).delete();
    },
    async drop() {
      await db.destroy();
      await drop();
    },
  };
}
