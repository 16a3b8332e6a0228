/** CPU time of the threads of this process, as Linux tells it. */
import { readdirSync, readFileSync } from 'node:fs';

const TASKS = '/proc/self/task';

/** Nanoseconds on a CPU so far; undefined where the system does not tell. */
function threadCpu(tid: number): number | undefined {
  try {
    return Number(readFileSync(`${TASKS}/${tid}/schedstat`, 'latin1').split(' ')[0]);
  } catch {
    // Another system, or the thread has ended.
    return undefined;
  }
}

export function threads(): ReadonlySet<number> {
  try {
    return new Set(readdirSync(TASKS).map(Number));
  } catch {
    return new Set();
  }
}

export interface ThreadTimes {
  /** Milliseconds since the process began. */
  readonly main: number;
  readonly byThread: ReadonlyMap<number, number>;
}

/** Without /proc the main thread is taken for the whole process. */
export function threadTimes(): ThreadTimes {
  const byThread = new Map<number, number>();
  for (const tid of threads()) {
    const ns = threadCpu(tid);
    if (ns !== undefined) byThread.set(tid, ns / 1e6);
  }
  const { user, system } = process.cpuUsage();
  return { main: byThread.get(process.pid) ?? (user + system) / 1000, byThread };
}

/** Of some threads, the milliseconds of the one that worked most in between; undefined without /proc. */
export function busiest(tids: ReadonlySet<number>, from: ThreadTimes, to: ThreadTimes): number | undefined {
  const spent = [...tids].flatMap((tid) => {
    const end = to.byThread.get(tid);
    return end === undefined ? [] : [end - (from.byThread.get(tid) ?? 0)];
  });
  return spent.length === 0 ? undefined : Math.max(...spent);
}
