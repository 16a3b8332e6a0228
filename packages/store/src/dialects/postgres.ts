/**
 * PostgreSQL through pg. A group is one statement: its columns go as arrays. Nothing is set for the session and no
 * statement is prepared by name, so that a pooler between us and the server does no harm.
 */
import type { Knex } from 'knex';
import type { Client } from 'pg';
import { COLUMN_NAMES, COLUMNS, type Column, KEY, type Value } from '../columns.js';
import type { TableForm } from '../form.js';
import { appendValues, type PackedRows } from '../packed-rows.js';
import type { Dialect, DialectSettings, Session, Statements } from '../session.js';
import { schemaSql } from './knex.js';
import { answered, CONNECT_MS, LOCK_SECONDS, networkRemedy, STATEMENT_BYTES } from './server.js';

const quote = (name: string): string => `"${name}"`;

/**
 * Read committed is enough: every write locks the row of the lease first, and goes by keys, so that nothing it reads
 * could be stale.
 */
const BEGIN = `begin isolation level read committed; set local lock_timeout = '${LOCK_SECONDS}s'`;

/** Serialization, deadlock, lock time-out; both made the same row, table, or type. */
const CONFLICTS = /^(40001|40P01|55P03|23505|42P07|42710)$/;
/** Values (class 22), constraints but for the unique ones, limits such as the size of an index entry. */
const MISFITS = /^(22...|23502|23514|54000)$/;
/** The server goes down, is starting, or was demoted to a replica: another connection may lead to the new primary. */
const ENDING = /^(57P0.|25006)$/;

/** PostgreSQL's text holds no NUL. */
class NulInText extends Error {}

interface Described {
  readonly columns: readonly { name: string; type: string; nullable: boolean }[] | null;
  readonly indexes: readonly { name: string; unique: boolean; columns: string[] }[] | null;
}

const sqlState = (error: unknown): string => String((error as { code?: unknown }).code);

const arrayType = ({ type }: Column): string =>
  type === 'int' ? 'integer[]' : type === 'document' ? 'bytea[]' : 'text[]';

/** `?` becomes `$1`, `$2`, ... */
function numbered(sql: string): string {
  let number = 0;
  return sql.replaceAll('?', () => `$${++number}`);
}

function upsertSql(table: string): string {
  const columns = COLUMN_NAMES.map(quote).join(', ');
  const arrays = COLUMNS.map((column, i) => `$${i + 1}::${arrayType(column)}`);
  const updates = COLUMN_NAMES.filter((name) => name !== KEY).map((name) => `${quote(name)} = excluded.${quote(name)}`);
  return `insert into ${quote(table)} (${columns}) select * from unnest(${arrays.join(', ')})
    on conflict (${quote(KEY)}) do update set ${updates.join(', ')}`;
}

class PostgresSession implements Session, Statements {
  lost = false;
  private readonly upsertSql: string;

  constructor(
    private readonly client: Client,
    private readonly table: string,
    private readonly answerMs: number,
  ) {
    this.upsertSql = upsertSql(table);
    const lose = () => {
      this.lost = true;
    };
    client.on('error', lose);
    client.on('end', lose);
  }

  async transaction<T>(work: (statements: Statements) => Promise<T>): Promise<T> {
    await this.query(BEGIN);
    try {
      const result = await work(this);
      await this.query('commit');
      return result;
    } catch (error) {
      if (ENDING.test(sqlState(error))) this.lost = true;
      // Without a rollback the server would keep the locks.
      if (!this.lost) await this.query('rollback').catch(() => this.drop());
      throw error;
    }
  }

  async page(after: number, limit: number): Promise<unknown[][]> {
    const columns = ['id', ...COLUMN_NAMES].map(quote).join(', ');
    // Without a second bound: a planner that has no statistics yet would sort all rows between the two for each page.
    const text = `select ${columns} from ${quote(this.table)} where id > $1 order by id limit $2`;
    const query = { text, values: [after, limit], rowMode: 'array' as const };
    return (await this.answer(this.client.query<unknown[]>(query))).rows;
  }

  async close(): Promise<void> {
    if (!this.lost) await this.answer(this.client.end()).catch(() => {});
    this.drop();
  }

  async all(sql: string, values: readonly Value[] = []): Promise<Record<string, unknown>[]> {
    return (await this.query(numbered(sql), values)).rows;
  }

  async run(sql: string, values: readonly Value[] = []): Promise<number> {
    return (await this.query(numbered(sql), values)).rowCount ?? 0;
  }

