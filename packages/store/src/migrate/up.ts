/** In place: Kamailio's table, or one of ours that is not as it should be, becomes ours. Every row stays. */
import { OWN_COLUMNS } from '../columns.js';
import {
  checkKamailioColumns,
  checkNewer,
  checkTableVersion,
  ensureSchema,
  KAMAILIO_VERSION,
  OWN_VERSION,
  putVersion,
  readVersion,
} from '../schema.js';
import { createVersion, leaseTable } from '../tables.js';
import { ourDefinition } from './definition.js';
import { differenceOf, sentencesOf } from './difference.js';
import { checkFree, countRows, type Plan, type Subject, underLease } from './plan.js';

export function upPlan(subject: Subject): Promise<Plan> {
  const { alter, dialect, session, table } = subject;
  const lease = leaseTable(table);
  return session.transaction(async (on) => {
    const found = await on.describe(table);
    if (found === null) {
      const run = () => session.transaction((made) => ensureSchema(made, table, dialect));
      return { rows: 0, steps: [`make the tables ${table} and ${lease}`], lost: [], run };
    }
    const version = await readVersion(on, table);
    const own = await readVersion(on, lease);
    checkTableVersion(table, version);
    checkKamailioColumns(table, found);
    checkNewer(lease, own);
    await checkFree(on, subject);
    const wanted = ourDefinition(table, dialect, alter);
    const difference = differenceOf(
      found,
      wanted,
      OWN_COLUMNS.map(({ name }) => name),
    );
    const hasLease = (await on.describe(lease)) !== null;
    const steps = [
      ...sentencesOf(difference),
      ...(hasLease ? [] : [`make the table ${lease}`]),
      ...(version === null ? [`note version ${KAMAILIO_VERSION} of ${table} in the table version`] : []),
      ...(own === OWN_VERSION ? [] : [`note version ${OWN_VERSION} of ${lease} in the table version`]),
    ];
    const run = () =>
      underLease(subject, async (change) => {
        const statements =
          sentencesOf(difference).length === 0
            ? []
            : await alter.statements(change, { table, found, wanted, difference });
        for (const statement of statements) await change.run(statement);
        if ((await change.describe('version')) === null) await createVersion(change, dialect);
        if (version === null) await putVersion(change, table, KAMAILIO_VERSION);
        await putVersion(change, lease, OWN_VERSION);
      });
    return { rows: await countRows(on, dialect.quote(table)), steps, lost: [], run };
  });
}
