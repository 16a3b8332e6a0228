/** The table `location` of usrloc, as rows of a watch. */
import type { Knex } from '@pua/store';
import type { Database } from './database.js';
import { type ChangesOfTable, type Row, textOf, valuesOf, type WatchedTable } from './table-watch.js';

/** The expiry of permanent contacts is the beginning of 1970 in some zone. */
const PERMANENT = 2 * 86_400;

/** Besides id, ruid and times. */
const COLUMNS = [
  'username',
  'domain',
  'contact',
  'received',
  'path',
  'q',
  'callid',
  'cseq',
  'cflags',
  'user_agent',
  'instance',
  'reg_id',
] as const;

/** A row as its text says; times in seconds since 1970. */
export interface Location extends Readonly<Record<(typeof COLUMNS)[number], unknown>> {
  readonly ruid: string;
  /** 0: permanent. */
  readonly expires: number;
}

type Read = Readonly<
  Record<(typeof COLUMNS)[number] | 'id' | 'ruid' | 'expires_at' | 'modified' | 'modified_at', unknown>
>;

export class LocationRows implements WatchedTable {
  readonly changes: ChangesOfTable | undefined;

  private constructor(
    readonly database: Database,
    readonly table: string,
    /** What is selected. */
    readonly selected: readonly (string | Record<string, Knex.Raw>)[],
    indexed: boolean,
    /** Earlier than any time of a change. */
    readonly beginning: string,
  ) {
    this.changes = indexed ? this.#changes() : undefined;
  }

  /** @throws PuaError `PUA_ERR_OPTION` when the table is not that of usrloc */
  static async open(database: Database, table: string, zone: string | null): Promise<LocationRows> {
    if (zone !== null) await database.checkZone(zone);
    const types = await database.types(table, ['id', 'ruid', ...COLUMNS, 'expires', 'last_modified']);
    const isNumber = (column: string) => /int|num|dec/.test(types.get(column)!);
    const selected = [
      'id',
      'ruid',
      ...COLUMNS,
      {
        expires_at: database.epoch('expires', isNumber('expires'), zone),
        modified: database.text('last_modified'),
        modified_at: database.epoch('last_modified', isNumber('last_modified'), zone),
      },
    ];
    const beginning = database.beginning(isNumber('last_modified'));
    return new LocationRows(database, table, selected, await database.hasIndex(table, 'last_modified'), beginning);
  }

  read(ids: readonly number[]): Promise<Row[]> {
    return this.#rows(this.#select().whereIn('id', ids));
  }

  after(id: number, limit: number, upTo?: number): Promise<Row[]> {
    const query = this.#select().where('id', '>', id).orderBy('id').limit(limit);
    return this.#rows(upTo === undefined ? query : query.where('id', '<=', upTo));
  }

  /** Bindings of a user; without `domain`: in whatever domain. */
  of(username: string, domain: string | undefined): Promise<Row[]> {
    const query = this.#select().where({ username }).orderBy('id');
    return this.#rows(domain === undefined ? query : query.whereIn('domain', [domain, domain.toLowerCase()]));
  }

  #changes(): ChangesOfTable {
    return {
      last: async () => {
        const { knex } = this.database;
        const last = knex(this.table)
          .select({ modified: this.database.text('last_modified') })
          .orderBy('last_modified', 'desc')
          .limit(1);
        const [row] = await this.database.rows<{ modified: string }>(last);
        return row?.modified ?? this.beginning;
      },
      after: ({ modified, id }, limit) =>
        this.#rows(
          this.#select()
            .where('last_modified', '>=', modified)
            .where((beyond) => void beyond.where('last_modified', '>', modified).orWhere('id', '>', id))
            .orderBy(['last_modified', 'id'])
            .limit(limit),
        ),
    };
  }

  #select(): Knex.QueryBuilder {
    return this.database.knex(this.table).select(this.selected);
  }

  async #rows(query: Knex.QueryBuilder): Promise<Row[]> {
    return (await this.database.rows<Read>(query)).map(rowOf);
  }
}

function rowOf(read: Read): Row {
  const expires = Number(read.expires_at);
  const permanent = read.expires_at !== null && expires <= PERMANENT;
  const fault = faultOf(read);
  return {
    id: Number(read.id),
    text: textOf(`${read.ruid}`, [permanent ? 0 : expires, read.modified, ...COLUMNS.map((column) => read[column])]),
    until: fault !== undefined ? Number.NEGATIVE_INFINITY : permanent ? Number.POSITIVE_INFINITY : expires,
    modified: String(read.modified),
    modifiedAt: Number(read.modified_at),
    ...(fault === undefined ? {} : { fault }),
  };
}

function faultOf({ username, contact, expires_at }: Read): string | undefined {
  if (typeof username !== 'string' || username === '') return 'username is empty';
  if (typeof contact !== 'string' || !/^[a-z][a-z0-9+.-]*:[^\s<>]+$/i.test(contact)) return 'contact is not a URI';
  if (expires_at === null) return 'expires is not a time';
  return undefined;
}

/** What a row's text says. */
export function locationOf(text: string): Location {
  const [ruid, expires, , ...values] = valuesOf(text) as [string, number, ...unknown[]];
  return {
    ...Object.fromEntries(COLUMNS.map((column, i) => [column, values[i]])),
    ruid,
    expires,
  } as unknown as Location;
}
