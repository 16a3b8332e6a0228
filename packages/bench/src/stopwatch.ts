/** Time, and CPU time of both processes, between two moments of a row. */
import type { Server } from './peer/start.js';
import type { Load, Measurement } from './row.js';
import { busiest, type ThreadTimes, threadTimes } from './threads.js';

export const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

export async function warmUp({ warmUpMs, warmUpOperations }: Load, operations: () => number): Promise<void> {
  const began = performance.now();
  do await sleep(Math.min(20, warmUpMs));
  while (performance.now() - began < warmUpMs || operations() < warmUpOperations);
}

export class Stopwatch {
  private constructor(
    private readonly server: Server,
    private readonly operations: number,
    private readonly serverCpu: number,
    private readonly threads: ThreadTimes,
    private readonly at: number,
  ) {}

  /** `operations`: answered so far. */
  static async start(server: Server, operations: number): Promise<Stopwatch> {
    const cpu = await server.cpu();
    return new Stopwatch(server, operations, cpu, threadTimes(), performance.now());
  }

  elapsedMs(): number {
    return performance.now() - this.at;
  }

  /** `store`: the threads one of which is the storage thread. */
  async stop(
    operations: number,
    details: Readonly<Record<string, number>>,
    store?: ReadonlySet<number>,
  ): Promise<Measurement> {
    const ms = this.elapsedMs();
    const threads = threadTimes();
    const server = ((await this.server.cpu()) - this.serverCpu) / 1000;
    const done = operations - this.operations;
    const per1000 = (spent: number) => (spent / done) * 1000;
    const storing = store && busiest(store, this.threads, threads);
    return {
      operations: done,
      rate: (done / ms) * 1000,
      cpu: {
        main: per1000(threads.main - this.threads.main),
        ...(storing === undefined ? {} : { store: per1000(storing) }),
        server: per1000(server),
      },
      serverLoad: server / ms,
      details,
    };
  }
}
