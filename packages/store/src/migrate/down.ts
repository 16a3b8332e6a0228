/** Back: our table becomes Kamailio's own, with its collation and its unique index. */
import { OWN_COLUMNS } from '../columns.js';
import { raiseCseqs } from '../cseq.js';
import {
  checkKamailioColumns,
  checkNewer,
  checkTableVersion,
  KAMAILIO_VERSION,
  putVersion,
  readVersion,
} from '../schema.js';
import { leaseTable } from '../tables.js';
import { kamailioDefinition } from './definition.js';
import { differenceOf, sentencesOf } from './difference.js';
import { checkFree, countRows, nothing, type Plan, type Subject, underLease } from './plan.js';
import { unfitRows } from './unfit.js';

export function downPlan(subject: Subject): Promise<Plan> {
  const { alter, dialect, session, table } = subject;
  const lease = leaseTable(table);
  const name = dialect.quote(table);
  return session.transaction(async (on) => {
    const found = await on.describe(table);
    if (found === null) return nothing(0);
    checkTableVersion(table, await readVersion(on, table));
    checkKamailioColumns(table, found);
    checkNewer(lease, await readVersion(on, lease));
    await checkFree(on, subject);
    const rows = await countRows(on, name);
    const wanted = kamailioDefinition(table, alter);
    const difference = differenceOf(
      found,
      wanted,
      OWN_COLUMNS.map((column) => column.name),
    );
    const changes = sentencesOf(difference);
    const hasLease = (await on.describe(lease)) !== null;
    const lost = changes.length === 0 ? [] : await unfitRows(on, table, dialect, alter);
    const steps = [
      ...(lost.length > 0 ? [`delete ${lost.length} rows that have no room in Kamailio's table`] : []),
      ...changes,
      ...(hasLease ? [`drop the table ${lease}`] : []),
    ];
    if (steps.length === 0) return nothing(rows);
    const run = async () => {
      await underLease(subject, async (change, before) => {
        // Kamailio knows nothing of a stop that was not clean.
        if (before === 'unclean') await raiseCseqs(change, name);
        if (lost.length > 0)
          await change.run(`delete from ${name} where id in (${lost.map(({ id }) => id).join(', ')})`);
        if (changes.length === 0) return;
        for (const statement of await alter.statements(change, { table, found, wanted, difference })) {
          await change.run(statement);
        }
        await putVersion(change, table, KAMAILIO_VERSION);
      });
      await session.transaction(async (change) => {
        await change.run('delete from version where table_name = ?', [lease]);
        await change.run(`drop table ${dialect.quote(lease)}`);
      });
    };
    return { rows, steps, lost, run };
  });
}
