/** The tables `dialog` and `dialog_vars`, as rows of a watch. */
import type { Knex } from '@pua/store';
import type { Database } from './database.js';
import { type Row, textOf, valuesOf, type WatchedTable } from './table-watch.js';

/** Besides id and key. */
const COLUMNS = [
  'callid',
  'from_uri',
  'from_tag',
  'to_uri',
  'to_tag',
  'caller_contact',
  'callee_contact',
  'req_uri',
  'state',
  'start_time',
  'timeout',
  'sflags',
] as const;

/** States of the dialog module. */
export const UNCONFIRMED = 1;
export const EARLY = 2;
export const CONFIRMED_NA = 3;
export const CONFIRMED = 4;
export const DELETED = 5;

/** A row as its text says, with its variables. */
export interface Dialog extends Readonly<Record<(typeof COLUMNS)[number], unknown>> {
  /** hash_entry:hash_id */
  readonly key: string;
  readonly vars: Readonly<Record<string, string>>;
}

type Read = Readonly<Record<(typeof COLUMNS)[number] | 'id' | 'hash_entry' | 'hash_id', unknown>>;

interface Variable {
  readonly id: unknown;
  readonly dialog_key: string;
  readonly dialog_value: string;
}

export class DialogRows implements WatchedTable {
  private constructor(
    readonly database: Database,
    readonly table: string,
    readonly varsTable: string,
  ) {}

  /** @throws PuaError `PUA_ERR_OPTION` when the tables are not those of the dialog module */
  static async open(database: Database, table: string, varsTable: string): Promise<DialogRows> {
    await database.types(table, ['id', 'hash_entry', 'hash_id', ...COLUMNS]);
    await database.types(varsTable, ['hash_entry', 'hash_id', 'dialog_key', 'dialog_value']);
    return new DialogRows(database, table, varsTable);
  }

  read(ids: readonly number[]): Promise<Row[]> {
    return this.#rows(this.#select().whereIn('id', ids));
  }

  after(id: number, limit: number, upTo?: number): Promise<Row[]> {
    const query = this.#select().where('id', '>', id).orderBy('id').limit(limit);
    return this.#rows(upTo === undefined ? query : query.where('id', '<=', upTo));
  }

  #select(): Knex.QueryBuilder {
    return this.database.knex(this.table).select('id', 'hash_entry', 'hash_id', ...COLUMNS);
  }

  async #rows(query: Knex.QueryBuilder): Promise<Row[]> {
    const rows = await this.database.rows<Read>(query);
    const vars = await this.#vars(rows.map(({ id }) => Number(id)));
    return rows.map((row) => rowOf(row, vars.get(Number(row.id)) ?? {}));
  }

  /** By id of the dialog's row. */
  async #vars(ids: readonly number[]): Promise<Map<number, Record<string, string>>> {
    const byId = new Map<number, Record<string, string>>();
    if (ids.length === 0) return byId;
    const query = this.database
      .knex({ d: this.table })
      .join({ v: this.varsTable }, (on) => void on.on('v.hash_entry', 'd.hash_entry').on('v.hash_id', 'd.hash_id'))
      .whereIn('d.id', ids)
      .orderBy(['d.id', 'v.dialog_key'])
      .select('d.id', 'v.dialog_key', 'v.dialog_value');
    for (const { id, dialog_key, dialog_value } of await this.database.rows<Variable>(query)) {
      const vars = byId.get(Number(id)) ?? {};
      vars[dialog_key] = dialog_value;
      byId.set(Number(id), vars);
    }
    return byId;
  }
}

function rowOf(read: Read, vars: Record<string, string>): Row {
  const fault = faultOf(read);
  return {
    id: Number(read.id),
    text: textOf(`${read.hash_entry}:${read.hash_id}`, [vars, ...COLUMNS.map((column) => read[column])]),
    until: fault === undefined ? untilOf(Number(read.state), Number(read.timeout)) : Number.NEGATIVE_INFINITY,
    ...(fault === undefined ? {} : { fault }),
  };
}

/** Before the answer the timeout of the call means nothing. */
function untilOf(state: number, timeout: number): number {
  if (state === DELETED) return Number.NEGATIVE_INFINITY;
  return state >= CONFIRMED_NA && timeout > 0 ? timeout : Number.POSITIVE_INFINITY;
}

function faultOf({ callid, from_uri, to_uri, state }: Read): string | undefined {
  const empty = Object.entries({ callid, from_uri, to_uri }).find(
    ([, value]) => typeof value !== 'string' || value === '',
  );
  if (empty) return `${empty[0]} is empty`;
  const number = Number(state);
  return number >= UNCONFIRMED && number <= DELETED ? undefined : `state ${state} is not known`;
}

/** What a row's text says. */
export function dialogOf(text: string): Dialog {
  const [key, vars, ...values] = valuesOf(text) as [string, Record<string, string>, ...unknown[]];
  return { ...Object.fromEntries(COLUMNS.map((column, i) => [column, values[i]])), key, vars } as unknown as Dialog;
}
