/** Requests by method and answers by method and status; `ignored` counts as status 0. */
export class Counters {
  readonly received: Record<string, number> = {};
  readonly answered: Record<string, Record<number, number>> = {};

  request(method: string): void {
    this.received[method] = (this.received[method] ?? 0) + 1;
  }

  answer(method: string, status: number): void {
    let statuses = this.answered[method];
    if (!statuses) {
      statuses = {};
      this.answered[method] = statuses;
    }
    statuses[status] = (statuses[status] ?? 0) + 1;
  }

  /** Answers of one status to one method so far. */
  count(method: string, status: number): number {
    return this.answered[method]?.[status] ?? 0;
  }
}
