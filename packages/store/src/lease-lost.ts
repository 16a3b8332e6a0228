/** Another process owns the table: nothing of ours is written any more. */
export class LeaseLost extends Error {
  constructor(readonly holder: string) {
    super(`the lease on the table is lost to "${holder}"`);
  }
}
