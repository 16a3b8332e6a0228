/**
 * SQLite through better-sqlite3: synchronous, hence only used inside the worker. Write-ahead log, and with
 * `synchronous = full` one fsync per group: what a commit has acknowledged survives a kill of the process, and a loss
 * of power as far as the disk keeps what it has confirmed.
 */
import type Database from 'better-sqlite3';
import type { Knex } from 'knex';
import { COLUMN_NAMES, KEY, type Value } from '../columns.js';
import type { TableForm } from '../form.js';
import { appendValues, type PackedRows } from '../packed-rows.js';
import type { Dialect, DialectSettings, Session, Statements } from '../session.js';
import { schemaSql } from './knex.js';

const BUSY_MS = 5000;
/** Pages in the log before they are copied to the table: rows rewritten meanwhile are copied once. 64 MB. */
const CHECKPOINT_PAGES = 16_384;
const CACHE_KIB = 65_536;
/** Rows per statement: fewer calls from JavaScript into SQLite. */
const ROWS_PER_STATEMENT = 8;

const quote = (name: string): string => `"${name}"`;

interface ColumnRow {
  readonly name: string;
  readonly notnull: number;
}

interface IndexRow {
  readonly name: string;
  readonly unique: number;
  readonly columns: string;
}

const MISFITS = /^SQLITE_(TOOBIG|MISMATCH|CONSTRAINT_(CHECK|DATATYPE|NOTNULL))$/;

class SqliteSession implements Session, Statements {
  /** A file is always there. */
  readonly lost = false;
  private readonly cache = new Map<string, Database.Statement<unknown[]>>();
  private readonly upserts: { [rows: number]: Database.Statement<unknown[]> } = {};

  constructor(
    private readonly db: Database.Database,
    private readonly table: string,
  ) {}

  private upsertOf(rows: number): Database.Statement<unknown[]> {
    this.upserts[rows] ??= this.db.prepare(this.upsertSql(rows));
    return this.upserts[rows];
  }

  private upsertSql(rows: number): string {
    const row = `(${COLUMN_NAMES.map(() => '?').join(', ')})`;
    const update = COLUMN_NAMES.filter((name) => name !== KEY).map(
      (name) => `${quote(name)} = excluded.${quote(name)}`,
    );
    return `insert into ${quote(this.table)} (${COLUMN_NAMES.map(quote).join(', ')})
      values ${Array(rows).fill(row).join(', ')}
      on conflict (${quote(KEY)}) do update set ${update.join(', ')}`;
  }

  async transaction<T>(work: (statements: Statements) => Promise<T>): Promise<T> {
    this.statement('begin immediate').run();
    try {
      const result = await work(this);
      this.statement('commit').run();
      return result;
    } catch (error) {
      // Some errors (disk full) have rolled back already.
      if (this.db.inTransaction) this.statement('rollback').run();
      throw error;
    }
  }

  async page(after: number, limit: number): Promise<unknown[][]> {
    const columns = ['id', ...COLUMN_NAMES].map(quote).join(', ');
    const sql = `select ${columns} from ${quote(this.table)} where "id" > ? order by "id" limit ?`;
    return this.statement(sql).raw(true).all(after, limit) as unknown[][];
  }

  async close(): Promise<void> {
    this.db.close();
  }

  async all(sql: string, values: readonly Value[] = []): Promise<Record<string, unknown>[]> {
    return this.statement(sql).all(...values) as Record<string, unknown>[];
  }

  async run(sql: string, values: readonly Value[] = []): Promise<number> {
    return this.statement(sql).run(...values).changes;
  }

  async create(build: (schema: Knex.SchemaBuilder) => Knex.SchemaBuilder): Promise<void> {
    for (const sql of schemaSql('better-sqlite3', build)) this.db.exec(sql);
  }

  async describe(table: string): Promise<TableForm | null> {
    const columns = this.statement('select name, "notnull" from pragma_table_info(?)').all(table) as ColumnRow[];
    if (columns.length === 0) return null;
    const indexes = this.statement(
      `select l.name, l."unique", group_concat(i.name, ',') as columns
        from pragma_index_list(?) l, pragma_index_info(l.name) i where l.origin <> 'pk' group by l.name`,
    ).all(table) as IndexRow[];
    return {
      columns: columns.map(({ name, notnull }) => ({ name, type: null, nullable: notnull === 0 })),
      indexes: indexes.map((index) => ({
        name: index.name,
        unique: index.unique === 1,
        columns: index.columns.split(','),
      })),
      transactional: true,
    };
  }

