/**
 * SQLite through better-sqlite3: synchronous, hence only used inside the worker. Write-ahead log, and with
 * `synchronous = full` one fsync per group: what a commit has acknowledged survives a kill of the process, and a loss
 * of power as far as the disk keeps what it has confirmed.
 */
import type Database from 'better-sqlite3';
import type { Knex } from 'knex';
import { COLUMN_NAMES, KEY, type Value } from '../columns.js';
import { appendValues, type PackedRows } from '../packed-rows.js';
import type { Dialect, DialectSettings, Session, Statements } from '../session.js';

const BUSY_MS = 5000;
/** Pages in the log before they are copied to the table: rows rewritten meanwhile are copied once. 64 MB. */
const CHECKPOINT_PAGES = 16_384;
const CACHE_KIB = 65_536;
/** Rows per statement: fewer calls from JavaScript into SQLite. */
const ROWS_PER_STATEMENT = 8;

const quote = (name: string): string => `"${name}"`;

class SqliteSession implements Session, Statements {
  private readonly cache = new Map<string, Database.Statement<unknown[]>>();
  private one!: Database.Statement<unknown[]>;
  private many!: Database.Statement<unknown[]>;

  constructor(
    private readonly db: Database.Database,
    private readonly table: string,
  ) {}

  async prepare(): Promise<void> {
    this.one = this.db.prepare(this.upsertOf(1));
    this.many = this.db.prepare(this.upsertOf(ROWS_PER_STATEMENT));
  }

  private upsertOf(rows: number): string {
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

  async page(after: number, upTo: number, limit: number): Promise<unknown[][]> {
    const columns = ['id', ...COLUMN_NAMES].map(quote).join(', ');
    const sql = `select ${columns} from ${quote(this.table)} where "id" > ? and "id" <= ? order by "id" limit ?`;
    return this.statement(sql).raw(true).all(after, upTo, limit) as unknown[][];
  }

  async close(): Promise<void> {
    this.db.close();
  }

  async now(): Promise<number> {
    return Date.now();
  }

  async all(sql: string, values: readonly Value[] = []): Promise<Record<string, unknown>[]> {
    return this.statement(sql).all(...values) as Record<string, unknown>[];
  }

  async run(sql: string, values: readonly Value[] = []): Promise<number> {
    return this.statement(sql).run(...values).changes;
  }

  async create(build: (schema: Knex.SchemaBuilder) => Knex.SchemaBuilder): Promise<void> {
    // Without a connection knex only writes the statements.
    const { default: knex } = await import('knex');
    for (const { sql } of build(knex({ client: 'better-sqlite3', useNullAsDefault: true }).schema).toSQL()) {
      this.db.exec(sql);
    }
  }

  async columns(table: string): Promise<string[] | null> {
    const rows = this.db.prepare<[string], { name: string }>('select name from pragma_table_info(?)').all(table);
    return rows.length === 0 ? null : rows.map((row) => row.name);
  }

  async upsert(rows: PackedRows): Promise<void> {
    for (let at = 0; at < rows.count; ) {
      const many = rows.count - at >= ROWS_PER_STATEMENT;
      const values: Value[] = [];
      for (const end = at + (many ? ROWS_PER_STATEMENT : 1); at < end; at++) appendValues(rows, at, values);
      (many ? this.many : this.one).run(values);
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
  collation: null,
  quote,
  // No affinity: text stays text, bytes stay bytes.
  documentType: 'blob',
  local: true,

  async open(settings: DialectSettings): Promise<Session> {
    const { location, nativeBinding, synchronous, table } = settings;
    // Here and not above: a driver that is missing is an error of open() with its remedy.
    const { default: Driver } = await import('better-sqlite3');
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

  remedy(error: unknown): string | null {
    const { code = '', message = '' } = error as { code?: string; message?: string };
    if (message.includes('directory does not exist')) return 'create the directory';
    if (message.includes('bindings file')) return BINDING_REMEDY;
    if (message.includes('ON CONFLICT clause')) return `column ${KEY} needs a unique index: run \`pua migrate\``;
    return REMEDIES.find(([pattern]) => pattern.test(code))?.[1] ?? null;
  },
};
