/**
 * MySQL and MariaDB through mysql2. Text is kept as bytes (`varbinary`, `mediumblob`), so that no character set, no
 * collation and no trailing blank of the server changes what is stored, or what is equal. Every setting of the server
 * that could change the meaning of a statement is set for the connection.
 */
import type { Knex } from 'knex';
import type { Connection, ResultSetHeader, RowDataPacket } from 'mysql2/promise';
import { COLUMN_NAMES, KEY, type Value } from '../columns.js';
import type { TableForm } from '../form.js';
import { appendValues, type PackedRows } from '../packed-rows.js';
import type { Dialect, DialectSettings, Session, Statements } from '../session.js';
import { schemaSql } from './knex.js';
import { answered, CONNECT_MS, LOCK_SECONDS, networkRemedy, STATEMENT_BYTES } from './server.js';

const quote = (name: string): string => `\`${name}\``;

const SETTINGS = [
  // A value that does not fit is an error; backslashes escape; no other dialect is imitated.
  `set session sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION'`,
  `set session innodb_lock_wait_timeout = ${LOCK_SECONDS}, lock_wait_timeout = ${LOCK_SECONDS}, autocommit = 1`,
  // Every write locks the row of the lease first, and goes by keys: nothing it reads could be stale.
  'set session transaction isolation level read committed',
];

const DEADLOCK = 1213;
const LOCK_TIMEOUT = 1205;
const DUPLICATE = 1062;
const TABLE_EXISTS = 1050;
const CONFLICTS: ReadonlySet<unknown> = new Set([DEADLOCK, LOCK_TIMEOUT, DUPLICATE, TABLE_EXISTS]);
/** Null, range, length, characters, dates, check constraints, and what MariaDB calls its own. */
const MISFITS: ReadonlySet<unknown> = new Set([1048, 1264, 1265, 1292, 1366, 1406, 3819, 4025]);
/** It was demoted to a replica: another connection may lead to the new primary. */
const READ_ONLY: ReadonlySet<unknown> = new Set([1290, 1792, 1836]);

/** A row that no statement can carry. */
class RowTooLarge extends Error {}

const columnOfLongest = (parts: readonly string[]): string =>
  COLUMN_NAMES[parts.reduce((longest, part, i) => (part.length > parts[longest]!.length ? i : longest), 0)]!;

interface ColumnRow extends RowDataPacket {
  readonly name: string;
  readonly type: string;
  readonly nullable: 'YES' | 'NO';
  readonly engine: string;
}

interface IndexRow extends RowDataPacket {
  readonly name: string;
  readonly nonUnique: number;
  readonly columns: string;
}

class MysqlSession implements Session, Statements {
  lost = false;
  private readonly insert: string;
  private readonly update: string;

  constructor(
    private readonly connection: Connection,
    private readonly table: string,
    private readonly literal: (value: Value) => string,
    private readonly packetBytes: number,
    private readonly answerMs: number,
  ) {
    this.insert = `insert into ${quote(table)} (${COLUMN_NAMES.map(quote).join(', ')}) values `;
    const updates = COLUMN_NAMES.filter((name) => name !== KEY).map(
      (name) => `${quote(name)} = values(${quote(name)})`,
    );
    this.update = ` on duplicate key update ${updates.join(', ')}`;
    const lose = () => {
      this.lost = true;
    };
    connection.on('error', lose);
    connection.on('end', lose);
  }

  async transaction<T>(work: (statements: Statements) => Promise<T>): Promise<T> {
    await this.query('start transaction');
    try {
      const result = await work(this);
      await this.query('commit');
      return result;
    } catch (error) {
      if (READ_ONLY.has((error as { errno?: unknown }).errno)) this.lost = true;
      // Without a rollback the server would keep the locks.
      if (!this.lost) await this.query('rollback').catch(() => this.drop());
      throw error;
    }
  }

  async page(after: number, limit: number): Promise<unknown[][]> {
    const columns = ['id', ...COLUMN_NAMES].map(quote).join(', ');
    const sql = `select ${columns} from ${quote(this.table)} where id > ${after} order by id limit ${limit}`;
    const [rows] = await this.answer(this.connection.query<RowDataPacket[][]>({ sql, rowsAsArray: true }));
    return rows;
  }

  async close(): Promise<void> {
    if (!this.lost) await this.answer(this.connection.end()).catch(() => {});
    this.drop();
  }

  private drop(): void {
    this.lost = true;
    this.connection.destroy();
  }

  async all(sql: string, values: readonly Value[] = []): Promise<Record<string, unknown>[]> {
    return this.query<RowDataPacket[]>(sql, values);
  }

  async run(sql: string, values: readonly Value[] = []): Promise<number> {
    return (await this.query<ResultSetHeader>(sql, values)).affectedRows;
  }

  async create(build: (schema: Knex.SchemaBuilder) => Knex.SchemaBuilder): Promise<void> {
    for (const sql of schemaSql('mysql2', build)) await this.query(sql);
  }

