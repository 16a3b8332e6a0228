/** What the databases spell differently: times, and what is known of indexes. */
import type { Knex } from '@pua/store';

export interface Dialect {
  /** Seconds since 1970 by the server's clock. */
  now(db: Knex): Knex.Raw;
  /**
   * Seconds since 1970 of a column with local times.
   * @param zone in which they were written; null: that of the session
   */
  epoch(db: Knex, column: string, zone: string | null): Knex.Raw;
  /** null, or an error, for a zone that the database does not know. Absent: times have no zone. */
  zone?(db: Knex, zone: string): Knex.Raw;
  /** A column of such times as text, in a form that can be compared with it. */
  text(db: Knex, column: string): Knex.Raw;
  /** Less than every time of such a column. */
  readonly beginning: string;
  /** A row for each index of the table that begins with the column. */
  indexes(db: Knex, table: string, column: string): Knex.QueryBuilder;
}

const mysql: Dialect = {
  // UNIX_TIMESTAMP(NOW(3)) is an hour off when summer time ends.
  now: (db) => db.raw("TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(3)) / 1000000"),
  epoch: (db, column, zone) =>
    db.raw(
      `TIMESTAMPDIFF(SECOND, '1970-01-01', CONVERT_TZ(??, ${zone === null ? '@@session.time_zone' : '?'}, '+00:00'))`,
      zone === null ? [column] : [column, zone],
    ),
  // Names are known to it only if somebody has loaded its tables of zones.
  zone: (db, zone) => db.raw("CONVERT_TZ('2020-01-01', ?, '+00:00')", [zone]),
  text: (db, column) => db.raw('CAST(?? AS CHAR)', [column]),
  beginning: '1970-01-01 00:00:00',
  indexes: (db, table, column) =>
    db('information_schema.statistics')
      .whereRaw('table_schema = DATABASE()')
      .where({ table_name: table, column_name: column, seq_in_index: 1 }),
};

const postgres: Dialect = {
  now: (db) => db.raw('CAST(EXTRACT(EPOCH FROM clock_timestamp()) AS double precision)'),
  epoch: (db, column, zone) =>
    db.raw(
      `CAST(EXTRACT(EPOCH FROM ?? AT TIME ZONE ${zone === null ? "current_setting('TimeZone')" : '?'}) AS double precision)`,
      zone === null ? [column] : [column, zone],
    ),
  zone: (db, zone) => db.raw('now() AT TIME ZONE ?', [zone]),
  text: (db, column) => db.raw('CAST(?? AS text)', [column]),
  beginning: '1970-01-01 00:00:00',
  indexes: (db, table, column) =>
    db('pg_index')
      .joinRaw('JOIN pg_attribute ON attrelid = indrelid AND attnum = indkey[0]')
      .whereRaw('indrelid = to_regclass(?)', [table])
      .where('attname', column),
};

const sqlite: Dialect = {
  now: (db) => db.raw("(julianday('now') - 2440587.5) * 86400.0"),
  // Kamailio writes Julian days, half a second early, and reads everything as such: a text is none.
  epoch: (db, column) =>
    db.raw("CASE WHEN typeof(??) <> 'text' THEN CAST((?? - 2440587.5) * 86400.0 + 1 AS INTEGER) END", [column, column]),
  text: (db, column) => db.raw('CAST(?? AS TEXT)', [column]),
  beginning: '0',
  indexes: (db, table, column) =>
    db
      .from(db.raw('pragma_index_list(?) AS list', [table]))
      .joinRaw('JOIN pragma_index_info(list.name) AS info')
      .where({ 'info.seqno': 0, 'info.name': column }),
};

const DIALECTS: Readonly<Record<string, Dialect>> = { mysql2: mysql, pg: postgres, 'better-sqlite3': sqlite };

export function dialectOf(db: Knex): Dialect {
  return DIALECTS[String(db.client.config.client)]!;
}