  async upsert(rows: PackedRows, from: number, to: number): Promise<void> {
    for (let at = from; at < to; ) {
      const count = to - at >= ROWS_PER_STATEMENT ? ROWS_PER_STATEMENT : 1;
      const values: Value[] = [];
      for (const end = at + count; at < end; at++) appendValues(rows, at, values);
      this.upsertOf(count).run(values);
    }
  }

  async remove(keys: readonly string[]): Promise<void> {
    const statement = this.statement(`delete from ${quote(this.table)} where ${quote(KEY)} = ?`);
    for (const key of keys) statement.run(key);
  }

  private statement(sql: string): Database.Statement<unknown[]> {
    let statement = this.cache.get(sql);
    if (statement === undefined) {
      statement = this.db.prepare(sql);
      this.cache.set(sql, statement);
    }
    return statement;
  }
}

/** Two processes that turn the log on in a new file at once: SQLite reports busy without waiting. */
function turnOnLog(db: Database.Database): void {
  const until = Date.now() + BUSY_MS;
  for (;;) {
    try {
      db.pragma('journal_mode = wal');
      return;
    } catch (error) {
      if ((error as { code?: string }).code !== 'SQLITE_BUSY' || Date.now() > until) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
    }
  }
}

const BINDING_REMEDY =
  'the native part of better-sqlite3 is missing: run `npm rebuild better-sqlite3` with a C++ compiler, make, Python and the headers of this Node.js, or set db_url to memory:';

const REMEDIES: readonly (readonly [code: RegExp, remedy: string])[] = [
  [/^(MODULE_NOT_FOUND|ERR_MODULE_NOT_FOUND|ERR_DLOPEN_FAILED)$/, BINDING_REMEDY],
  [/^SQLITE_CANTOPEN/, 'check that it is a file, and that this user may read and write it and its directory'],
  [/^SQLITE_(READONLY|PERM|AUTH)/, 'this user must be allowed to write it and its directory'],
  [/^SQLITE_(NOTADB|CORRUPT)/, 'it is damaged or not an SQLite database: move it away or restore a copy'],
  [/^SQLITE_BUSY/, 'another program keeps it locked: end that program'],
  [/^SQLITE_FULL/, 'the disk is full: make room'],
  [/^SQLITE_IOERR/, 'the disk reports errors: check it, and that it is not a network share'],
];

export const sqlite: Dialect = {
  quote,
  // The document has no affinity: text stays text, bytes stay bytes.
  type: ({ type, size }) =>
    type === 'string' ? `varchar(${size})` : type === 'int' ? 'integer' : type === 'text' ? 'text' : 'blob',
  engine: null,
  // The machine's, as only its processes can open the file.
  now: "cast(unixepoch('subsec') * 1000 as integer)",
  // Nobody else writes from the beginning of the transaction on.
  lock: '',
  local: true,

  async open(settings: DialectSettings): Promise<Session> {
    const { location, nativeBinding, synchronous, table } = settings;
    // Here and not above: a driver that is missing is an error of open() with its remedy.
    const Driver = require('better-sqlite3') as typeof import('better-sqlite3');
    const db = new Driver(location, { timeout: BUSY_MS, ...(nativeBinding === null ? {} : { nativeBinding }) });
    try {
      turnOnLog(db);
      db.pragma(`synchronous = ${synchronous}`);
      db.pragma(`wal_autocheckpoint = ${CHECKPOINT_PAGES}`);
      db.pragma(`cache_size = -${CACHE_KIB}`);
      return new SqliteSession(db, table);
    } catch (error) {
      db.close();
      throw error;
    }
  },

  conflict: () => false,
  misfit: (error) => MISFITS.test(String((error as { code?: unknown }).code)),

  remedy(error: unknown): string | null {
    const { code = '', message = '' } = error as { code?: string; message?: string };
    if (message.includes('directory does not exist')) return 'create the directory';
    if (message.includes('bindings file')) return BINDING_REMEDY;
    return REMEDIES.find(([pattern]) => pattern.test(code))?.[1] ?? null;
  },
};
