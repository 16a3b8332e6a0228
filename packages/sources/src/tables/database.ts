/** Kamailio's database as the sources see it: read in short statements, its clock, its tables. */
import { PuaError } from '@pua/core';
import { type Knex, openDatabase } from '@pua/store';
import { type Dialect, dialectOf } from './dialect.js';

/** No statement of ours takes so long; one that does is given up, and its connection. */
const ANSWER_MS = 30_000;

export class Database {
  readonly knex: Knex;
  readonly #dialect: Dialect;

  /**
   * @param owner named in errors: `kamailioLocation`
   * @throws PuaError `PUA_ERR_OPTION`, which shows no password
   */
  constructor(
    readonly owner: string,
    url: string,
  ) {
    this.knex = openDatabase(url);
    this.#dialect = dialectOf(this.knex);
  }

  rows<T>(query: Knex.QueryBuilder): Promise<T[]> {
    return query.timeout(ANSWER_MS) as unknown as Promise<T[]>;
  }

  /** Seconds since 1970 by the server's clock, with fraction. */
  async now(): Promise<number> {
    const [row] = await this.rows<{ now: unknown }>(this.knex.select({ now: this.#dialect.now(this.knex) }));
    return Number(row!.now);
  }

  /** @throws PuaError `PUA_ERR_OPTION` when the database does not know the zone */
  async checkZone(zone: string): Promise<void> {
    const { knex, owner } = this;
    if (!this.#dialect.zone)
      throw new PuaError('PUA_ERR_OPTION', `${owner} timeZone (time_zone): SQLite has none: leave it out`);
    const known = await this.rows<{ at: unknown }>(knex.select({ at: this.#dialect.zone(knex, zone) })).then(
      ([row]) => row!.at !== null,
      () => false,
    );
    if (!known)
      throw new PuaError(
        'PUA_ERR_OPTION',
        `${owner} timeZone (time_zone): the database does not know ${JSON.stringify(zone)}: use an offset such as +02:00`,
      );
  }

  /** A column of a time as seconds since 1970, whether it holds local times or such seconds (`expires_type` of usrloc). */
  epoch(column: string, isNumber: boolean, zone: string | null): Knex.Raw {
    return isNumber ? this.knex.raw('??', [column]) : this.#dialect.epoch(this.knex, column, zone);
  }

  text(column: string): Knex.Raw {
    return this.#dialect.text(this.knex, column);
  }

  /** Less than every text() of such a column. */
  beginning(isNumber: boolean): string {
    return isNumber ? '0' : this.#dialect.beginning;
  }

  async hasIndex(table: string, column: string): Promise<boolean> {
    const found = this.#dialect.indexes(this.knex, table, column).select(this.knex.raw('1 AS found')).limit(1);
    return (await this.rows(found)).length > 0;
  }

  /** A person can run it, too. */
  indexStatement(table: string, column: string): string {
    return this.knex.raw('CREATE INDEX ?? ON ?? (??)', [`${table}_${column}_idx`, table, column]).toString();
  }

  async createIndex(table: string, column: string): Promise<void> {
    await this.knex.raw(this.indexStatement(table, column));
  }

  /**
   * Types of the columns, in lower case.
   * @throws PuaError `PUA_ERR_OPTION` when there is no such table, or one of another kind
   */
  async types(table: string, columns: readonly string[]): Promise<ReadonlyMap<string, string>> {
    const found = await this.knex(table).columnInfo();
    const types = new Map(Object.entries(found).map(([name, { type }]) => [name, String(type).toLowerCase()]));
    const missing = columns.filter((name) => !types.has(name));
    if (missing.length === 0) return types;
    const what =
      types.size === 0
        ? 'there is no such table: check db_url, and that Kamailio writes it (db_mode)'
        : `lacks the columns ${missing.join(', ')}: is it Kamailio's?`;
    throw new PuaError('PUA_ERR_OPTION', `${this.owner}: table ${table}: ${what}`);
  }

  close(): Promise<void> {
    return this.knex.destroy();
  }
}
