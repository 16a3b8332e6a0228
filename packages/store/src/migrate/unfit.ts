/** Rows that have no room in Kamailio's own table. */
import { KAMAILIO_COLUMNS, KEY } from '../columns.js';
import type { Dialect, Statements } from '../session.js';
import type { Alter } from './alter.js';
import { KAMAILIO_UNIQUE } from './definition.js';

export interface UnfitRow {
  readonly id: number;
  readonly key: string;
  readonly reason: string;
}

const keyOf = (key: unknown, id: unknown): string => (key === null ? `row ${id}` : String(key));

/** Values that are longer than its columns. */
async function tooLong(on: Statements, table: string, dialect: Dialect, alter: Alter): Promise<UnfitRow[]> {
  const unfit: UnfitRow[] = [];
  if (!alter.bounded) return unfit;
  for (const { name, kamailioSize, type } of KAMAILIO_COLUMNS) {
    const most = type === 'text' ? alter.kamailioText : kamailioSize;
    if (most === null || most === undefined) continue;
    const sql = `select id, ${dialect.quote(KEY)} as row_key from ${dialect.quote(table)} where length(${dialect.quote(name)}) > ${most}`;
    for (const { id, row_key } of await on.all(sql)) {
      unfit.push({ id: Number(id), key: keyOf(row_key, id), reason: `${name} is longer than ${most}` });
    }
  }
  return unfit;
}

/** All but the one that lives longest of those that its unique index takes for the same; `gone` go anyway. */
async function colliding(
  on: Statements,
  table: string,
  dialect: Dialect,
  alter: Alter,
  gone: ReadonlySet<number>,
): Promise<UnfitRow[]> {
  const fold = await alter.folded(on, table);
  const folded = (alias: string) => KAMAILIO_UNIQUE.map((name) => fold(`${alias}.${dialect.quote(name)}`));
  const name = dialect.quote(table);
  const same = folded('p').map((column, i) => `${column} = g.g${i}`);
  const groups = folded('q').map((column, i) => `${column} as g${i}`);
  const rows = await on.all(
    `select p.id as id, p.${dialect.quote(KEY)} as row_key, g.first as first from ${name} p join (
      select min(q.id) as first, ${groups.join(', ')} from ${name} q where q.tuple_id is not null
      group by ${folded('q').join(', ')} having count(*) > 1
    ) g on ${same.join(' and ')} order by g.first, p.expires desc, p.id desc`,
  );
  let first: unknown;
  let kept = '';
  return rows.flatMap((row) => {
    if (gone.has(Number(row.id))) return [];
    if (row.first !== first) {
      first = row.first;
      kept = keyOf(row.row_key, row.id);
      return [];
    }
    const reason = `it has the etag, tuple id, Call-ID and tag of ${kept}, which lives longer`;
    return [{ id: Number(row.id), key: keyOf(row.row_key, row.id), reason }];
  });
}

/** Each once. */
export async function unfitRows(
  on: Statements,
  table: string,
  dialect: Dialect,
  alter: Alter,
): Promise<readonly UnfitRow[]> {
  const long = new Map((await tooLong(on, table, dialect, alter)).map((row) => [row.id, row]));
  return [...long.values(), ...(await colliding(on, table, dialect, alter, new Set(long.keys())))];
}