  async describe(table: string): Promise<TableForm | null> {
    const columns = await this.query<ColumnRow[]>(
      `select c.column_name as name, c.column_type as type, c.is_nullable as nullable, t.engine as engine
        from information_schema.columns c join information_schema.tables t using (table_schema, table_name)
        where table_schema = database() and table_name = ? order by c.ordinal_position`,
      [table],
    );
    if (columns.length === 0) return null;
    const indexes = await this.query<IndexRow[]>(
      `select index_name as name, max(non_unique) as nonUnique,
          group_concat(column_name order by seq_in_index separator ',') as columns
        from information_schema.statistics
        where table_schema = database() and table_name = ? and index_name <> 'PRIMARY' group by index_name`,
      [table],
    );
    return {
      // Before MySQL 8 integers are told with a width for display.
      columns: columns.map(({ name, type, nullable }) => ({
        name,
        type: type.replace(/^((?:big)?int)\(\d+\)/, '$1'),
        nullable: nullable === 'YES',
      })),
      indexes: indexes.map(({ name, nonUnique, columns }) => ({
        name,
        unique: Number(nonUnique) === 0,
        columns: columns.split(','),
      })),
      transactional: columns[0]!.engine === 'InnoDB',
    };
  }

  async upsert(rows: PackedRows, from: number, to: number): Promise<void> {
    const literals: string[] = [];
    for (let i = from; i < to; i++) {
      const values: Value[] = [];
      appendValues(rows, i, values);
      const parts = values.map(this.literal);
      const literal = `(${parts.join(', ')})`;
      if (literal.length > this.packetBytes / 4 && this.insert.length + Buffer.byteLength(literal) > this.packetBytes) {
        throw new RowTooLarge(
          `column ${columnOfLongest(parts)} is too long for max_allowed_packet = ${this.packetBytes}`,
        );
      }
      literals.push(literal);
    }
    await this.inStatements(literals, this.insert, this.update);
  }

  async remove(keys: readonly string[]): Promise<void> {
    const start = `delete from ${quote(this.table)} where ${quote(KEY)} in (`;
    await this.inStatements(keys.map(this.literal), start, ')');
  }

  /** As few statements as their size allows. */
  private async inStatements(literals: readonly string[], start: string, end: string): Promise<void> {
    const most = Math.min(STATEMENT_BYTES, this.packetBytes) - start.length - end.length;
    for (let from = 0; from < literals.length; ) {
      let to = from;
      for (let bytes = 0; to < literals.length; to++) {
        bytes += Buffer.byteLength(literals[to]!) + 1;
        if (bytes > most && to > from) break;
      }
      await this.query(start + literals.slice(from, to).join(',') + end);
      from = to;
    }
  }

  private async query<T extends RowDataPacket[] | ResultSetHeader>(
    sql: string,
    values: readonly Value[] = [],
  ): Promise<T> {
    const [result] = await this.answer(this.connection.query<T>(sql, [...values]));
    return result;
  }

  private async answer<T>(answer: Promise<T>): Promise<T> {
    try {
      return await answered(answer, this.answerMs, () => this.drop());
    } catch (error) {
      if ((error as { fatal?: unknown }).fatal === true) this.lost = true;
      throw error;
    }
  }
}

const REMEDIES: ReadonlyMap<unknown, string> = new Map([
  [1044, 'grant this user rights on the database'],
  [1045, 'check user and password in db_url (percent-encoded), and from which hosts the user may connect'],
  [1698, 'check user and password in db_url (percent-encoded), and from which hosts the user may connect'],
  [1049, 'create the database, or check its name in db_url'],
  [1130, 'let this host connect'],
  [1040, 'raise max_connections of the server'],
  [1142, 'grant this user select, insert, update, delete on the table and its _lease table, and create for a new one'],
  [1205, 'another session keeps the table locked: end it'],
  [1665, 'set binlog_format of the server to row or mixed'],
  ...[...READ_ONLY].map((code): [unknown, string] => [code, 'name a server that can be written to']),
]);

export const mysql: Dialect = {
  quote,
  type: ({ type, size }) => (type === 'string' ? `varbinary(${size})` : type === 'int' ? 'int' : 'mediumblob'),
  engine: 'InnoDB',
  // Independent of the time zones of server and session.
  now: "floor(timestampdiff(microsecond, '1970-01-01', utc_timestamp(3)) / 1000)",
  lock: ' for update',
  local: false,

  async open({ answerMs, server, table }: DialectSettings): Promise<Session> {
    const { createConnection, escape: literal } = require('mysql2/promise') as typeof import('mysql2/promise');
    const connection = await createConnection({
      ...server!,
      charset: 'utf8mb4',
      // Rows that were matched are counted, not only those that an update changed.
      flags: ['+FOUND_ROWS'],
      connectTimeout: CONNECT_MS,
    });
    // An error without a statement under way must not end the process; the session hears of it, too.
    connection.on('error', () => {});
    try {
      for (const sql of SETTINGS) await answered(connection.query(sql), CONNECT_MS, () => connection.destroy());
      const [[packet]] = await connection.query<RowDataPacket[]>('select @@max_allowed_packet as bytes');
      return new MysqlSession(connection, table, literal, Number(packet!.bytes), answerMs);
    } catch (error) {
      connection.destroy();
      throw error;
    }
  },

  conflict: (error) => CONFLICTS.has((error as { errno?: unknown }).errno),
  misfit: (error) => error instanceof RowTooLarge || MISFITS.has((error as { errno?: unknown }).errno),

  remedy(error: unknown): string | null {
    const { errno, code } = error as { errno?: unknown; code?: unknown };
    return REMEDIES.get(errno) ?? networkRemedy(String(code));
  },
};
