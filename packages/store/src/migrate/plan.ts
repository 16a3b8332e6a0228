/** What the ways to migrate have in common: what they work on, and the lease they hold meanwhile. */
import type { Holder } from '../holder.js';
import { Lease, type Taken } from '../lease.js';
import type { Dialect, Session, Statements } from '../session.js';
import { createLease, leaseTable } from '../tables.js';
import type { Alter } from './alter.js';

/** Nobody renews it meanwhile; a process that died is recognised on its own host. */
const LEASE_MS = 3_600_000;

export interface Subject {
  readonly session: Session;
  /** Another session, for when that one is lost. */
  readonly reopen: () => Promise<Session>;
  readonly dialect: Dialect;
  readonly alter: Alter;
  readonly table: string;
  readonly holder: Holder;
}

export interface Plan {
  readonly rows: number;
  readonly steps: readonly string[];
  readonly lost: readonly { readonly key: string; readonly reason: string }[];
  run(): Promise<void>;
}

export const nothing = (rows: number): Plan => ({ rows, steps: [], lost: [], run: async () => {} });

const leaseOf = ({ dialect, holder, table }: Subject): Lease => new Lease(dialect, table, LEASE_MS, holder);

export async function countRows(on: Statements, quoted: string): Promise<number> {
  return Number((await on.all(`select count(*) as found from ${quoted}`))[0]?.found);
}

/** @throws PuaError `PUA_ERR_STORE_HELD` */
export async function checkFree(on: Statements, subject: Subject): Promise<void> {
  if ((await on.describe(leaseTable(subject.table))) !== null) await leaseOf(subject).check(on);
}

/**
 * Holds the lease while `work` runs. Afterwards it is as clean as it was before: rows that nobody left behind cleanly get
 * their CSeqs raised by whoever opens the table next.
 */
export async function underLease(
  subject: Subject,
  work: (on: Statements, before: Taken['before']) => Promise<void>,
): Promise<void> {
  const { dialect, session, table } = subject;
  const lease = leaseOf(subject);
  // Apart from each other: MySQL commits with each change of form, and by then others must know who is at work.
  await session.transaction(async (on) => {
    if ((await on.describe(leaseTable(table))) === null) await createLease(on, table, dialect);
  });
  let before: Taken['before'] = null;
  const giveBack = (on: Statements) => (before === null ? lease.forget(on) : lease.giveBack(on, before === 'clean'));
  try {
    await session.transaction(async (on) => {
      before = (await lease.take(on)).before;
    });
    await session.transaction((on) => work(on, before));
    await session.transaction(giveBack);
  } catch (error) {
    await afterFailure(subject, giveBack).catch(() => {});
    throw error;
  }
}

/** What failed may have been the connection. */
async function afterFailure({ reopen, session }: Subject, work: (on: Statements) => Promise<void>): Promise<void> {
  if (!session.lost) return session.transaction(work);
  const another = await reopen();
  try {
    await another.transaction(work);
  } finally {
    await another.close();
  }
}