  async create(build: (schema: Knex.SchemaBuilder) => Knex.SchemaBuilder): Promise<void> {
    for (const sql of schemaSql('pg', build)) await this.query(sql);
  }

  async describe(table: string): Promise<TableForm | null> {
    const [found] = (await this.all(
      `select
        (select json_agg(json_build_object('name', attname, 'type', format_type(atttypid, atttypmod),
            'nullable', not attnotnull) order by attnum)
          from pg_attribute where attrelid = to_regclass(?) and attnum > 0 and not attisdropped) as columns,
        (select json_agg(json_build_object('name', indexrelid::regclass::name, 'unique', indisunique, 'columns',
            (select json_agg(pg_get_indexdef(indexrelid, n, true) order by n) from generate_series(1, indnkeyatts) n)))
          from pg_index where indrelid = to_regclass(?) and not indisprimary) as indexes`,
      [quote(table), quote(table)],
    )) as unknown as Described[];
    if (found?.columns == null) return null;
    return { columns: found.columns, indexes: found.indexes ?? [], transactional: true };
  }

  async upsert(rows: PackedRows, from: number, to: number): Promise<void> {
    let columns: Value[][] = COLUMNS.map(() => []);
    let bytes = 0;
    for (let row = from; row < to; row++) {
      const values: Value[] = [];
      appendValues(rows, row, values);
      for (const [i, value] of values.entries()) {
        const document = COLUMNS[i]!.type === 'document';
        if (typeof value === 'string' && !document && value.includes('\0')) {
          throw new NulInText(`column ${COLUMN_NAMES[i]} holds a NUL character`);
        }
        if (typeof value !== 'number') bytes += value?.length ?? 0;
        columns[i]!.push(document && value !== null ? Buffer.from(value as string | Uint8Array as string) : value);
      }
      if (bytes > STATEMENT_BYTES || row === to - 1) {
        await this.query(this.upsertSql, columns);
        columns = COLUMNS.map(() => []);
        bytes = 0;
      }
    }
  }

  async remove(keys: readonly string[]): Promise<void> {
    // There is no row with a NUL in its key.
    const there = keys.filter((key) => !key.includes('\0'));
    await this.query(`delete from ${quote(this.table)} where ${quote(KEY)} = any($1::text[])`, [there]);
  }

  private query(text: string, values: readonly unknown[] = []) {
    // Without values several statements may stand in one text.
    const query = values.length === 0 ? { text } : { text, values: [...values] };
    return this.answer(this.client.query<Record<string, unknown>>(query));
  }

  private answer<T>(answer: Promise<T>): Promise<T> {
    return answered(answer, this.answerMs, () => this.drop());
  }

  private drop(): void {
    this.lost = true;
    // Closes the socket at once when a statement is under way.
    void this.client.end().catch(() => {});
  }
}

const REMEDIES: readonly (readonly [state: RegExp, remedy: string])[] = [
  [/^28/, 'check user and password in db_url (percent-encoded), and pg_hba.conf of the server'],
  [/^3D000$/, 'create the database, or check its name in db_url'],
  [
    /^42501$/,
    'grant this user select, insert, update, delete on the table and its _lease table, and create on the schema',
  ],
  [/^53300$/, 'raise max_connections of the server'],
  [/^55P03$/, 'another session keeps the table locked: end it'],
  [/^57P03$/, 'the server is starting or stopping: try again'],
  [/^25006$/, 'name a server that can be written to'],
];

export const postgres: Dialect = {
  quote,
  // Equal means equal bytes with every collation that a database can have by default.
  type: ({ type, size }) =>
    type === 'string' ? `character varying(${size})` : type === 'int' ? 'integer' : type === 'text' ? 'text' : 'bytea',
  engine: null,
  now: 'floor(extract(epoch from clock_timestamp()) * 1000)::bigint',
  lock: ' for update',
  local: false,

  async open({ answerMs, server, table }: DialectSettings): Promise<Session> {
    const { Client } = require('pg') as typeof import('pg');
    const client = new Client({ ...server!, connectionTimeoutMillis: CONNECT_MS, keepAlive: true });
    // An error without a statement under way must not end the process; the session hears of it, too.
    client.on('error', () => {});
    await client.connect();
    return new PostgresSession(client, table, answerMs);
  },

  conflict: (error) => CONFLICTS.test(sqlState(error)),
  misfit: (error) => error instanceof NulInText || MISFITS.test(sqlState(error)),

  remedy(error: unknown): string | null {
    const state = sqlState(error);
    return REMEDIES.find(([pattern]) => pattern.test(state))?.[1] ?? networkRemedy(state);
  },
};
