/** Without the right to alter Kamailio's table: its rows are copied to one of ours. */
import { PuaError } from '@pua/core';
import { KAMAILIO_COLUMNS } from '../columns.js';
import { checkKamailioColumns, checkTableVersion, ensureSchema, readVersion } from '../schema.js';
import { leaseTable } from '../tables.js';
import { checkFree, countRows, nothing, type Plan, type Subject, underLease } from './plan.js';

export function copyPlan(subject: Subject, from: string): Promise<Plan> {
  const { dialect, session, table } = subject;
  const [source, target] = [dialect.quote(from), dialect.quote(table)];
  return session.transaction(async (on) => {
    const found = await on.describe(from);
    if (found === null) throw new PuaError('PUA_ERR_STORE_VERSION', `there is no table "${from}" to copy from`);
    checkTableVersion(from, await readVersion(on, from));
    checkKamailioColumns(from, found);
    const isThere = (await on.describe(table)) !== null;
    // The rows come all at once, or not: a table with rows has them.
    const there = isThere ? await countRows(on, target) : 0;
    if (there > 0) return nothing(there);
    await checkFree(on, subject);
    const rows = await countRows(on, source);
    const steps = [
      ...(isThere ? [] : [`make the tables ${table} and ${leaseTable(table)}`]),
      ...(rows === 0 ? [] : [`copy ${rows} rows from the table ${from}, which stays as it is`]),
    ];
    const run = async () => {
      await session.transaction((change) => ensureSchema(change, table, dialect));
      const columns = KAMAILIO_COLUMNS.map(({ name }) => dialect.quote(name)).join(', ');
      await underLease(subject, async (change) => {
        await change.run(`insert into ${target} (${columns}) select ${columns} from ${source} order by id`);
      });
    };
    return { rows, steps, lost: [], run };
  });
}
