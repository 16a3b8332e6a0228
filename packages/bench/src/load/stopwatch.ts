/** Time, and CPU time of all processes, between two moments of a row. */
import type { Peer } from '../peer/start.js';
import type { Effort, Sample } from '../row.js';
import { spread } from '../spread.js';
import { busiest, type ThreadTimes, threadTimes } from './threads.js';

export const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

export async function warmUp({ warmUpMs, warmUpOperations }: Effort, operations: () => number): Promise<void> {
  const began = performance.now();
  do await sleep(Math.min(20, warmUpMs));
  while (performance.now() - began < warmUpMs || operations() < warmUpOperations);
}

/** Milliseconds that `run` takes: its median, so that the runs in which others had the CPU don't count. */
export function medianTime({ warmUpMs, measureMs }: Effort, run: () => void): number {
  const times = (limit: number): number[] => {
    const found: number[] = [];
    for (let spent = 0; spent < limit; ) {
      const began = performance.now();
      run();
      found.push(performance.now() - began);
      spent += found.at(-1)!;
    }
    return found;
  };
  times(warmUpMs);
  return spread(times(measureMs)).median;
}

export type Peers = Readonly<Record<string, Peer>>;

const cpuOf = async (peers: Peers): Promise<ReadonlyMap<string, number>> => {
  const times = Object.entries(peers).map(async ([name, peer]) => [name, (await peer.cpu()) / 1000] as const);
  return new Map(await Promise.all(times));
};

export class Stopwatch {
  private constructor(
    private readonly peers: Peers,
    private readonly operations: number,
    private readonly peerCpu: ReadonlyMap<string, number>,
    private readonly threads: ThreadTimes,
    private readonly at: number,
  ) {}

  /** `peers`: the processes on the other side, by names; `operations`: answered so far. */
  static async start(peers: Peers, operations: number): Promise<Stopwatch> {
    const cpu = await cpuOf(peers);
    return new Stopwatch(peers, operations, cpu, threadTimes(), performance.now());
  }

  elapsedMs(): number {
    return performance.now() - this.at;
  }

  /** `store`: the threads one of which is the storage thread. The value is thousands of operations per second. */
  async stop(operations: number, details: Sample['details'], store?: ReadonlySet<number>): Promise<Sample> {
    const ms = this.elapsedMs();
    const threads = threadTimes();
    const peerCpu = await cpuOf(this.peers);
    const done = operations - this.operations;
    const per1000 = (spent: number) => (spent / done) * 1000;
    const storing = store && busiest(store, this.threads, threads);
    const ofPeers: Record<string, number> = {};
    for (const [name, spent] of peerCpu) {
      const used = spent - this.peerCpu.get(name)!;
      ofPeers[`${name} ms/1000`] = per1000(used);
      // Well below 100, or it is the peer that was measured.
      ofPeers[`${name} busy %`] = (used / ms) * 100;
    }
    return {
      value: done / ms,
      details: {
        operations: done,
        'main ms/1000': per1000(threads.main - this.threads.main),
        ...(storing === undefined ? {} : { 'store ms/1000': per1000(storing) }),
        ...ofPeers,
        ...details,
      },
    };
  }
}
